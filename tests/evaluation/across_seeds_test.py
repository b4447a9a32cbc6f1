"""Protects what several seeds say together."""

import math

import numpy as np
import pytest
from scipy import stats

from medxfer.evaluation import across_seeds
from medxfer.evaluation import multiple_testing


def test_the_images_interval_stays_where_seeds_agree() -> None:
  """The spread of seeds does not replace that of the images."""
  answer = across_seeds.estimate([0.8, 0.8, 0.8], [[0.7, 0.86]] * 3)
  assert answer['interval'] == pytest.approx([0.7, 0.86])
  assert answer['sd'] == pytest.approx(0) and answer['seeds'] == 3


def test_seeds_alone_give_the_corrected_resampled_t() -> None:
  """Nadeau and Bengio's interval, where the images say nothing."""
  values = [0.78, 0.8, 0.85]
  answer = across_seeds.estimate(values, [[v, v] for v in values])
  half = (
      stats.t.ppf(0.975, 2) * np.std(values, ddof=1) * math.sqrt(1 / 3 + 1 / 4)
  )
  mean = np.mean(values)
  assert answer['interval'] == pytest.approx([mean - half, min(mean + half, 1)])


def test_one_seed_keeps_its_interval_and_bounds_hold() -> None:
  """And a seed without an interval leaves none."""
  assert across_seeds.estimate([0.9], [[0.8, 0.95]]) == {
      'value': 0.9,
      'interval': pytest.approx([0.8, 0.95]),
      'seeds': 1,
      'sd': None,
  }
  assert (
      across_seeds.estimate([0.9, 0.8], [[0.8, 0.95], None])['interval'] is None
  )
  assert across_seeds.estimate([0.5, 1.0], [[0.4, 0.6], [0.9, 1.0]])[
      'interval'
  ] == [0, 1]
  low, _ = across_seeds.estimate(
      [0.1, -0.3], [[0, 0.2], [-0.4, -0.2]], bounds=None
  )['interval']
  assert low < -1
  with pytest.raises(ValueError):
    across_seeds.estimate([0.5], [])


def test_the_overlap_of_test_sides_tells_that_of_the_training_sides() -> None:
  """A fifth in common is a fifth of all, one image for four; within bounds."""
  subsets = [[str(i) for i in range(start, start + 100)] for start in (0, 70)]
  assert across_seeds.test_to_train(subsets) == pytest.approx(0.3 / 0.7)
  assert across_seeds.test_to_train([subsets[0]] * 3) == 0.25
  assert across_seeds.test_to_train([subsets[0], ['x']]) == 0.25
  assert across_seeds.test_to_train([subsets[0], subsets[0][:99]]) == 1


def test_holm_agrees_with_its_definition() -> None:
  """Sorted p-values times what is left, never falling, at most one."""
  assert multiple_testing.holm([0.01, 0.04, 0.03]) == pytest.approx(
      [0.03, 0.06, 0.06]
  )
  assert multiple_testing.holm([0.9, 0.8]) == [1, 1]
  assert multiple_testing.holm([]) == []
