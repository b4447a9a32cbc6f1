"""What networks do on images from elsewhere, beside their own test images."""

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from medxfer.external import words
from medxfer.report.read import estimates
from medxfer.report.read import settings as settings_lib
from medxfer.report.read import titles
from medxfer.report.text import sources
from medxfer.report.text import tables

_NOT_TESTED = 'Not tested on images from elsewhere.'


def said(
    column: settings_lib.Column, settings: Iterable[settings_lib.Setting]
) -> tuple[str, tuple[str, ...]]:
  """Returns the verdict, and sentences that explain it.

  Args:
    column: a classifier; of several seeds, the first that was tested counts.
    settings: all of them; where the classifier was not tested elsewhere, its
      twins on sources that were left out speak.
  """
  places = next((run.external for run in column.runs if run.external), ())
  if not places:
    return _on_sources(column, settings), ()
  return ' '.join(map(words.headline, places)), tuple(
      sentence
      for place in places
      for sentence in (*words.explained(place), *words.cautions(place))
  )


def _on_sources(
    column: settings_lib.Column, settings: Iterable[settings_lib.Setting]
) -> str:
  left_out = sources.twins(column, settings)
  if not left_out:
    return _NOT_TESTED
  scores = sorted(
      (one.first.summary['test']['f1_macro'], one.first.spec.data.test_source)
      for one in left_out
  )
  (low, worst), (high, best) = scores[0], scores[-1]
  spread = (
      f'{low:.3f} on {worst}'
      if len(scores) == 1
      else f'{low:.3f} ({worst}) to {high:.3f} ({best})'
  )
  return (
      f'On sources that did not train it, macro F1 is {spread}, against '
      f'{estimates.f1_macro(column).text()} here.'
  )


def table(setting: settings_lib.Setting, name: str) -> tables.Table | None:
  """Sets scores elsewhere beside those of the test images; None without any.

  Args:
    setting: a row for each of its runs and each place.
    name: stem of the files.
  """
  rows = tuple(
      _row(column.title, run.spec.seed, place)
      for column in setting.columns
      for run in column.runs
      for place in run.external
  )
  if not rows:
    return None
  return tables.Table(
      name,
      'External validation, '
      f'{titles.dataset_title(setting.dataset)}, {setting.title}',
      (('', 4), ('AUROC', 3), ('Accuracy', 5), ('Calibration error', 3)),
      (
          'Arm',
          'Seed',
          'Place',
          'Images',
          'here',
          'elsewhere',
          'difference',
          'here',
          'elsewhere',
          'with a threshold chosen there',
          'adjusted to known fractions',
          'adjusted to estimated fractions',
          'here',
          'elsewhere',
          'adjusted to known fractions',
      ),
      rows,
      (
          'Here: the test images of the run. Differences: elsewhere minus '
          'here, of independent images. Thresholds are chosen on other images '
          'of the place. Fractions: of the classes in the place, known from '
          'its labels or estimated without them (Saerens et al., 2002).',
      ),
  )


def _row(
    title: str, seed: int, place: Mapping[str, Any]
) -> tuple[tables.Cell, ...]:
  comparison = place['comparison']
  metrics, adjusted = comparison['metrics'], comparison['adjusted']
  own = comparison['threshold']
  cell = tables.measured
  both = lambda name: [
      cell(**metrics[name][side]) for side in ('here', 'there')
  ]
  changed = lambda name, key: (
      cell(**adjusted[name][key]) if adjusted else tables.figure(None)
  )
  return (
      tables.words(title),
      tables.figure(seed, 0),
      tables.words(place['name']),
      tables.figure(place['n'], 0),
      *both('auroc_macro'),
      cell(**metrics['auroc_macro']['difference'], signed=True),
      *both('accuracy'),
      cell(**own) if own else tables.figure(None),
      changed('known', 'accuracy'),
      changed('estimated', 'accuracy'),
      *both('ece'),
      changed('known', 'ece'),
  )
