"""One split in numbers: for `summary.json`, and for the terminal."""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from medxfer import errors
from medxfer.evaluation import calibration
from medxfer.evaluation import intervals
from medxfer.evaluation import metrics
from medxfer.evaluation import one_vs_rest
from medxfer.evaluation import operating_point
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import resampling

_LEVEL = 0.95
_NAME_WIDTH = 30
_FEW = 10  # Images of a class; with fewer its numbers say little.
_OVERALL = (
    ('accuracy', 'accuracy (micro F1)'),
    ('f1_macro', 'macro F1'),
    ('balanced_accuracy', 'balanced accuracy'),
    ('auroc_macro', 'macro AUROC'),
    ('ece', 'expected calibration error'),
    ('ece_debiased', 'same, less what chance adds'),
    ('brier', 'Brier score'),
)
_AT_THRESHOLD = (
    ('accuracy', 'accuracy'),
    ('f1_macro', 'macro F1'),
    ('sensitivity', 'sensitivity'),
    ('specificity', 'specificity'),
)


def split_summary(
    predictions: predictions_lib.Predictions,
    *,
    resamples: int = 1000,
    seed: int = 0,
    threshold: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
  """All numbers of one subset, ready for JSON.

  Args:
    predictions: n > 0 scored images; with groups, the intervals are by
      group.
    resamples: draws for the interval of the calibration error.
    seed: of the draws.
    threshold: of two classes, chosen on other images, as
    `operating_point.choose`
      returns it; or None.

  Returns:
    The keys of `metrics.compute`, and `ece`, `ece_debiased`, `brier`,
    `per_class` (as `one_vs_rest.measures` returns it), `intervals` (as
    `intervals.compute` returns them), `level`, `resamples`, `resampled_by`
    ('group' or 'image': what the intervals take for independent), `n` and
    `class_names`; with a threshold also `at_threshold`, as `operating_point.at`
    returns it. What is undefined is None, never NaN.

  Raises:
    errors.DataError: a probability is not finite.
    ValueError: there are no images or no resamples, or there is a threshold
      but there are not two classes.
  """
  finite = np.isfinite(predictions.probabilities).all(axis=1)
  if not finite.all():
    raise errors.DataError(
        f'image {predictions.image_ids[finite.argmin()]!r}: its probabilities'
        ' are not finite, the training diverged; lower the learning rate'
    )
  ranges = intervals.compute(
      predictions, resamples=resamples, level=_LEVEL, seed=seed
  )
  summary = {
      'n': len(predictions.image_ids),
      'class_names': list(predictions.class_names),
      **metrics.compute(predictions),
      'ece': calibration.expected_calibration_error(predictions),
      'ece_debiased': calibration.debiased_error(predictions),
      'brier': calibration.brier_score(predictions),
      'per_class': one_vs_rest.measures(predictions, ranges),
      'intervals': ranges,
      'level': _LEVEL,
      'resamples': resamples,
      'resampled_by': resampling.unit_name(predictions),
  }
  if threshold is not None:
    summary['at_threshold'] = operating_point.at(
        predictions, threshold['value'], threshold['positive']
    )
  return summary


def table(summary: Mapping[str, Any]) -> str:
  """Sets a summary as plain text.

  Args:
    summary: as `split_summary` returns it, or as JSON gives it back.

  Returns:
    Lines of at most 80 columns, without a line end after the last: one a
    class (marked if it has few images), then the overall metrics, those at
    a threshold if there is one, then what the intervals are by.
  """
  ranges = summary['intervals']
  level = f'{100 * summary["level"]:g} % interval'
  overall = [row for row in _OVERALL if row[0] in summary]
  titles = [title for _, title in overall]
  names = [_short(name) for name in summary['class_names']]
  width = max(map(len, titles + names))
  recalls = summary.get('recall_per_class', {})
  lines = [
      f'{"class":<{width}}  {"F1":>6}  {level:<15}  {"recall":>6}'
      f'  {"images":>7}'
  ]
  for name in summary['class_names']:
    images = summary['support'][name]
    lines.append(
        f'{_short(name):<{width}}  {_number(summary["f1_per_class"][name])}'
        f'  {_range(ranges["f1_per_class"][name]):<15}'
        f'  {_number(recalls.get(name))}  {images:>7,}'
        + (' !' if images < _FEW else '')
    )
  if min(summary['support'].values()) < _FEW:
    lines.append(f'! Fewer than {_FEW} images: too few to tell how good it is.')
  lines += ['', *_rows(summary, overall, width), '']
  if 'at_threshold' in summary:
    point = summary['at_threshold']
    lines += [
        f'{_short(point["positive"])} from a probability of'
        f' {point["threshold"]:.4g} on:',
        *_rows(point, _AT_THRESHOLD, width),
        '',
    ]
  undefined = len(summary['auroc_undefined'])
  if undefined:
    lines.append(f'AUROC is undefined for {undefined} of the classes.')
  lines.append(
      f'{summary["n"]:,} images; {level}s by {summary["resampled_by"]}'
  )
  return '\n'.join(lines)


def _rows(
    summary: Mapping[str, Any], titles: Sequence[tuple[str, str]], width: int
) -> Iterator[str]:
  ranges = summary['intervals']
  for key, title in titles:
    shown = _range(ranges[key]) if key in ranges else ''
    yield f'{title:<{width}}  {_number(summary[key])}  {shown}'.rstrip()


def _short(name: str) -> str:
  """One printable line of at most `_NAME_WIDTH` characters."""
  name = ''.join(c if c.isprintable() else '?' for c in name)
  return name if len(name) <= _NAME_WIDTH else name[: _NAME_WIDTH - 1] + '…'


def _number(value: float | None) -> str:
  return f'{"-" if value is None else format(value, ".4f"):>6}'


def _range(interval: list[float] | None) -> str:
  if interval is None:
    return '-'
  low, high = interval
  return f'{low:.4f}-{high:.4f}'
