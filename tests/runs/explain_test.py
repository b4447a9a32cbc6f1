"""Protects the pictures of predictions and layers: traceable, whole, safe."""

import csv
import pathlib
import re
import shutil
import subprocess
import sys
from typing import Any

import numpy as np
from PIL import Image
import pytest

from medxfer import errors
from medxfer.data import ham10000
from medxfer.data import images
from medxfer.data import pipeline
from medxfer.explain import pictures
from medxfer.runs import activations
from medxfer.runs import explain
from medxfer.runs import predict

_ROOT = pathlib.Path(__file__).parents[2]
_ODD = (
    'plain',
    'with space',
    'меланома',
    '<script>alert(1)<',
    "a';b",
    'x..',
    '-rf',
    'x' * 200,
)


def _index(folder: pathlib.Path) -> list:
  with (folder / explain.INDEX).open(newline='', encoding='utf-8') as file:
    return list(csv.DictReader(file))


@pytest.fixture(name='odd')
def _odd(phantoms: pathlib.Path, tmp_path: pathlib.Path) -> list:
  """Images of odd names, and two of the same name in different folders."""
  sources = iter(ham10000.read(phantoms).paths)
  for folder in ('one', 'two'):
    (tmp_path / folder).mkdir()
    shutil.copy(next(sources), tmp_path / folder / 'same.jpg')
  for stem in _ODD:
    shutil.copy(next(sources), tmp_path / 'one' / f'{stem}.jpg')
  return [tmp_path / 'one', tmp_path / 'two']


@pytest.mark.slow
def test_every_image_has_a_picture_that_leads_back_to_it(
    finished: pathlib.Path, odd: list, tmp_path: pathlib.Path
) -> None:
  """The picture shows that image; the index says what the table says."""
  predict.predict(
      [finished], odd, output=tmp_path / 'p.csv', explain=tmp_path / 'e'
  )
  with (tmp_path / 'p.csv').open(newline='', encoding='utf-8') as file:
    table = list(csv.DictReader(file))
  index = _index(tmp_path / 'e')
  assert len(index) == len(_ODD) + 2
  for row, scored in zip(index, table, strict=True):
    assert row['image'] == scored['image']
    assert row['prediction'] == scored['prediction']
    assert row['probability'] == scored[f'p_{row["prediction"]}']
    assert re.fullmatch(r'\d{5}_\w{1,60}\.png', row['file'], re.ASCII)
    picture = np.asarray(Image.open(tmp_path / 'e' / row['file']))
    pixels = pictures.enlarged(
        pipeline.resize(images.read_rgb(pathlib.Path(row['image'])), (32, 32))
    )
    np.testing.assert_array_equal(picture[24:216, 6:198], pixels)
  assert {p.name for p in (tmp_path / 'e').iterdir()} == {
      explain.INDEX,
      *(row['file'] for row in index),
  }


@pytest.mark.slow
def test_explanations_leave_the_table_as_it_is(
    finished: pathlib.Path, odd: list, tmp_path: pathlib.Path
) -> None:
  """To ask why must not change what."""
  predict.predict([finished], odd, output=tmp_path / 'a.csv')
  predict.predict(
      [finished],
      odd,
      output=tmp_path / 'b.csv',
      explain=tmp_path / 'e',
      explain_layer='block2_conv1',
  )
  assert (tmp_path / 'a.csv').read_bytes() == (tmp_path / 'b.csv').read_bytes()


@pytest.mark.slow
def test_an_image_that_is_left_out_shifts_no_other(
    finished: pathlib.Path, odd: list, tmp_path: pathlib.Path
) -> None:
  """Pictures follow the table, not the list of files."""
  (odd[0] / 'bad.png').write_text('no image')
  predict.predict(
      [finished],
      odd,
      output=tmp_path / 'p.csv',
      on_bad_image='skip',
      explain=tmp_path / 'e',
  )
  rows = _index(tmp_path / 'e')
  assert len(rows) == len(_ODD) + 2
  plain = next(row for row in rows if row['image'].endswith('plain.jpg'))
  assert plain['file'].endswith('_plain.png')


def test_what_fails_leaves_no_folder(
    finished: pathlib.Path, odd: list, tmp_path: pathlib.Path
) -> None:
  """Half a folder of pictures looks like a whole one."""
  (odd[1] / 'zz.png').write_text('no image')
  before = sorted(tmp_path.iterdir())
  with pytest.raises(errors.DataError, match='zz.png'):
    predict.predict([finished], odd, output=None, explain=tmp_path / 'e')
  with pytest.raises(errors.DataError, match='zz.png'):
    activations.draw(
        odd[1:], output=tmp_path / 'e', layer='block1_conv1', run=finished
    )
  assert sorted(tmp_path.iterdir()) == before


