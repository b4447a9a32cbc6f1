"""Operating points: what a class is told from the rest with."""

from collections.abc import Mapping
from typing import Any

from medxfer.report.read import settings as settings_lib
from medxfer.report.read import titles
from medxfer.report.text import tables
from medxfer.runs import points

_RATES = ('sensitivity', 'specificity', 'ppv', 'npv', 'ppv_there', 'npv_there')


def table(setting: settings_lib.Setting, name: str) -> tables.Table | None:
  """Sets the operating points of all networks; None without any.

  Args:
    setting: its networks, of several seeds the lowest.
    name: stem of the files.
  """
  rows = tuple(
      _row(column.title, point)
      for column in setting.columns
      for point in column.first.summary.get(points.KEY) or ()
  )
  if not rows:
    return None
  return tables.Table(
      name,
      'Operating points, '
      f'{titles.dataset_title(setting.dataset)}, {setting.title}',
      (),
      (
          'Arm',
          'Class',
          'Asked on validation',
          'Threshold',
          'Sensitivity',
          'Specificity',
          'PPV',
          'NPV',
          'PPV at the prevalence',
          'NPV at the prevalence',
          'Prevalence',
      ),
      rows,
      (
          'Thresholds are chosen on validation images, all else is of test '
          'images, lowest seed. PPV and NPV are those of the test images; at '
          'a prevalence they follow from sensitivity and specificity.',
      ),
  )


def _row(title: str, point: Mapping[str, Any]) -> tuple[tables.Cell, ...]:
  ranges = point.get('intervals') or {}
  return (
      tables.words(title),
      tables.words(point['class']),
      tables.words(f'{point["rate"]} {point["at_least"]:g}'),
      tables.figure(point['threshold']),
      *(tables.measured(point.get(rate), ranges.get(rate)) for rate in _RATES),
      tables.figure(point.get('prevalence')),
  )
