"""The tables beside chapter 7: more measures, pairs, leakage, pixels, runs."""

from collections.abc import Iterable
from collections.abc import Mapping
import itertools
from typing import Any

from medxfer.report.read import estimates
from medxfer.report.read import finished_run
from medxfer.report.read import recipes
from medxfer.report.read import settings as settings_lib
from medxfer.report.read import titles
from medxfer.report.stats import contrasts
from medxfer.report.stats import matched_pairs
from medxfer.report.stats import pairs as pairs_lib
from medxfer.report.text import certainty
from medxfer.report.text import leaks
from medxfer.report.text import positive_class
from medxfer.report.text import tables

_SMALLEST_P = 0.001
_F1 = ('Macro F1, difference', 'p', 'p, Holm')
_P = (
    'p: how likely so large a difference of macro F1 is by chance. Holm '
    'corrects it for the number of pairs in this table; the page calls a '
    'difference clear only where that is below .05. –: no conclusion is '
    'drawn from one of the two.'
)


def _of_threshold(run: finished_run.Run) -> list[str]:
  return [
      'Threshold: on the probability of '
      f'{positive_class.of(run)}, chosen on validation images '
      '(largest sensitivity + specificity); what follows it is the test '
      'subset at that threshold, lowest seed. All other numbers are at 0.5.',
      *positive_class.why(run),
  ]


def _uncalibrated(column: settings_lib.Column) -> tables.Cell:
  if not certainty.fitted(column.first):
    return tables.figure(None)
  before = column.first.summary['calibration']['before']['test']
  return tables.measured(before['ece'], before['ece_interval'])


def measures(setting: settings_lib.Setting, name: str) -> tables.Table:
  """Arranges measures other than F1, one row per arm.

  With two classes, beside it: the threshold that validation chose, and what
  the test subset scores there.
  """
  keys = {
      'Accuracy': ('accuracy',),
      'Macro F1': ('f1_macro',),
      'Balanced accuracy': ('balanced_accuracy',),
      'AUROC': ('auroc_macro',),
      'ECE': ('ece',),
  }
  if all('ece_debiased' in _test(column) for column in setting.columns):
    keys['ECE, debiased'] = ('ece_debiased',)
  mended = [c for c in setting.columns if certainty.fitted(c.first)]
  chosen = [c for c in setting.columns if _test(c).get('at_threshold')]
  extra = ('Threshold', 'Macro F1 at threshold', 'Sensitivity', 'Specificity')
  rows = []
  for column in setting.columns:
    row = [tables.words(column.title)]
    row += [
        tables.spread(estimates.estimate(column, *path))
        for path in keys.values()
    ]
    if mended:
      row.append(_uncalibrated(column))
    rows.append(tuple(row + (_at_threshold(column) if chosen else [])))
  notes = [
      *tables.uncertainty(setting),
      'AUROC: mean over the classes, each against the rest. ECE: expected '
      'calibration error in 15 bins, too high by chance where images are '
      'few; debiased: without what chance adds.',
  ]
  if mended:
    notes.append(
        'Uncalibrated: before the probabilities were corrected on validation '
        'images, lowest seed.'
    )
  if chosen:
    notes += _of_threshold(chosen[0].first)
  return tables.Table(
      name,
      f'Measures on {titles.dataset_title(setting.dataset)}, '
      f'{setting.title}',
      (),
      (
          'Arm',
          *keys,
          *(('ECE, uncalibrated',) if mended else ()),
          *(extra if chosen else ()),
      ),
      tuple(rows),
      tuple(notes),
  )


def pairs(setting: settings_lib.Setting, name: str) -> tables.Table | None:
  """Compares every two networks on the same test images; None if one."""
  # Random weights last: what another start brings is then above zero.
  networks = sorted(setting.networks, key=lambda column: column.arm == 'random')
  rows = []
  for a, b in itertools.combinations(networks, 2):
    contrast = pairs_lib.between(a, b, setting.networks)
    rows.append(
        (
            tables.words(f'{a.title} − {b.title}'),
            tables.spread(contrast.accuracy, signed=True),
            *_f1(contrast),
        )
    )
  if not rows:
    return None
  return tables.Table(
      name,
      'Pairs of networks on '
      f'{titles.dataset_title(setting.dataset)}, {setting.title}',
      (),
      ('First − second', 'Accuracy', *_F1),
      tuple(rows),
      (
          'In brackets: 95 % intervals of the difference, the same test images '
          'drawn for both, by group; of several seeds their differences, seed '
          'by seed, are averaged.',
          _P,
      ),
  )


