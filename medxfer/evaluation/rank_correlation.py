"""Spearman's rank correlation with an interval.

By Fisher's transformation, with the standard error of Bonett and Wright,
'Sample size requirements for estimating Pearson, Kendall and Spearman
correlations', Psychometrika 65(1), 2000.
"""

from collections.abc import Sequence
import math
from typing import Any

from scipy import special
from scipy import stats

from medxfer.evaluation import measure

_FEWEST = 5  # Pairs; with fewer the standard error means nothing.
_LEVEL = 0.95
_MOST = 1 - 1e-9  # Of what is transformed.


def spearman(a: Sequence[float], b: Sequence[float]) -> measure.Measure:
  """Returns the correlation of pairs, and its 95 % interval.

  Args:
    a: n values.
    b: the n that belong to them.

  Returns:
    The correlation, None where one of both has a single value; the interval
    is None with fewer than five pairs.
  """
  if len(set(a)) < 2 or len(set(b)) < 2:
    return measure.Measure(None, None)
  found: Any = stats.spearmanr(a, b)
  return with_interval(float(found.statistic), len(a))


def with_interval(value: float, pairs: int) -> measure.Measure:
  """Returns a correlation over so many pairs with its interval."""
  if pairs < _FEWEST:
    return measure.Measure(value, None)
  error = math.sqrt((1 + value**2 / 2) / (pairs - 3))
  reach = -special.ndtri((1 - _LEVEL) / 2) * error
  centre = math.atanh(max(min(value, _MOST), -_MOST))
  return measure.Measure(
      value, [math.tanh(centre - reach), math.tanh(centre + reach)]
  )
