"""Protects predict: any readable image is classified, as in the run."""

from collections.abc import Callable
import csv
import os
import pathlib
import shutil
import subprocess
import sys
from typing import Any

import numpy as np
from PIL import Image
import pytest

from medxfer import errors
from medxfer.data import ham10000
from medxfer.runs import predict

_ROOT = pathlib.Path(__file__).parents[2]


def _table(path: pathlib.Path) -> dict:
  with path.open(newline='') as file:
    return {row['image']: row for row in csv.DictReader(file)}


def test_a_folder_gives_the_probabilities_of_the_run(
    either: pathlib.Path, phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """A picture must score as it did when it was a test image."""
  predict.predict([either], [phantoms], output=tmp_path / 'p.csv')
  found = _table(tmp_path / 'p.csv')
  assert len(found) == len(ham10000.read(phantoms))
  paths = {p.stem: str(p) for p in ham10000.read(phantoms).paths}
  with (either / 'predictions_test.csv').open(newline='') as file:
    for row in csv.DictReader(file):
      other = found[paths[row['image_id']]]
      assert row['prediction'] == other['prediction']
      for name in (f'p_{c}' for c in ham10000.CLASS_NAMES):
        assert float(row[name]) == pytest.approx(float(other[name]), abs=1e-5)


def test_every_kind_of_image_is_read(
    finished: pathlib.Path, phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """Grey, RGBA, CMYK, palette, 16-bit and rotated images come from clinics."""
  image = Image.open(ham10000.read(phantoms).paths[0])
  for mode, suffix in (
      ('L', 'png'),
      ('RGBA', 'png'),
      ('CMYK', 'jpg'),
      ('P', 'gif'),
      ('RGB', 'webp'),
      ('1', 'bmp'),
  ):
    image.convert(mode).save(tmp_path / f'{mode}.{suffix}')
  grey = np.asarray(image.convert('L')).astype(np.uint16) * 257
  Image.fromarray(grey).save(tmp_path / 'deep.tif')
  exif = Image.Exif()
  exif[0x0112] = 6
  image.save(tmp_path / 'turned.jpg', exif=exif)
  predict.predict([finished], [tmp_path], output=tmp_path / 'p.csv')
  assert len(_table(tmp_path / 'p.csv')) == 8


def test_what_is_no_image_ends_or_is_left_out(
    finished: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """One broken file in a thousand: the person decides."""
  Image.new('RGB', (40, 40)).save(tmp_path / 'good.png')
  (tmp_path / 'bad.png').write_text('no image')
  out = tmp_path / 'p.csv'
  with pytest.raises(errors.DataError, match='bad.png.*on_bad_image=skip'):
    predict.predict([finished], [tmp_path], output=out)
  assert not out.exists()
  predict.predict([finished], [tmp_path], output=out, on_bad_image='skip')
  assert list(_table(out)) == [str(tmp_path / 'good.png')]
  assert 'left out' in capsys.readouterr().err


def test_a_name_that_is_no_text_has_a_row(
    finished: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """Archives from other systems hold such names; none is lost or guessed."""
  good = tmp_path / 'M\udcfcller.png'
  Image.new('RGB', (40, 40)).save(good)
  written = str(tmp_path / r'M\xfcller.png')
  predict.predict([finished], [good], output=tmp_path / 'p.csv')
  assert list(_table(tmp_path / 'p.csv')) == [written]
  predict.predict([finished], [good], output=None)
  assert written in capsys.readouterr().out
  good.write_text('no image')
  with pytest.raises(errors.DataError, match='ller.png'):
    predict.predict([finished], [good], output=None)


@pytest.mark.slow
def test_such_a_name_stands_in_the_index_of_pictures(
    finished: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """As in the table: the one leads to the other."""
  Image.new('RGB', (40, 40)).save(tmp_path / 'M\udcfcller.png')
  predict.predict(
      [finished],
      [tmp_path / 'M\udcfcller.png'],
      output=tmp_path / 'p.csv',
      explain=tmp_path / 'e',
  )
  assert list(_table(tmp_path / 'e' / 'index.csv')) == list(
      _table(tmp_path / 'p.csv')
  )


@pytest.mark.slow
@pytest.mark.parametrize(
    'module, args, said, not_said',
    [
        ('tools.predict', ['{bad}'], '--on_bad_image=skip', '--config'),
        (
            'tools.evaluate',
            ['--subset=test', '--data_dir={bad}'],
            '--data_dir=DIR',
            '--config',
        ),
        (
            'tools.evaluate',
            ['--subset=test', '--data_dir={half}'],
            'data.on_bad_image=skip (a key',
            '--config',
        ),
        (
            'tools.evaluate',
            ['--data_dir={half}', '--dataset=ham10000'],
            'out with --on_bad_image=skip',
            '--config',
        ),
        (
            'tools.convert_weights',
            ['--source={empty}', '--output={empty}/w.npz'],
            'give the --source of a run',
            '--workdir',
        ),
    ],
)
def test_a_message_names_the_flags_of_its_command(
    finished: pathlib.Path,
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    module: Any,
    args: tuple,
    said: Any,
    not_said: Any,
) -> None:
  """A way out that the command refuses is none."""
  (tmp_path / 'empty').mkdir()
  (tmp_path / 'bad').write_text('no image')
  half = shutil.copytree(phantoms, tmp_path / 'half')
  next(half.glob('*/*.jpg')).write_bytes(b'no image')
  args = [
      arg.format(**{n: tmp_path / n for n in ('empty', 'bad', 'half')})
      for arg in args
  ]
  if module != 'tools.convert_weights':
    args.append(f'--workdir={finished}')
  result = subprocess.run(
      [sys.executable, '-m', module, *args],
      cwd=_ROOT,
      capture_output=True,
      text=True,
      check=False,
  )
  assert result.returncode == 1 and 'Traceback' not in result.stderr
  assert said in result.stderr and not_said not in result.stderr


def _written(folder: pathlib.Path, files: dict) -> None:
  Image.new('RGB', (40, 40)).save(folder / 'good.png')
  for name, content in files.items():
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def test_what_a_folder_holds_beside_images_is_said(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
  """A Mac's shadows, a notebook's copies, reports, pages of a TIFF."""
  shadow = bytes.fromhex('00051607000200004d6163204f532058')
  dicom = bytes(128) + b'DICM' + bytes(200)
  _written(
      tmp_path,
      {
          '._good.jpg': shadow,
          '__MACOSX/._good.jpg': shadow,
          '.DS_Store': b'x',
          '.ipynb_checkpoints/good-checkpoint.jpg': b'x',
          'slice.dcm': dicom,
          'IM0001': dicom,
          os.fsdecode(b'M\xfcller.pdf'): b'%PDF',
      },
  )
  pages = [Image.new('L', (40, 40), i) for i in range(5)]
  pages[0].save(
      tmp_path / 'stack', 'TIFF', save_all=True, append_images=pages[1:]
  )
  assert predict.image_files([tmp_path]) == [
      tmp_path / 'good.png',
      tmp_path / 'stack',
  ]
  left_out, several = capsys.readouterr().err.splitlines()
  assert left_out.startswith('left out: 7 files: 4 hidden or system files (')
  assert (
      f'2 DICOM without pixels ({tmp_path}/IM0001, {tmp_path}/slice.dcm)'
      in left_out
  )
  assert r'1 PDF' in left_out and r'M\udcfcller.pdf' in left_out
  assert f'1 image holds several pictures ({tmp_path}/stack: 5)' in several


@pytest.mark.parametrize(
    'name, change',
    [
        ('empty.jpg', lambda path: path.write_bytes(b'')),
        ('page.png', lambda path: path.write_bytes(b'<html>')),
        ('pipe.png', os.mkfifo),
        ('gone.tif', lambda path: path.symlink_to('nowhere')),
    ],
)
def test_a_bad_image_is_refused_before_the_work(
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    change: Callable[..., Any],
) -> None:
  """A pipe would wait for ever."""
  _written(tmp_path, {})
  change(tmp_path / name)
  with pytest.raises(errors.DataError, match=f'{name}.*on_bad_image=skip'):
    predict.image_files([tmp_path], 'fail')
  assert predict.image_files([tmp_path], 'skip') == [tmp_path / 'good.png']
  assert f'left out: {tmp_path / name}' in capsys.readouterr().err


def test_a_command_that_cannot_skip_names_no_flag(
    tmp_path: pathlib.Path,
) -> None:
  """`tools.activations` has no --on_bad_image."""
  _written(tmp_path, {'bad.jpg': b''})
  with pytest.raises(errors.DataError, match='take it out of the images'):
    predict.image_files([tmp_path])


def test_a_name_that_is_no_utf8_is_found(tmp_path: pathlib.Path) -> None:
  """A ZIP from Windows; writing the name is another matter."""
  _written(tmp_path, {})
  name = os.fsdecode(b'M\xfcller.png')
  (tmp_path / 'good.png').rename(tmp_path / name)
  assert predict.image_files([tmp_path]) == [tmp_path / name]


def test_a_file_that_is_named_is_read_whatever_its_name(
    tmp_path: pathlib.Path,
) -> None:
  """Hidden or not: a person names it; and no image is dropped."""
  _written(tmp_path, {})
  (tmp_path / 'good.png').rename(tmp_path / '.x')
  named = [tmp_path / '.x'] * 2
  assert predict.image_files(named) == named


def test_names_that_do_not_exist_are_refused(
    finished: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """Before the weights are read."""
  with pytest.raises(errors.UsageError, match='no such file'):
    predict.predict([finished], [tmp_path / 'x.png'], output=None)
  with pytest.raises(errors.UsageError, match='no image below'):
    predict.predict([finished], [tmp_path], output=None)
  (tmp_path / 'x.dcm').write_bytes(b'x')
  with pytest.raises(errors.UsageError, match='no image below .*1 DICOM'):
    predict.predict([finished], [tmp_path], output=None)


def test_a_folder_that_is_no_run_is_refused(
    tmp_path: pathlib.Path, phantoms: pathlib.Path
) -> None:
  """The usual slip: the data folder instead of the workdir."""
  with pytest.raises(errors.DataError, match='config.json: no such file'):
    predict.predict([tmp_path], [phantoms], output=None)
