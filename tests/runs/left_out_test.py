"""Protects what a run says of files that it does not use: all, and why."""

import csv
import pathlib

import numpy as np
from PIL import Image
import pytest

from medxfer import spec as specs
from medxfer.recipes import folder as folder_config
from medxfer.runs import fingerprints
from medxfer.runs import inputs


@pytest.fixture
def data(tmp_path: pathlib.Path) -> pathlib.Path:
  """Two classes of twelve images, and what else people keep there."""
  folder = tmp_path / 'data'
  draw = np.random.default_rng(0)
  for name in ('benign', 'malign'):
    (folder / name).mkdir(parents=True)
    for i in range(12):
      pixels = draw.integers(0, 255, (8, 8, 3), np.uint8)
      Image.fromarray(pixels).save(
          folder / name / f'{i}{(".jfif", ".gif", "")[i % 3]}',
          'GIF' if i % 3 == 1 else 'JPEG',
      )
  pages = [Image.new('L', (8, 8), i) for i in range(3)]
  pages[0].save(
      folder / 'benign/s', 'TIFF', save_all=True, append_images=pages[1:]
  )
  for name, content in (
      ('benign/0_mask.png', (folder / 'benign/0.jfif').read_bytes()),
      ('benign/@eaDir/0.jpg/SYNOPHOTO_THUMB_M.jpg', b'x'),
      ('benign/x.dcm', b'x'),
      ('malign/Icon\r', b'x'),
      ('malign/bad.jpg', b''),
      ('readme.txt', b'x'),
      ('top.jpg', b'\xff\xd8\xff'),
  ):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
  return folder


def test_the_lines_and_the_table_say_all(
    data: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """`0 skipped` over 24 files that were passed over was the fault."""
  config = folder_config.get_config('random')
  config.data.update(dir=str(data), image_size=(32, 32), on_bad_image='skip')
  found = inputs.read(specs.from_config(config))
  said = capsys.readouterr().out
  assert '25 images of' in said and ' 1 skipped;' in said
  assert 'skipped: 1 image (malign/bad.jpg: ' in said
  assert 'left out: 6 files: 2 hidden or system files (' in said
  for part in (
      '1 DICOM without its preamble (benign/x.dcm)',
      '1 text (readme.txt)',
      '1 segmentation mask (benign/0_mask.png)',
      '1 image outside of the class folders (top.jpg)',
      r'malign/Icon\r)',
  ):
    assert part in said
  assert 'pages: 1 image holds several pictures (benign/s: 3)' in said
  fingerprints.write(tmp_path, found)
  with (tmp_path / 'skipped.csv').open(newline='') as file:
    rows = {row['image_id']: row for row in csv.DictReader(file)}
  assert len(rows) == 7
  assert rows['malign/bad.jpg']['what'] == 'skipped'
  assert rows['benign/x.dcm'] == {
      'image_id': 'benign/x.dcm',
      'reason': 'DICOM without its preamble',
      'what': 'left_out',
  }
  assert rows[r'malign/Icon\r']['reason'] == 'hidden or system file'
