"""Protects predict: any readable image is classified, as in the run."""

import csv
import pathlib
import shutil
import subprocess
import sys

import numpy as np
from PIL import Image
import pytest

from medxfer import errors
from medxfer.data import ham10000
from medxfer.runs import predict

_ROOT = pathlib.Path(__file__).parents[2]


def _table(path):
  with path.open(newline='') as file:
    return {row['image']: row for row in csv.DictReader(file)}


def test_a_folder_gives_the_probabilities_of_the_run(
    finished, phantoms, tmp_path):
  """A picture must score as it did when it was a test image."""
  predict.predict(finished, [phantoms], output=tmp_path / 'p.csv')
  found = _table(tmp_path / 'p.csv')
  assert len(found) == len(ham10000.read(phantoms))
  paths = {p.stem: str(p) for p in ham10000.read(phantoms).paths}
  with (finished / 'predictions_test.csv').open(newline='') as file:
    for row in csv.DictReader(file):
      other = found[paths[row['image_id']]]
      assert row['prediction'] == other['prediction']
      for name in (f'p_{c}' for c in ham10000.CLASS_NAMES):
        assert float(row[name]) == pytest.approx(float(other[name]), abs=1e-5)


def test_every_kind_of_image_is_read(finished, phantoms, tmp_path):
  """Grey, RGBA, CMYK, palette, 16-bit and rotated images come from clinics."""
  image = Image.open(ham10000.read(phantoms).paths[0])
  for mode, suffix in (('L', 'png'), ('RGBA', 'png'), ('CMYK', 'jpg'),
                       ('P', 'gif'), ('RGB', 'webp'), ('1', 'bmp')):
    image.convert(mode).save(tmp_path / f'{mode}.{suffix}')
  grey = np.asarray(image.convert('L')).astype(np.uint16) * 257
  Image.fromarray(grey).save(tmp_path / 'deep.tif')
  exif = Image.Exif()
  exif[0x0112] = 6
  image.save(tmp_path / 'turned.jpg', exif=exif)
  predict.predict(finished, [tmp_path], output=tmp_path / 'p.csv')
  assert len(_table(tmp_path / 'p.csv')) == 8


def test_what_is_no_image_ends_or_is_left_out(finished, tmp_path, capsys):
  """One broken file in a thousand: the person decides."""
  Image.new('RGB', (40, 40)).save(tmp_path / 'good.png')
  (tmp_path / 'bad.png').write_text('no image')
  out = tmp_path / 'p.csv'
  with pytest.raises(errors.DataError, match='bad.png.*on_bad_image=skip'):
    predict.predict(finished, [tmp_path], output=out)
  assert not out.exists()
  predict.predict(finished, [tmp_path], output=out, on_bad_image='skip')
  assert list(_table(out)) == [str(tmp_path / 'good.png')]
  assert 'left out' in capsys.readouterr().err


def test_a_name_that_is_no_text_has_a_row(finished, tmp_path, capsys):
  """Archives from other systems hold such names; none is lost or guessed."""
  good = tmp_path / 'M\udcfcller.png'
  Image.new('RGB', (40, 40)).save(good)
  written = str(tmp_path / r'M\xfcller.png')
  predict.predict(finished, [good], output=tmp_path / 'p.csv')
  assert list(_table(tmp_path / 'p.csv')) == [written]
  predict.predict(finished, [good], output=None)
  assert written in capsys.readouterr().out
  good.write_text('no image')
  with pytest.raises(errors.DataError, match='ller.png'):
    predict.predict(finished, [good], output=None)


@pytest.mark.slow
def test_such_a_name_stands_in_the_index_of_pictures(finished, tmp_path):
  """As in the table: the one leads to the other."""
  Image.new('RGB', (40, 40)).save(tmp_path / 'M\udcfcller.png')
  predict.predict(
      finished, [tmp_path / 'M\udcfcller.png'], output=tmp_path / 'p.csv',
      explain=tmp_path / 'e')
  assert list(_table(tmp_path / 'e' / 'index.csv')) == list(
      _table(tmp_path / 'p.csv'))


@pytest.mark.slow
@pytest.mark.parametrize('module, args, said, not_said', [
    ('tools.predict', ['{bad}'], '--on_bad_image=skip', '--config'),
    ('tools.evaluate', ['--data_dir={bad}'], '--data_dir=DIR', '--config'),
    ('tools.evaluate', ['--data_dir={half}'], 'data.on_bad_image=skip (a key',
     '--config'),
    ('tools.convert_weights', ['--source={empty}', '--output={empty}/w.npz'],
     'give the --source of a run', '--workdir'),
])
def test_a_message_names_the_flags_of_its_command(
    finished, phantoms, tmp_path, module, args, said, not_said):
  """A way out that the command refuses is none."""
  (tmp_path / 'empty').mkdir()
  (tmp_path / 'bad').write_text('no image')
  half = shutil.copytree(phantoms, tmp_path / 'half')
  next(half.glob('*/*.jpg')).write_bytes(b'no image')
  args = [arg.format(**{n: tmp_path / n for n in ('empty', 'bad', 'half')})
          for arg in args]
  if module != 'tools.convert_weights':
    args.append(f'--workdir={finished}')
  result = subprocess.run(
      [sys.executable, '-m', module, *args], cwd=_ROOT, capture_output=True,
      text=True, check=False)
  assert result.returncode == 1 and 'Traceback' not in result.stderr
  assert said in result.stderr and not_said not in result.stderr


def test_names_that_do_not_exist_are_refused(finished, tmp_path):
  """Before the weights are read."""
  with pytest.raises(errors.UsageError, match='no such file'):
    predict.predict(finished, [tmp_path / 'x.png'], output=None)
  with pytest.raises(errors.UsageError, match='no image below'):
    predict.predict(finished, [tmp_path], output=None)


def test_a_folder_that_is_no_run_is_refused(tmp_path, phantoms):
  """The usual slip: the data folder instead of the workdir."""
  with pytest.raises(errors.DataError, match='config.json: no such file'):
    predict.predict(tmp_path, [phantoms], output=None)
