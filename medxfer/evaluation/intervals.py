"""Percentile bootstrap intervals of the metrics.

Efron and Tibshirani, 'An introduction to the bootstrap' (1993), chapter 13.
Images of one lesion or patient are not independent; with groups, whole groups
are drawn (the cluster bootstrap: Field and Welsh, 'Bootstrapping clustered
data', J. R. Statist. Soc. B 69(3), 2007).
"""

from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import numpy as np

from medxfer.evaluation import metrics
from medxfer.evaluation import predictions as predictions_lib

# Counts held at a time: 32 MiB of float64.
_CHUNK_VALUES = 2**22

Interval = list[float] | None
# How often each image is drawn, [b, n] -> name -> [b] or [b, k].
Statistics = Callable[[np.ndarray], dict[str, np.ndarray]]


def bootstrap(
    predictions: predictions_lib.Predictions,
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Any]:
  """Returns an interval for each metric.

  Each replicate has the same definitions as the point metric: a class that
  was not drawn counts 0 in the macro F1 where it was not predicted either,
  and is left out of the macro AUROC. Intervals of classes with a handful of
  images are therefore wide, and should be.

  Args:
    predictions: n scored images; drawn by group if they have groups.
    resamples: replicates.
    level: share of the replicates between the two ends.
    seed: of the PCG64 generator; the same seed gives the same intervals.

  Returns:
    `accuracy`, `f1_micro`, `f1_macro`, `balanced_accuracy`, `auroc_macro`:
    [low, high]; `f1_per_class`: {class: [low, high]}. None instead of an
    interval where nothing is known: an undefined metric, or a single group
    (or image) to draw from.

  Raises:
    ValueError: there are no images, no resamples, or the level is not
      between 0 and 1.
  """
  return percentiles(
      predictions, lambda counts: _replicates(predictions, counts),
      resamples=resamples, level=level, seed=seed,
  )


def percentiles(
    predictions: predictions_lib.Predictions,
    statistics: Statistics,
    *,
    resamples: int,
    level: float,
    seed: int,
) -> dict[str, Any]:
  """Returns an interval for each statistic of the drawn images.

  Args:
    predictions: n scored images; drawn by group if they have groups.
    statistics: counts [b, n] -> name -> [b], or [b, k] for k classes.
    resamples: replicates.
    level: share of the replicates between the two ends.
    seed: of the PCG64 generator; the same seed draws the same images.

  Returns:
    name -> [low, high], or {class: [low, high]}; None as in `bootstrap`.

  Raises:
    ValueError: as `bootstrap`.
  """
  if not predictions.image_ids or resamples < 1 or not 0 < level < 1:
    raise ValueError(
        'the bootstrap needs an image, a resample and 0 < level < 1, not'
        f' {len(predictions.image_ids)}, {resamples} and {level}'
    )
  blocks = [
      statistics(counts)
      for counts in resampled_counts(
          predictions, resamples=resamples, seed=seed
      )
  ]
  single = units(predictions).max() == 0
  tails = ((1 - level) / 2, (1 + level) / 2)
  answer: dict[str, Any] = {}
  for name in blocks[0]:
    values = np.concatenate([block[name] for block in blocks])
    if values.ndim == 1:
      answer[name] = _interval(values, tails, single)
    else:
      answer[name] = {
          label: _interval(column, tails, single)
          for label, column in zip(predictions.class_names, values.T)
      }
  return answer


def units(predictions: predictions_lib.Predictions) -> np.ndarray:
  """Returns what is drawn together: int [n], group (or image) numbers."""
  if not predictions.groups:
    return np.arange(len(predictions.image_ids))
  return np.unique(np.array(predictions.groups), return_inverse=True)[1]


def resampled_counts(
    predictions: predictions_lib.Predictions, *, resamples: int, seed: int
) -> Iterator[np.ndarray]:
  """Yields how often each image is drawn in each replicate.

  As many units as there are, with replacement; every image of a unit has
  the unit's count.

  Args:
    predictions: n scored images.
    resamples: replicates in all.
    seed: of the PCG64 generator.

  Yields:
    float64 [b, n], the b together `resamples`.
  """
  generator = np.random.Generator(np.random.PCG64(seed))
  unit = units(predictions)
  total = int(unit.max()) + 1
  step = max(1, _CHUNK_VALUES // unit.size)
  for start in range(0, resamples, step):
    rows = min(step, resamples - start)
    drawn = generator.integers(0, total, size=(rows, total))
    drawn += np.arange(rows)[:, np.newaxis] * total
    counts = np.bincount(drawn.ravel(), minlength=rows * total)
    yield counts.reshape(rows, total).astype(np.float64)[:, unit]


def _replicates(
    predictions: predictions_lib.Predictions, counts: np.ndarray
) -> dict[str, np.ndarray]:
  """Metrics [b] or [b, k] of counts [b, n]."""
  table = metrics.confusion(
      predictions.labels,
      predictions.predicted,
      len(predictions.class_names),
      counts,
  )
  areas = metrics.auroc_per_class(
      predictions.labels, predictions.probabilities, counts
  )
  f1 = metrics.f1_per_class(table)
  accuracy = metrics.accuracy(table)
  return {
      'accuracy': accuracy,
      'f1_micro': accuracy,
      'f1_macro': f1.mean(axis=-1),
      'f1_per_class': f1,
      'balanced_accuracy': metrics.balanced_accuracy(table),
      'auroc_macro': metrics.mean_of_defined(areas),
  }


def _interval(
    values: np.ndarray, tails: tuple[float, float], single: bool
) -> Interval:
  values = values[~np.isnan(values)]
  # One unit gives the same replicate every time: no width is not certainty.
  if single or not values.size:
    return None
  return np.quantile(values, tails).tolist()
