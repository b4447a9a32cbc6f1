"""Protects the value range of a run: recorded, and used by what follows."""

import csv
import json
import pathlib
import shutil
from typing import Any

import numpy as np
from PIL import Image
import pytest

from medxfer import errors
from medxfer import spec as specs
from medxfer.runs import activations
from medxfer.runs import evaluate
from medxfer.runs import predict
from medxfer.runs import run
from medxfer.runs import value_ranges
from tests import tiny

_SHADES = np.random.default_rng(0).uniform(0, 1, (40, 32, 32))


def _write(
    path: pathlib.Path, bits: int, shades: np.ndarray = _SHADES
) -> pathlib.Path:
  """Writes one folder per class of PNGs that use so many bits."""
  for i, picture in enumerate(shades):
    name = path / ('normal' if i % 2 else 'sick') / f'{i:02}.png'
    name.parent.mkdir(parents=True, exist_ok=True)
    values = np.rint(picture * (2**bits - 1))
    Image.fromarray(values.astype(np.uint8 if bits == 8 else np.uint16)).save(
        name
    )
  return path


def _spec(path: pathlib.Path, arm: str = 'head', **data: Any) -> specs.RunSpec:
  config = tiny.config(path, arm)
  config.data.update(
      name='folder', dir=str(path), image_size=(32, 32), copies='keep', **data
  )
  config.training.epochs = 1
  return specs.from_config(config)


@pytest.fixture(scope='module', name='images')
def _images(tmp_path_factory: pytest.TempPathFactory) -> dict:
  """The same pictures at 8, 12 and 16 bits."""
  path = tmp_path_factory.mktemp('images')
  return {bits: _write(path / str(bits), bits) for bits in (8, 12, 16)}


@pytest.fixture(scope='module', name='run12')
def _run12(images: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
  """The workdir of a run on 12 of 16 bits; to be read only."""
  path = tmp_path_factory.mktemp('runs') / 'run'
  run.run(_spec(images[12]), path)
  return path


def _predicted(path: pathlib.Path, images: Any, tmp_path: pathlib.Path) -> Any:
  predict.predict([path], [images], output=tmp_path / 'p.csv')
  with (tmp_path / 'p.csv').open(newline='') as file:
    return {
        row['image'].removeprefix(str(images)): float(row['p_sick'])
        for row in csv.DictReader(file)
    }


@pytest.mark.slow
def test_the_range_is_recorded_and_used_by_predict(
    run12: Any,
    images: Any,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """An image scores as it did in the run, and as its 8-bit twin does."""
  assert json.loads((run12 / 'inputs.json').read_text())[
      value_ranges.RECORD
  ] == [0, 4095]
  found = _predicted(run12, images[12], tmp_path)
  with (run12 / 'predictions_test.csv').open(newline='') as file:
    for row in csv.DictReader(file):
      assert found['/' + row['image_id']] == pytest.approx(
          float(row['p_sick']), abs=1e-5
      )
  shallow = _predicted(run12, images[8], tmp_path)
  assert shallow == pytest.approx(found, abs=0.02)
  assert 'outside of the run' not in capsys.readouterr().err


@pytest.mark.slow
def test_predict_never_finds_a_range_of_its_own(
    run12: Any,
    images: Any,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """16-bit files are outside of the run's range; each is named."""
  predict.predict([run12], [images[16] / 'sick'], output=tmp_path / 'p.csv')
  told = capsys.readouterr().err
  assert told.count("outside of the run's range of 0 to 4095 (12 bits)") == 20
  assert str(images[16] / 'sick' / '00.png') in told
  activations.draw(
      [images[16] / 'sick' / '00.png'],
      output=tmp_path / 'a',
      layer='block1_conv1',
      run=run12,
  )
  assert 'outside of the run' in capsys.readouterr().err


@pytest.mark.slow
def test_evaluate_uses_the_record(
    run12: Any, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
  """Also where the images would give another range today."""
  path = shutil.copytree(run12, tmp_path / 'run')
  summary = json.loads((path / 'summary.json').read_text())
  again = evaluate.evaluate([path], 'test')
  assert again['accuracy'] == summary['test']['accuracy']
  assert (
      'grey values 0 to 4095 (12 bits), black to white, as this run began'
      in capsys.readouterr().out
  )
  inputs = json.loads((path / 'inputs.json').read_text())
  (path / 'inputs.json').write_text(
      json.dumps({**inputs, value_ranges.RECORD: [0, 16383]})
  )
  with pytest.raises(errors.DataError, match='images_digest'):
    evaluate.evaluate([path], 'test')
  assert '0 to 16383 (14 bits), black' in capsys.readouterr().out
  (path / 'inputs.json').write_text(
      json.dumps({**inputs, value_ranges.RECORD: [5, 'x']})
  )
  with pytest.raises(errors.DataError, match='value_range=.* no pair'):
    evaluate.evaluate([path], 'test')


@pytest.mark.slow
def test_a_run_of_an_older_version_goes_on_as_it_began(
    run12: Any,
    images: Any,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """Without a record 16 bits are 16 bits, in predict and in evaluate."""
  path = shutil.copytree(run12, tmp_path / 'old')
  inputs = json.loads((path / 'inputs.json').read_text())
  del inputs[value_ranges.RECORD]
  (path / 'inputs.json').write_text(json.dumps(inputs))
  # Its pixels are not those of the new run: the digests tell.
  with pytest.raises(errors.DataError, match='images_digest'):
    evaluate.evaluate([path], 'test')
  dark = _write(tmp_path / 'dark', 8, _SHADES / 16)
  assert _predicted(path, images[12], tmp_path) == pytest.approx(
      _predicted(path, dark, tmp_path), abs=0.02
  )
  assert capsys.readouterr().err.count('recorded no range') == 1


def test_a_given_range_is_taken_and_said(
    images: dict, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
  """What lies outside is counted, with an example."""
  path = tmp_path / 'run'
  spec = _spec(images[16], 'decision_tree', value_range='0,32767')
  run.run(spec, path)
  assert value_ranges.of_workdir(path, spec) == (0, 32767, True)
  told = capsys.readouterr().out
  assert '0 to 32767 (15 bits), black to white, as data.value_range' in told
  assert '40 of 40 deep images hold values outside of it' in told


def test_a_run_on_8_bits_says_and_records_nothing(
    images: dict, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
  """Null in the record tells it from a run of an older version."""
  run.run(_spec(images[8], 'decision_tree'), tmp_path / 'run')
  assert 'grey values' not in capsys.readouterr().out
  recorded = json.loads((tmp_path / 'run' / 'inputs.json').read_text())
  assert recorded[value_ranges.RECORD] is None