def leakage(
    settings: Iterable[settings_lib.Setting], name: str
) -> tables.Table | None:
  """Compares each arm with its twin on another split; None without one."""
  rows = []
  for a, b, contrast in pairs_lib.of_twins(
      list(matched_pairs.by_split(settings))
  ):
    rows.append(
        (
            tables.words(a.column.title),
            tables.words(_where(a)),
            tables.words(
                titles.split_title(b.setting.dataset, b.setting.split)
            ),
            tables.spread(estimates.estimate(a.column, 'f1_macro')),
            tables.spread(estimates.estimate(b.column, 'f1_macro')),
            *_f1(contrast),
            tables.spread(contrast.accuracy, signed=True),
            _share(a.column),
            _share(b.column),
            _copies(a.column),
            _copies(b.column),
        )
    )
  if not rows:
    return None
  return tables.Table(
      name,
      'What leakage adds: the same arm split by image and otherwise',
      (),
      (
          'Arm',
          'Data and recipe',
          'Other split',
          'Macro F1, by image',
          'Macro F1, other split',
          *_F1,
          'Accuracy, difference',
          'Leaked, by image',
          'Leaked, other split',
          'Copies, by image',
          'Copies, other split',
      ),
      tuple(rows),
      (
          'Leaked: test images whose lesion or patient also is in train; '
          'copies: those with a copy in train, – where nobody looked. Of '
          'several seeds, the worst.',
          'The two splits test on different images. Intervals of a difference '
          'are those of independent estimates. They leave out that the '
          'network of the other split was trained anew, and are too short for '
          'that.',
          _P,
      ),
  )


def pixels(
    settings: Iterable[settings_lib.Setting], name: str
) -> tables.Table | None:
  """Compares runs that differ in the preprocessing alone; None without."""
  rows = []
  found = list(matched_pairs.by_preprocessing(settings))
  for a, b, contrast in pairs_lib.of_twins(found):
    split = titles.split_title(a.setting.dataset, a.setting.split)
    rows.append(
        (
            tables.words(a.column.title),
            tables.words(f'{_where(a)}, {split}'),
            tables.spread(estimates.estimate(a.column, 'f1_macro')),
            tables.spread(estimates.estimate(b.column, 'f1_macro')),
            *_f1(contrast),
            tables.spread(contrast.accuracy, signed=True),
        )
    )
  if not rows:
    return None
  return tables.Table(
      name,
      'What [-1, 1] pixels cost: the same arm with the preprocessing of '
      'the thesis and with that of the weights (caffe)',
      (),
      (
          'Arm',
          'Data and recipe',
          'Macro F1, [-1, 1]',
          'Macro F1, caffe',
          *_F1,
          'Accuracy, difference',
      ),
      tuple(rows),
      ('Difference: [-1, 1] minus caffe, on the same test images.', _P),
  )


def _where(place: matched_pairs.Place) -> str:
  height, width = place.column.first.spec.data.image_size
  parts = [titles.dataset_title(place.setting.dataset)]
  if not place.column.first.is_baseline:
    parts += [place.setting.network] if place.setting.network else []
    parts.append(recipes.title(place.setting.recipe))
  return ', '.join([*parts, f'{height}×{width}'])


def _test(column: settings_lib.Column) -> Mapping[str, Any]:
  return column.first.summary['test']


def _at_threshold(column: settings_lib.Column) -> list[tables.Cell]:
  point = _test(column).get('at_threshold') or {}
  ranges = point.get('intervals') or {}
  threshold = point.get('threshold')
  # Rounded to three digits, that of a network which is too sure would be 0.
  text = None if threshold is None else f'{threshold:.4g}'
  return [
      tables.figure(threshold, text=text),
      *(
          tables.spread(
              estimates.over_seeds([point.get(key)], [ranges.get(key)])
          )
          for key in ('f1_macro', 'sensitivity', 'specificity')
      ),
  ]


def _share(column: settings_lib.Column) -> tables.Cell:
  share = leaks.worst(column.runs).share
  text = None if share is None else f'{100 * share:.1f} %'
  return tables.figure(share, text=text)


def _copies(column: settings_lib.Column) -> tables.Cell:
  leak = leaks.worst(column.runs)
  if leak.copies is None and not leak.duplicates:
    return tables.figure(None)
  return tables.figure(leak.known_copies, 0)


def _f1(contrast: contrasts.Contrast) -> tuple[tables.Cell, ...]:
  """Returns the cells of the columns `_F1`."""
  return (
      tables.spread(contrast.f1_macro, signed=True),
      _p_value(contrast.p_value),
      _p_value(contrast.adjusted),
  )


def _p_value(value: float | None) -> tables.Cell:
  small = value is not None and value < _SMALLEST_P
  return tables.figure(value, text=f'< {_SMALLEST_P}' if small else None)
