"""What several seeds say together.

Two things vary: the images that are tested on, and the training with its
split. Neither replaces the other. The variance of a mean over s seeds is

    sampled + v (1 / s + r)

with the variance v between the seeds and r test images for each training
image: training sides overlap, so that seeds are more alike than independent
ones (Nadeau and Bengio, 'Inference for the generalization error', Machine
Learning 52(3), 2003). Its degrees of freedom are those of Satterthwaite ('An
approximate distribution of estimates of variance components', Biometrics
Bulletin 2(6), 1946): two seeds whose difference is all that is seen have one,
and t is 12.7. As v holds images that differ between the seeds once more, the
intervals are rather too wide than too narrow.
"""

from collections.abc import Sequence
import itertools
import math
from typing import Any

import numpy as np
from scipy import stats

# One test image for four to train on, as a fifth of all is tested on.
_LEAST_RATIO = 0.25


def combined(
    sampled: float, values: Sequence[float], test_to_train: float
) -> tuple[float, float]:
  """Returns the variance of a mean over seeds and its degrees of freedom.

  Args:
    sampled: the variance that the choice of images gives the mean.
    values: one a seed.
    test_to_train: images to test on by images to train on.

  Returns:
    The variance, and the degrees of freedom; infinite for one seed, whose
    spread is unknown and left out.
  """
  count = len(values)
  between = float(np.var(values, ddof=1)) if count > 1 else 0.0
  spread = between * (1 / count + test_to_train)
  if not spread:
    return sampled, math.inf
  return sampled + spread, (count - 1) * (1 + sampled / spread)**2


def estimate(
    values: Sequence[float],
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
    test_to_train: as for `combined`.
    level: of the intervals.
    bounds: of the metric, which the interval does not leave.

  Returns:
    `value` (the mean), `interval` ([low, high], or None where a seed has
    none), `sd` (over the seeds; None for one) and `seeds`.

  Raises:
    ValueError: no values, or not an interval for each.
  """
  if not values or len(values) != len(intervals):
    raise ValueError(f'{len(values)} values, {len(intervals)} intervals')
  mean = float(np.mean(values))
  answer = {
      'value': mean, 'interval': None, 'seeds': len(values),
      'sd': float(np.std(values, ddof=1)) if len(values) > 1 else None}
  if any(ends is None for ends in intervals):
    return answer
  normal = stats.norm.isf((1 - level) / 2)
  ends = []
  for end, sign in zip(np.mean(intervals, axis=0), (-1, 1)):
    variance, freedom = combined(
        (max(sign * (float(end) - mean), 0.0) / normal)**2, values,
        test_to_train)
    ends.append(mean + sign * _times(level, freedom) * math.sqrt(variance))
  if bounds:
    ends = np.clip(ends, *bounds).tolist()
  return {**answer, 'interval': ends}


def test_to_train(sides: Sequence[Sequence[str]]) -> float:
  """Guesses images to test on by images to train on from the test sides.

  Two random sides that hold a share f of all images have a share f of theirs
  in common. Identical sides (a published split) say nothing of it.

  Args:
    sides: image ids of each seed's test side.

  Returns:
    f / (1 - f), 0.25 to 1.
  """
  sets = [set(side) for side in sides]
  shares = [len(a & b) / min(len(a), len(b))
            for a, b in itertools.combinations(sets, 2) if a != b]
  share = min(float(np.mean(shares)), 0.5) if shares else 0.0
  return max(share / (1 - share), _LEAST_RATIO)


def _times(level: float, freedom: float) -> float:
  if math.isinf(freedom):
    return float(stats.norm.isf((1 - level) / 2))
  return float(stats.t.isf((1 - level) / 2, freedom))