def test_a_layer_that_does_not_exist_is_refused(
    finished: pathlib.Path, odd: list, tmp_path: pathlib.Path
) -> None:
  """With the names of the network's own layers."""
  with pytest.raises(errors.UsageError, match="'fc1'.*block2_conv2"):
    predict.predict([finished], odd, output=None, explain_layer='fc1')
  with pytest.raises(errors.UsageError, match="'conv1'.*block2_pool"):
    activations.draw(odd, output=tmp_path / 'e', layer='conv1', run=finished)


def test_a_folder_that_holds_something_is_refused_first(
    odd: list, tmp_path: pathlib.Path
) -> None:
  """Before the run is looked for, let alone loaded."""
  nowhere = tmp_path / 'nowhere'
  with pytest.raises(errors.UsageError, match='not empty'):
    predict.predict([nowhere], odd, output=None, explain=odd[0])
  with pytest.raises(errors.UsageError, match='not empty'):
    activations.draw(odd, output=odd[0], layer='block1_conv1', run=nowhere)


def test_activations_of_a_run(
    finished: pathlib.Path, odd: list, tmp_path: pathlib.Path
) -> None:
  """The image, its mean map and as many channels as were asked for."""
  activations.draw(
      odd, output=tmp_path / 'a', layer='block2_pool', channels=7, run=finished
  )
  index = _index(tmp_path / 'a')
  assert len(index) == len(_ODD) + 2
  for row in index:
    picture = np.asarray(Image.open(tmp_path / 'a' / row['file']))
    # Two large pictures above seven small ones.
    top, grid = 18 + 192 + 12, 18 + 96 + 12
    assert picture.shape == (top + grid, 7 * (96 + 6) + 6, 3)
    pixels = pictures.enlarged(
        pipeline.resize(images.read_rgb(pathlib.Path(row['image'])), (32, 32))
    )
    np.testing.assert_array_equal(picture[24:216, 6:198], pixels)


@pytest.mark.slow
def test_activations_of_other_weights(
    finished_vgg16: Any,
    odd: list,
    tmp_path: pathlib.Path,
    real_weights: pathlib.Path,
) -> None:
  """Figure 8.1 of the thesis, with a run and without."""
  del real_weights  # Found by its usual places.
  for name, run, top in (('a', finished_vgg16, 4), ('b', None, 3)):
    activations.draw(
        odd[1:],
        output=tmp_path / name,
        layer='block1_conv1',
        channels=4,
        run=run,
        starts=('imagenet', 'random'),
        size=64,
    )
    picture = np.asarray(Image.open(tmp_path / name / '00001_same.png'))
    assert picture.shape[:2] == (
        18 + 192 + 12 + (top - 1) * (18 + 96 + 12),
        top * 198 + 6,
    )


@pytest.mark.parametrize(
    'module, args, status, parts',
    [
        (
            'predict',
            ('--workdir=x', '--explain=tests', 'README.md'),
            2,
            ('tests', 'not empty'),
        ),
        ('activations', ('--output=x', 'README.md'), 2, ('--workdir',)),
        ('activations', ('--workdir=x', 'README.md'), 2, ('--output',)),
        (
            'activations',
            ('--workdir=x', '--output=x'),
            2,
            ('at least one image',),
        ),
        (
            'activations',
            ('--weights=vgg', '--output=x', 'README.md'),
            2,
            ('vgg', 'imagenet, random'),
        ),
        (
            'activations',
            ('--weights=random', '--output=x', '--channels=0', 'x'),
            2,
            ('channels',),
        ),
        (
            'activations',
            ('--workdir=nowhere', '--output=x', 'README.md'),
            1,
            ('config.json',),
        ),
    ],
)
def test_the_tools_refuse_in_one_line(
    module: str, args: tuple, status: int, parts: tuple
) -> None:
  """Every first wrong turn, and nothing is written."""
  result = subprocess.run(
      [sys.executable, '-m', f'tools.{module}', *args],
      cwd=_ROOT,
      capture_output=True,
      text=True,
      check=False,
  )
  assert result.returncode == status, result.stderr
  assert result.stderr.startswith('error: ')
  assert 'Traceback' not in result.stderr
  for part in parts:
    assert part in result.stderr
  assert not (_ROOT / 'x').exists()
