"""Protects the threshold of two classes on its way from val to test."""

from collections.abc import Iterator
import dataclasses
import json
import pathlib
import shutil
from typing import Any

import numpy as np
import pytest

from medxfer import spec as specs
from medxfer.data import datasets
from medxfer.data import ham10000
from medxfer.evaluation import operating_point
from medxfer.evaluation import predictions as predictions_lib
from medxfer.runs import evaluate
from medxfer.runs import run
from tests import tiny


@pytest.fixture(scope='module')
def two_classes(
    phantoms: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
  """The workdir and summary of a run that tells nevi from the rest."""
  nevus = ham10000.CLASS_NAMES.index('nv')

  def read(_: Any) -> Any:
    examples = ham10000.read(phantoms)
    return dataclasses.replace(
        examples,
        class_names=('other', 'nv'),
        labels=(examples.labels == nevus).astype(np.int32),
    )

  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(datasets, 'read', read)
    config = tiny.config(phantoms)
    config.training.epochs = 1
    path = tmp_path_factory.mktemp('runs') / 'two'
    yield path, run.run(specs.from_config(config), path)


def _scored(path: pathlib.Path, subset: Any) -> Any:
  return predictions_lib.read(path / f'predictions_{subset}.csv')


@pytest.mark.slow
def test_validation_chooses_and_test_is_scored_at_it(two_classes: Any) -> None:
  """Every number follows from the two tables."""
  path, summary = two_classes
  assert summary == json.loads((path / 'summary.json').read_text())
  chosen = summary['threshold']
  assert chosen == operating_point.choose(
      _scored(path, 'val'), chosen['positive']
  )
  assert (chosen['positive'], chosen['chosen_on']) == ('nv', 'val')
  point = summary['test']['at_threshold']
  want = operating_point.at(_scored(path, 'test'), chosen['value'], 'nv')
  # Its intervals are by group, which a table does not hold.
  assert {**point, 'intervals': None} == {**want, 'intervals': None}
  # Numbers on the images that chose it would flatter.
  assert 'at_threshold' not in summary['val']


@pytest.mark.slow
def test_evaluate_uses_the_threshold_of_the_run(
    two_classes: Any, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
  """It is part of the classifier: nothing is chosen again."""
  path, summary = two_classes
  assert evaluate.evaluate([path], 'test') == summary['test']
  assert 'nv from a probability of' in capsys.readouterr().out
  assert evaluate.evaluate([path], 'val') == summary['val']
  moved = shutil.copytree(path, tmp_path / 'moved')
  summary = json.loads((moved / 'summary.json').read_text())
  summary['threshold']['value'] = 0.25
  (moved / 'summary.json').write_text(json.dumps(summary))
  again = evaluate.evaluate([moved], 'test')
  assert again['at_threshold']['threshold'] == 0.25
  (moved / 'summary.json').unlink()
  assert 'at_threshold' not in evaluate.evaluate([moved], 'test')
