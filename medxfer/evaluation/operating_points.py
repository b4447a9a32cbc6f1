"""Operating points: a class against the rest, at a sensitivity or specificity.

Thresholds are chosen on validation images: of those that reach what is asked
there, the one with the best other rate. What they come to is told on test
images. Predictive values depend on how common a class is; those at another
prevalence follow from the likelihood ratios (Altman and Bland, 'Diagnostic
tests 2: predictive values', BMJ 309, 1994), whose intervals combine those of
sensitivity and specificity on the scale of logarithms (Zou and Donner,
Statistics in Medicine 27(10), 2008).
"""

from collections.abc import Mapping
from collections.abc import Sequence
import math
from typing import Any

import numpy as np

from medxfer.evaluation import intervals
from medxfer.evaluation import predictions as predictions_lib

RATES = ('sensitivity', 'specificity')
MEASURES = (*RATES, 'ppv', 'npv')
_LEVEL = 0.95
_ROUNDING = 1e-9
_LEAST = 1e-12


def threshold(
    predictions: predictions_lib.Predictions, k: int, rate: str, least: float
) -> float | None:
  """Returns the threshold of an operating point.

  Args:
    predictions: scored validation images.
    k: the class that is told from the rest.
    rate: 'sensitivity' or 'specificity'.
    least: what it is to be at least, above 0 and below 1.

  Returns:
    Images are positive whose probability of the class is at least this; the
    middle between two neighbouring scores. None if there are no images of the
    class or of others, or if it cannot be reached with any image found, or
    any other left alone.
  """
  positive = predictions.labels == k
  scores = predictions.probabilities[:, k]
  if positive.all() or not positive.any():
    return None
  values = np.unique(scores)
  candidates = (values[:-1] + values[1:]) / 2
  if not candidates.size:
    return None
  found = (scores[positive, np.newaxis] >= candidates).mean(axis=0)
  left = (scores[~positive, np.newaxis] < candidates).mean(axis=0)
  asked, other = (found, left) if rate == RATES[0] else (left, found)
  reached = (asked >= least - _ROUNDING) & (other > 0)
  if not reached.any():
    return None
  best = np.flatnonzero(reached & (other == other[reached].max()))
  # Of equals, the one with the most of what was asked.
  return float(candidates[best[asked[best].argmax()]])


def measures(
    val: predictions_lib.Predictions,
    test: predictions_lib.Predictions,
    points: Sequence[tuple[str, float]],
    classes: Sequence[str],
    prevalence: Mapping[str, float],
) -> list[dict[str, Any]]:
  """Returns what operating points come to, ready for JSON.

  Args:
    val: scored images that choose thresholds.
    test: scored images that they are told on.
    points: (rate, least value) each.
    classes: those that are told from the rest.
    prevalence: class -> how common it is where the network is to be used.

  Returns:
    For each class and point: `class`, `rate`, `at_least`, `threshold` (None if
    it cannot be reached on validation), `sensitivity`, `specificity`, `ppv`,
    `npv` and `intervals` of them; where a prevalence is given, `prevalence`,
    `ppv_there` and `npv_there`.
  """
  return [
      _measured(val, test, rate, least, name, prevalence.get(name))
      for name in classes
      for rate, least in points
  ]


def _measured(
    val: predictions_lib.Predictions,
    test: predictions_lib.Predictions,
    rate: str,
    least: float,
    name: str,
    prevalence: float | None,
) -> dict[str, Any]:
  k = test.class_names.index(name)
  head = {'class': name, 'rate': rate, 'at_least': least}
  cut = threshold(val, k, rate, least)
  if cut is None:
    return {**head, 'threshold': None}
  called = test.probabilities[:, k] >= cut
  binary = predictions_lib.Predictions(
      test.image_ids,
      (test.labels == k).astype(np.int64),
      np.stack([~called, called], axis=1).astype(float),
      ('rest', 'class'),
      test.groups,
  )
  ends = intervals.of_decisions(binary, called.astype(int), level=_LEVEL)
  true = binary.labels == 1
  values = {
      'sensitivity': _mean(called[true]),
      'specificity': _mean(~called[~true]),
      'ppv': _mean(true[called]),
      'npv': _mean(~true[~called]),
  }
  ranges = {
      'sensitivity': ends['recall_per_class']['class'],
      'specificity': ends['specificity_per_class']['class'],
      'ppv': ends['ppv_per_class']['class'],
      'npv': ends['npv_per_class']['class'],
  }
  found = {**head, 'threshold': cut, **values, 'intervals': ranges}
  if prevalence is None:
    return found
  for key, value, interval in _there(values, ranges, prevalence):
    found[key], ranges[key] = value, interval
  return {**found, 'prevalence': prevalence}


def _there(
    values: Mapping[str, float | None],
    ranges: Mapping[str, list[float] | None],
    prevalence: float,
) -> list[tuple[str, float | None, list[float] | None]]:
  """Returns the predictive values at a prevalence, with their intervals."""
  sensitivity, specificity = (values[rate] for rate in RATES)
  of_sensitivity, of_specificity = (ranges[rate] for rate in RATES)
  if (
      sensitivity is None
      or specificity is None
      or not of_sensitivity
      or not of_specificity
  ):
    return [('ppv_there', None, None), ('npv_there', None, None)]
  odds = prevalence / (1 - prevalence)
  right = _ratio(
      (sensitivity, *of_sensitivity), _rest(specificity, of_specificity)
  )
  wrong = _ratio(
      (specificity, *of_specificity), _rest(sensitivity, of_sensitivity)
  )
  probability = lambda ratio, odds: ratio * odds / (1 + ratio * odds)
  found = []
  for key, ratio, scale in (
      ('ppv_there', right, odds),
      ('npv_there', wrong, 1 / odds),
  ):
    value, low, high = (probability(x, scale) for x in ratio)
    found.append((key, value, [low, high]))
  return found


def _rest(
    value: float, interval: Sequence[float]
) -> tuple[float, float, float]:
  return 1 - value, 1 - interval[1], 1 - interval[0]


def _ratio(
    a: Sequence[float], b: Sequence[float]
) -> tuple[float, float, float]:
  """Returns a / b and both ends, of (value, low, high) each."""
  (va, la, ha), (vb, lb, hb) = (
      [math.log(max(x, _LEAST)) for x in one] for one in (a, b)
  )
  value = va - vb
  down = math.hypot(va - la, hb - vb)
  up = math.hypot(ha - va, vb - lb)
  return math.exp(value), math.exp(value - down), math.exp(value + up)


def _mean(values: np.ndarray) -> float | None:
  return float(values.mean()) if values.size else None
