"""Protects the calibration of a run: fitted once, part of it everywhere."""

import json
import pathlib
import shutil

import numpy as np
import pytest

from medxfer import classifier
from medxfer import spec as specs
from medxfer.evaluation import calibration
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import recalibration
from medxfer.runs import calibrated
from medxfer.runs import evaluate
from medxfer.runs import run
from medxfer.training import checkpoints
from tests import tiny


def _table(path: pathlib.Path, subset: str) -> predictions_lib.Predictions:
  return predictions_lib.read(path / f'predictions_{subset}.csv')


def _again(path: pathlib.Path, phantoms: pathlib.Path, method: str) -> dict:
  """Scores a finished run anew with another calibration."""
  config = tiny.config(phantoms)
  config.evaluation.calibration = method
  return run.run(specs.from_config(config), path)


@pytest.fixture
def path(finished: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
  """A copy of a finished run, to be scored anew."""
  return shutil.copytree(finished, tmp_path / 'run')


def test_another_calibration_scores_again_and_trains_nothing(
    path: pathlib.Path,
    phantoms: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """What was said before is what a run without calibration scores."""
  with_one = json.loads((path / 'summary.json').read_text())
  calibrated_val = _table(path, 'val')
  without = _again(path, phantoms, 'none')
  assert 'nothing is trained' in capsys.readouterr().out
  raw = {subset: _table(path, subset) for subset in ('val', 'test')}
  before = with_one['calibration']['before']
  for subset, table in raw.items():
    assert before[subset]['ece'] == pytest.approx(
        calibration.expected_calibration_error(table), abs=1e-4
    )
    assert before[subset]['loss'] == pytest.approx(
        recalibration.loss(table), abs=1e-5
    )
    np.testing.assert_array_equal(table.labels, _table(path, subset).labels)
  assert without['calibration']['temperature'] == 1
  fitted = recalibration.fit(raw['val'], 'temperature')
  assert with_one['calibration']['temperature'] == pytest.approx(
      fitted.temperature, rel=1e-6
  )
  np.testing.assert_allclose(
      fitted.apply(raw['val'].probabilities),
      calibrated_val.probabilities,
      atol=1e-5,
  )
  again = _again(path, phantoms, 'temperature')
  assert again['test'] == with_one['test']


@pytest.mark.parametrize('method', ['bias_corrected', 'auto'])
def test_every_command_says_the_calibrated_probabilities(
    path: pathlib.Path, phantoms: pathlib.Path, method: str
) -> None:
  """Evaluate and predict, as the tables of the run."""
  summary = _again(path, phantoms, method)
  assert evaluate.evaluate([path], 'test') == summary['test']
  trained, table = classifier.load(path), _table(path, 'test')
  files = {file.stem: file for file in phantoms.rglob('*.jpg')}
  np.testing.assert_allclose(
      trained.predict_proba([files[name] for name in table.image_ids]),
      table.probabilities,
      atol=1e-5,
  )


def test_a_run_without_calibration_is_left_alone(path: pathlib.Path) -> None:
  """Older runs, and those that are not finished."""
  summary = json.loads((path / 'summary.json').read_text())
  del summary[calibrated.KEY]
  (path / 'summary.json').write_text(json.dumps(summary))
  for _ in range(2):
    found = classifier.load(path).network.weights.params
    raw = checkpoints.export(path).params
    for layer, leaves in raw.items():
      for name, values in leaves.items():
        np.testing.assert_array_equal(found[layer][name], values)
    (path / 'summary.json').unlink(missing_ok=True)
