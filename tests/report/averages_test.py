"""Protects the table of averages: the numbers, and when there is one."""

import dataclasses
import pathlib

import numpy as np

from medxfer.evaluation import metrics
from medxfer.evaluation import predictions as predictions_lib
from medxfer.report.read import collect
from medxfer.report.read import settings as settings_lib
from medxfer.report.text import averages
from medxfer.report.text import tables
from tests.report import workdirs


def _setting(root: pathlib.Path) -> settings_lib.Setting:
  [setting] = settings_lib.arrange(collect.collect(root).runs)
  return setting


def test_networks_of_one_test_are_averaged(tmp_path: pathlib.Path) -> None:
  """One row per arm of several seeds; the mean of the probabilities."""
  paths = [
      workdirs.write(tmp_path / f'all{seed}', 'all', seed=seed)
      for seed in range(3)
  ]
  workdirs.write(tmp_path / 'head', 'head')
  found = averages.table(_setting(tmp_path), 'averages')
  assert found is not None
  [row] = found.rows
  tests = [
      predictions_lib.read(path / 'predictions_test.csv') for path in paths
  ]
  each = [metrics.compute(test) for test in tests]
  together = metrics.compute(
      dataclasses.replace(
          tests[0],
          probabilities=np.mean([test.probabilities for test in tests], axis=0),
      )
  )
  assert row[1].values[''] == 3
  for i, key in enumerate(('accuracy', 'f1_macro')):
    one, average, difference = (
        cell.values for cell in row[2 + 3 * i : 5 + 3 * i]
    )
    assert np.isclose(one[''], np.mean([found[key] for found in each]))
    assert np.isclose(average[''], together[key])
    assert np.isclose(difference[''], average[''] - one[''])
    assert difference['low'] < difference[''] < difference['high']


def test_networks_of_different_tests_are_not(tmp_path: pathlib.Path) -> None:
  """An image of one test may have trained another network."""
  workdirs.write(tmp_path / 'all0', 'all')
  path = workdirs.write(tmp_path / 'all1', 'all', seed=1)
  for name in ('predictions_test.csv', 'split.csv'):
    text = (path / name).read_text()
    (path / name).write_text(text.replace('by_image_0000', 'by_image_9999'))
  assert averages.table(_setting(tmp_path), 'averages') is None


def test_networks_of_other_groups_are_not(tmp_path: pathlib.Path) -> None:
  """Another table of groups is another test, and no end of the report."""
  workdirs.write(tmp_path / 'all0', 'all')
  path = workdirs.write(tmp_path / 'all1', 'all', seed=1)
  text = (path / 'split.csv').read_text()
  (path / 'split.csv').write_text(text.replace(',group_1,', ',group_x,'))
  assert averages.table(_setting(tmp_path), 'averages') is None


def test_seeds_of_one_split_are_said_to_be(tmp_path: pathlib.Path) -> None:
  """A drawn split has the seed of its run otherwise."""
  for seed in (0, 1):
    workdirs.write(tmp_path / f'own/{seed}', 'all', seed=seed)
    workdirs.write(
        tmp_path / f'one/{seed}',
        'all',
        seed=seed,
        overrides={'data.split_seed': 0},
    )
  said = lambda name: ' '.join(tables.uncertainty(_setting(tmp_path / name)))
  assert 'each with its own split' in said('own')
  assert '2 seeds, on one split' in said('one')
