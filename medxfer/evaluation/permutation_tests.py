"""Tests of a difference by swapping two classifiers, group by group.

If two classifiers are equally good, the images of any group could as well
have been scored the other way round. The p-value is the fraction of all ways to
swap whole groups whose difference is at least as large as the one seen
(Good, 'Permutation, parametric and bootstrap tests of hypotheses', 2005,
chapter 3; for metrics of classifiers Yeh, 'More accurate tests for the
statistical significance of result differences', COLING 2000). It holds for
any number of groups, and with one image per group the test of the accuracy is
the exact test of McNemar; its approximation by chi-squared is the clustered
test of Durkalski et al., 'Analysis of clustered matched-pair data',
Statistics in Medicine 22(15), 2003.
"""

from collections.abc import Callable
from collections.abc import Iterator

import numpy as np
from scipy import stats

# Differences that are rounding apart are equal.
_CLOSE = 1e-9
# Ways to swap held at a time.
_CHUNK_VALUES = 2**22


def exact(differences: np.ndarray) -> float:
  """Returns the two-sided p-value of a sum of whole differences, exactly.

  Args:
    differences: int [u], how many images more the first classifier has right
      in each group.
  """
  sizes, counts = np.unique(
      np.abs(differences[differences != 0]), return_counts=True
  )
  # Of how many groups of each size the first one is ahead: a binomial.
  likely = np.ones(1)
  for size, count in zip(sizes, counts):
    one = np.zeros(2 * size * count + 1)
    one[:: 2 * size] = stats.binom.pmf(np.arange(count + 1), count, 0.5)
    likely = np.convolve(likely, one)
  sums = np.arange(likely.size) - likely.size // 2
  as_large = np.abs(sums) >= abs(int(differences.sum()))
  return float(min(1.0, likely[as_large].sum()))


def drawn(
    statistic: Callable[[np.ndarray], np.ndarray],
    units: int,
    *,
    resamples: int,
    seed: int,
    width: int = 1,
) -> float:
  """Returns the two-sided p-value of any difference.

  All ways to swap if they are not more than `resamples`, else so many by
  chance, the one that was seen among them (Phipson and Smyth, 'Permutation
  p-values should never be zero', 2010).

  Args:
    statistic: which groups are swapped, float64 [b, u] of 0 and 1, -> [b].
    units: u, the groups that can change it.
    resamples: at most so many ways are tried.
    seed: of the PCG64 generator.
    width: numbers that `statistic` holds for each way, to bound the memory.
  """
  seen = abs(float(statistic(np.zeros((1, units)))[0])) - _CLOSE
  count = tried = 0
  step = max(1, _CHUNK_VALUES // max(units, width, 1))
  for swapped in _ways(units, resamples, seed, step):
    count += int((np.abs(statistic(swapped)) >= seen).sum())
    tried += len(swapped)
  if 2 ** min(units, 62) <= resamples:
    return count / tried
  return (count + 1) / (tried + 1)


def _ways(
    units: int, resamples: int, seed: int, step: int
) -> Iterator[np.ndarray]:
  if 2 ** min(units, 62) <= resamples:
    bits = np.arange(2**units)[:, np.newaxis] >> np.arange(units) & 1
    for start in range(0, len(bits), step):
      yield bits[start : start + step].astype(np.float64)
    return
  generator = np.random.Generator(np.random.PCG64(seed))
  for start in range(0, resamples, step):
    rows = min(step, resamples - start)
    yield generator.integers(0, 2, (rows, units)).astype(np.float64)
