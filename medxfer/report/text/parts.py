"""Scores of parts of the test images: by sex, age, site, clinic."""

from collections.abc import Mapping
from typing import Any

from medxfer.report.read import settings as settings_lib
from medxfer.report.read import titles
from medxfer.report.text import tables
from medxfer.runs import subgroups


def said(column: settings_lib.Column) -> tuple[str, ...]:
  """Returns which parts differ, the largest gap first."""
  return tuple(subgroups.sentences(column.first.summary.get(subgroups.KEY)))


def table(
    setting: settings_lib.Setting, column: settings_lib.Column, name: str
) -> tables.Table | None:
  """Sets the scores of each part, one row each; None without columns.

  Args:
    setting: the column's.
    column: a classifier; of several seeds the lowest.
    name: stem of the files.
  """
  found = column.first.summary.get(subgroups.KEY)
  if not found or not found['columns']:
    return None
  classes = setting.dataset.class_names
  return tables.Table(
      name,
      f'Parts of the test images: {column.title}, '
      f'{titles.dataset_title(setting.dataset)}, {setting.title}',
      (('', 6), ('Sensitivity', len(classes))),
      (
          'Column',
          'Part',
          'Images',
          'Accuracy',
          'Difference to all others',
          'Macro F1',
          *classes,
      ),
      tuple(
          _row(key, part, classes)
          for key, each in found['columns'].items()
          for part in each
      ),
      (
          'Differences have intervals that cover together in 95 % '
          f'(Bonferroni, {found["compared"]} parts). Accuracy also differs '
          'where the classes are mixed otherwise; their sensitivities do not '
          'for that reason. The macro F1 is of the classes that a part has.',
      ),
  )


def _row(
    key: str, part: Mapping[str, Any], classes: tuple[str, ...]
) -> tuple[tables.Cell, ...]:
  head = (
      tables.words(key),
      tables.words(part['part']),
      tables.figure(part['n'], 0),
  )
  if not part['gap']:
    return (*head, *[tables.figure(None)] * (3 + len(classes)))
  ranges = part['intervals']
  return (
      *head,
      tables.measured(part['accuracy'], ranges['accuracy']),
      tables.measured(part['gap']['value'], part['gap']['interval']),
      tables.measured(part['f1_macro'], ranges['f1_macro']),
      *(
          tables.measured(
              part['sensitivity'][label], ranges['sensitivity'][label]
          )
          for label in classes
      ),
  )
