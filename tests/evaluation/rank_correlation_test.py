"""Protects how sure a rank correlation is said to be."""

import numpy as np
import pytest
from scipy import stats

from medxfer.evaluation import rank_correlation


def test_it_is_that_of_scipy() -> None:
  """And its ends lie inside -1 to 1."""
  generator = np.random.default_rng(0)
  a = generator.normal(size=13)
  b = a + generator.normal(size=13)
  found = rank_correlation.spearman(a.tolist(), b.tolist())
  assert found.value == pytest.approx(stats.spearmanr(a, b).statistic)
  assert found.interval is not None
  assert -1 <= found.interval[0] < found.value < found.interval[1] <= 1


def test_few_or_equal_values_have_no_interval() -> None:
  """Four pairs say nothing of how sure they are; equal ones have no order."""
  few = rank_correlation.spearman([1, 2, 3, 4], [1, 3, 2, 4])
  assert few.value == pytest.approx(0.8) and few.interval is None
  assert rank_correlation.spearman([1, 1, 1], [1, 2, 3]).value is None


def test_a_perfect_order_is_not_beyond_doubt() -> None:
  """Five pairs in order come about by chance one time in 120."""
  found = rank_correlation.spearman(list(range(5)), list(range(5)))
  assert found.value == pytest.approx(1) and found.interval is not None
  assert found.interval[1] == pytest.approx(1)


def test_the_interval_covers_the_true_correlation() -> None:
  """Of normal pairs with rho .6, in 1,000 draws of 13: about 95 %."""
  generator = np.random.default_rng(1)
  # Spearman's of a bivariate normal (Pearson, 1907).
  true = 6 / np.pi * np.arcsin(0.6 / 2)
  covered = 0
  for _ in range(1000):
    a = generator.normal(size=13)
    b = 0.6 * a + 0.8 * generator.normal(size=13)
    ends = rank_correlation.spearman(a.tolist(), b.tolist()).interval
    assert ends is not None
    covered += ends[0] <= true <= ends[1]
  assert 930 <= covered <= 990
