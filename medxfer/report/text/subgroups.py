"""Scores of subgroups of the test images: by sex, age, site, clinic."""

from collections.abc import Mapping
from typing import Any

from medxfer.report.read import settings as settings_lib
from medxfer.report.read import titles
from medxfer.report.text import tables
from medxfer.runs import subgroups as subgroups_lib


def said(column: settings_lib.Column) -> tuple[str, ...]:
  """Returns which subgroups differ, the largest gap first."""
  return tuple(
      subgroups_lib.sentences(column.first.summary.get(subgroups_lib.KEY))
  )


def table(
    setting: settings_lib.Setting, column: settings_lib.Column, name: str
) -> tables.Table | None:
  """Sets the scores of each subgroup, one row each; None without columns.

  Args:
    setting: the column's.
    column: a classifier; of several seeds the lowest.
    name: stem of the files.
  """
  found = column.first.summary.get(subgroups_lib.KEY)
  if not found or not found['columns']:
    return None
  classes = setting.dataset.class_names
  return tables.Table(
      name,
      f'Subgroups of the test images: {column.title}, '
      f'{titles.dataset_title(setting.dataset)}, {setting.title}',
      (('', 6), ('Sensitivity', len(classes))),
      (
          'Column',
          'Subgroup',
          'Images',
          'Accuracy',
          'Difference to all others',
          'Macro F1',
          *classes,
      ),
      tuple(
          _row(key, one, classes)
          for key, each in found['columns'].items()
          for one in each
      ),
      (
          'Differences have intervals that cover together in 95 % '
          f'(Bonferroni, {found["compared"]} subgroups). Accuracy also differs '
          'where the classes are mixed otherwise; their sensitivities do not '
          'for that reason. The macro F1 is of the classes that one has.',
      ),
  )


def _row(
    key: str, one: Mapping[str, Any], classes: tuple[str, ...]
) -> tuple[tables.Cell, ...]:
  head = (
      tables.words(key),
      tables.words(one['subgroup']),
      tables.figure(one['n'], 0),
  )
  if not one['gap']:
    return (*head, *[tables.figure(None)] * (3 + len(classes)))
  ranges = one['intervals']
  return (
      *head,
      tables.measured(one['accuracy'], ranges['accuracy']),
      tables.measured(**one['gap'], signed=True),
      tables.measured(one['f1_macro'], ranges['f1_macro']),
      *(
          tables.measured(
              one['sensitivity'][label], ranges['sensitivity'][label]
          )
          for label in classes
      ),
  )
