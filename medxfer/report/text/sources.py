"""Every source left out: how networks do on clinics that did not train them."""

from collections.abc import Iterable
import dataclasses

from medxfer.data import source_splits
from medxfer.report.read import estimates
from medxfer.report.read import finished_run
from medxfer.report.read import settings as settings_lib
from medxfer.report.read import titles
from medxfer.report.text import tables

# Splits of all images to compare with, the most honest first.
_OTHERS = ('grouped', 'by_image')
_METRICS = {
    'Accuracy': 'accuracy',
    'Macro F1': 'f1_macro',
    'AUROC': 'auroc_macro',
    'ECE': 'ece',
}


def table(
    settings: Iterable[settings_lib.Setting], name: str
) -> tables.Table | None:
  """Sets each source that was left out beside a split of all; None without.

  Args:
    settings: all of them.
    name: stem of the files.
  """
  alike: dict[tuple, list[settings_lib.Column]] = {}
  for setting in settings:
    for column in setting.columns:
      alike.setdefault(_but_for_the_split(column.first), []).append(column)
  rows = [row for columns in alike.values() for row in _rows(columns)]
  if not rows:
    return None
  return tables.Table(
      name,
      'Sources left out: each was tested on by networks that learned from the '
      'others',
      (),
      ('Arm', 'Data', 'Tested on', 'Images', *_METRICS),
      tuple(rows),
      (
          'The rows test on different images, and sources may lack classes: '
          'the macro F1 is of those that are there.',
      ),
  )


def twins(
    column: settings_lib.Column, settings: Iterable[settings_lib.Setting]
) -> list[settings_lib.Column]:
  """Returns the columns of one recipe that were tested on a left out source.

  Args:
    column: of that recipe, with another split.
    settings: all of them.
  """
  wanted = _but_for_the_split(column.first)
  return [
      other
      for setting in settings
      for other in setting.columns
      if other.first.spec.data.split == source_splits.KIND
      and other is not column
      and _but_for_the_split(other.first) == wanted
  ]


def _rows(columns: list[settings_lib.Column]) -> list[tuple[tables.Cell, ...]]:
  split = lambda column: column.first.spec.data.split
  sources = [c for c in columns if split(c) == source_splits.KIND]
  if not sources:
    return []
  sources.sort(key=lambda column: column.first.spec.data.test_source)
  others = [c for kind in _OTHERS for c in columns if split(c) == kind]
  return [_row(column) for column in (*sources, *others[:1])]


def _row(column: settings_lib.Column) -> tuple[tables.Cell, ...]:
  run = column.first
  source = run.spec.data.test_source
  return (
      tables.words(column.title),
      tables.words(titles.dataset_title(run.dataset)),
      tables.words(source or titles.split_title(run.dataset, run.split)),
      tables.figure(len(run.predictions.image_ids), 0),
      *(
          tables.spread(estimates.estimate(column, key))
          for key in _METRICS.values()
      ),
  )


def _but_for_the_split(run: finished_run.Run) -> tuple:
  identity = run.identity
  data = dataclasses.replace(
      identity.data, split=source_splits.KIND, test_source='', fold=0
  )
  return run.dataset, dataclasses.replace(identity, data=data)
