"""The positive class of a run, and what each class' predictions are worth."""

from collections.abc import Iterable

from medxfer.report.read import estimates
from medxfer.report.read import finished_run
from medxfer.report.read import settings as settings_lib
from medxfer.report.read import titles
from medxfer.report.text import tables

_RATES = {
    'sensitivity': 'Sensitivity',
    'specificity': 'Specificity',
    'ppv': 'PPV',
    'npv': 'NPV',
}


def of(run: finished_run.Run) -> str | None:
  """Returns the positive one of two classes; None of any other number."""
  names = run.dataset.class_names
  if len(names) != 2:
    return None
  for key in ('positive', 'threshold'):
    found = run.summary.get(key)
    if found:
      return found['class' if key == 'positive' else 'positive']
  return names[-1]  # As versions did that did not say.


def why(run: finished_run.Run) -> Iterable[str]:
  """Yields which class is positive, and why, if the run says so."""
  found = run.summary.get('positive')
  if found and of(run):
    yield f'Positive class: {found["class"]} ({found["why"]}).'


def table(
    setting: settings_lib.Setting, column: settings_lib.Column, name: str
) -> tables.Table | None:
  """Arranges what the predictions of each class are worth, one row per class.

  Args:
    setting: the column's.
    column: a classifier.
    name: stem of the files.

  Returns:
    Sensitivity, specificity and predictive values of each class against the
    rest; None if a run is older than these numbers.
  """
  if not all(run.summary['test'].get('per_class') for run in column.runs):
    return None
  rows = []
  for label in setting.dataset.class_names:
    test = sum(run.images[label]['test'] for run in column.runs)
    few = (tables.images(column.few[label]),) if label in column.few else ()
    rows.append(
        (
            tables.words(label),
            tables.figure(test / len(column.runs), 0),
            *(_with(few, _rate(column, label, key)) for key in _RATES),
        )
    )
  return tables.Table(
      name,
      f'What the predictions of each class are worth: {column.title}, '
      f'{titles.dataset_title(setting.dataset)}, {setting.title}',
      (),
      ('Class', 'Test images', *_RATES.values()),
      tuple(rows),
      (
          'Each class against the rest. Sensitivity: of the images of the '
          'class, those that are found. Specificity: of the other images, '
          'those that are not taken for it. PPV: of the images that are taken '
          'for the class, those that are of it. NPV: of those that are not '
          'taken for it, those that are of another. PPV and NPV hold where the '
          'classes are as frequent as among these test images.',
          *why(column.first),
      ),
  )


def _rate(
    column: settings_lib.Column, label: str, key: str
) -> estimates.Estimate | None:
  found = [run.summary['test']['per_class'][label] for run in column.runs]
  return estimates.over_seeds(
      [one.get(key) for one in found],
      [(one.get('intervals') or {}).get(key) for one in found],
  )


def _with(
    few: tuple[str, ...], estimate: estimates.Estimate | None
) -> tables.Cell:
  cell = tables.spread(estimate)
  return tables.Cell(cell.text, (*cell.under, *few), cell.values)
