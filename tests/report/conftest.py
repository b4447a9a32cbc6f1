"""Workdirs and a report that tests of this room read and never change."""

import pathlib

import pytest

from medxfer.report.page import write
from tests.report import workdirs

SCRIPT = '<script>alert(1)</script>'


@pytest.fixture(scope='session')
def study(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  """A few runs of three data sets, and three that cannot be shown."""
  root = tmp_path_factory.mktemp('study')
  for arm, skill in (('decision_tree', 0.6), ('random', 1.5), ('all', 3.0)):
    workdirs.write(root / 'runs' / f'{arm}-seed0', arm, skill=skill)
  workdirs.write(
      root / 'runs' / 'all-grouped',
      'all',
      skill=2.8,
      modifiers=('cpu', 'grouped'),
  )
  for seed in (0, 1):
    workdirs.write(
        root / 'xray' / f'imagenet-seed{seed}',
        'imagenet',
        seed=seed,
        dataset='chest_xray',
        classes=workdirs.XRAY,
    )
  workdirs.write(
      root / 'mine',
      'head',
      dataset='folder',
      classes=(SCRIPT, 'Größe 日本', 'a|b_$x$&%'),
  )
  (workdirs.write(root / 'unfinished', 'head') / 'summary.json').unlink()
  damaged = workdirs.write(root / 'damaged', 'first_block')
  (damaged / 'summary.json').write_text('{"status":')
  unscored = workdirs.write(root / 'unscored', 'last_block')
  (unscored / 'predictions_test.csv').unlink()
  return root


@pytest.fixture(scope='session')
def page(
    study: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> pathlib.Path:
  """The page of the report on `study`."""
  folder = tmp_path_factory.mktemp('out') / 'report'
  return write.report(study, folder)[0]
