"""A metric over several seeds, with an interval.

Two things vary: the images that are tested on, and the training with its
split. Neither replaces the other. The interval of a mean over s seeds is as
wide on each side as

    sqrt(z^2 sampled + t^2 v (1 / s + r))

with the variance v between the seeds, of s - 1 degrees of freedom, and r test
images for each training image: training subsets overlap, so that seeds are more
alike than independent ones (Nadeau and Bengio, 'Inference for the
generalization error', Machine Learning 52(3), 2003). Each part keeps its own
quantile (Graybill and Wang, 'Confidence intervals on nonnegative linear
combinations of variances', JASA 75(372), 1980): with the one t of a pooled
variance two equal classifiers are told apart too often, up to one time in
eight with two seeds. As v holds the images that differ between the seeds once
more, an interval is rather too wide than too narrow. With two seeds, t is
12.7: two trainings hardly tell how far trainings differ.
"""

from collections.abc import Sequence
import itertools
import math
from typing import Any

import numpy as np
from scipy import special

# One test image for four to train on, as a fifth of all is tested on.
_LEAST_RATIO = 0.25
_SMALLEST = 15  # Digits of the smallest p-value.
_HALVINGS = 40


def half_width(
    sampled: float,
    values: Sequence[float] | np.ndarray,
    test_to_train: float,
    level: float,
) -> float:
  """Returns how far an interval of a mean over seeds reaches to one side.

  Args:
    sampled: the variance that the choice of images gives the mean.
    values: one per seed; the spread of a single one is unknown and left out.
    test_to_train: images to test on by images to train on.
    level: of the interval.
  """
  tail, count = (1 - level) / 2, len(values)
  squared = special.ndtri(tail) ** 2 * sampled
  if count > 1:
    spread = float(np.var(values, ddof=1)) * (1 / count + test_to_train)
    squared += special.stdtrit(count - 1, tail) ** 2 * spread
  return math.sqrt(squared)


def p_value(
    sampled: float, values: Sequence[float] | np.ndarray, test_to_train: float
) -> float:
  """Returns the two-sided p-value of a mean of zero.

  One less the level whose interval just holds zero.

  Args:
    sampled: as for `half_width`, above 0.
    values: as there.
    test_to_train: as there.
  """
  away = abs(float(np.mean(values)))
  low, high = -_SMALLEST, 0.0  # Of the logarithm to base ten.
  for _ in range(_HALVINGS):
    middle = (low + high) / 2
    if half_width(sampled, values, test_to_train, 1 - 10**middle) > away:
      low = middle
    else:
      high = middle
  return 10**high


def estimate(
    values: Sequence[float] | np.ndarray,
    intervals: Sequence[Sequence[float] | None],
    *,
    test_to_train: float = _LEAST_RATIO,
    level: float = 0.95,
    bounds: tuple[float, float] | None = (0.0, 1.0),
) -> dict[str, Any]:
  """Returns a metric over seeds with an interval.

  The ends of the seeds' own intervals give what the images sample: their mean
  distance from the values, as if all seeds were tested on the same images. It
  may differ below and above (Zou and Donner, 'Construction of confidence
  limits about effect measures', Statistics in Medicine 27(10), 2008).

  Args:
    values: of each seed.
    intervals: of each seed, at the same level.
    test_to_train: as for `half_width`.
    level: of the intervals.
    bounds: of the metric, which the interval does not leave.

  Returns:
    `value` (the mean), `interval` ([low, high], or None where a seed has
    none), `sd` (over the seeds; None for one) and `seeds`.

  Raises:
    ValueError: no values, or not an interval for each.
  """
  if not len(values) or len(values) != len(intervals):
    raise ValueError(f'{len(values)} values, {len(intervals)} intervals')
  mean = float(np.mean(values))
  answer = {
      'value': mean,
      'interval': None,
      'seeds': len(values),
      'sd': float(np.std(values, ddof=1)) if len(values) > 1 else None,
  }
  known = [ends for ends in intervals if ends is not None]
  if len(known) < len(intervals):
    return answer
  ends = []
  for end, sign in zip(np.mean(known, axis=0), (-1, 1)):
    own = max(sign * (float(end) - mean), 0.0) / special.ndtri((1 + level) / 2)
    ends.append(mean + sign * half_width(own**2, values, test_to_train, level))
  if bounds:
    ends = np.clip(ends, *bounds).tolist()
  return {**answer, 'interval': ends}


def test_to_train(subsets: Sequence[Sequence[str]]) -> float:
  """Guesses images to test on by images to train on from the test subsets.

  Two random subsets that hold a fraction f of all images have a fraction f of
  theirs in common. Identical subsets (a published split) say nothing of it.

  Args:
    subsets: image ids of each seed's test subset.

  Returns:
    f / (1 - f), 0.25 to 1.
  """
  sets = [set(subset) for subset in subsets]
  fractions = [
      len(a & b) / min(len(a), len(b))
      for a, b in itertools.combinations(sets, 2)
      if a != b
  ]
  fraction = min(float(np.mean(fractions)), 0.5) if fractions else 0.0
  return max(fraction / (1 - fraction), _LEAST_RATIO)
