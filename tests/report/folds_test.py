"""Protects folds: pooled, each image once; never taken for seeds."""

import pathlib

import numpy as np
import pytest

from medxfer import errors
from medxfer.evaluation import metrics
from medxfer.evaluation import predictions as predictions_lib
from medxfer.report.page import write as page
from medxfer.report.read import collect
from medxfer.report.read import finished_run
from medxfer.report.read import settings as settings_lib
from medxfer.report.text import cautions
from medxfer.runs import folds
from tests.report import workdirs


def _write(root: pathlib.Path, arm: str, fold: int, **what: object) -> None:
  workdirs.write(
      root / f'{arm}-fold{fold}',
      arm,
      modifiers=('cpu', 'grouped'),
      overrides={'data.fold': fold, 'data.folds': 3},
      **what,
  )


def test_all_folds_are_one_run_of_all_images(tmp_path: pathlib.Path) -> None:
  """Its scores are those of the pooled predictions, its spread is said."""
  for arm in ('all', 'last_block'):
    for fold in range(3):
      _write(tmp_path, arm, fold, skill=2.0 + fold)
  runs = collect.collect(tmp_path).runs
  assert [run.name for run in runs] == [
      'all-fold0 and 2 more folds',
      'last_block-fold0 and 2 more folds',
  ]
  for run in runs:
    tables = [
        predictions_lib.read(fold.path / 'predictions_test.csv')
        for fold in run.folds
    ]
    assert len(run.predictions.image_ids) == 3 * 210 == run.summary['n']['test']
    right = np.concatenate([t.predicted == t.labels for t in tables]).mean()
    assert run.summary['test']['accuracy'] == pytest.approx(right)
    again = metrics.compute(run.predictions)
    assert run.summary['test']['f1_macro'] == again['f1_macro']
    assert run.summary['folds']['accuracy'] == [
        float((t.predicted == t.labels).mean()) for t in tables
    ]
    assert len(finished_run.validation(run).image_ids) == 3 * 210
  [setting] = settings_lib.arrange(runs)
  assert [len(column.runs) for column in setting.columns] == [1, 1]
  said = [text for text in cautions.sentences(setting) if '3 folds' in text]
  assert len(said) == 2 and 'SD' in said[0]


def test_a_missing_fold_is_named(tmp_path: pathlib.Path) -> None:
  """The first fold alone is a run like others."""
  _write(tmp_path, 'all', 0)
  _write(tmp_path, 'all', 2)
  collection = collect.collect(tmp_path)
  assert [run.name for run in collection.runs] == ['all-fold0']
  [left_out] = collection.left_out
  assert left_out.name == 'all-fold2'
  assert left_out.reason == 'of 3 folds there is no fold 1'


def test_a_page_shows_folds(tmp_path: pathlib.Path) -> None:
  """From one end to the other."""
  for fold in range(3):
    _write(tmp_path / 'runs', 'all', fold)
    _write(tmp_path / 'runs', 'random', fold, skill=0.5)
  page.report(tmp_path / 'runs', tmp_path / 'report')
  text = (tmp_path / 'report' / 'index.html').read_text()
  assert '3 folds; every image was scored once' in text


def test_what_is_of_two_splits_is_not_pooled() -> None:
  """An image that tests twice."""
  scored = predictions_lib.Predictions(
      ('a', 'b'), np.array([0, 1]), np.eye(2), ('x', 'y')
  )
  with pytest.raises(errors.DataError, match='two folds'):
    folds.pooled([scored, scored])
