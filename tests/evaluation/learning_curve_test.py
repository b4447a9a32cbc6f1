"""Protects what is said of more training images."""

import numpy as np
import pytest

from medxfer.evaluation import learning_curve

_SIZES = (100, 200, 400, 800)


def _errors(exponent: float) -> np.ndarray:
  return 2.0 * np.asarray(_SIZES, float) ** -exponent


def _draws(values: np.ndarray, spread: float, seed: int = 0) -> np.ndarray:
  """Draws whose images are the same at all sizes, and noise of each size."""
  generator = np.random.default_rng(seed)
  shared = generator.normal(0, spread, 1000)
  return values[:, None] + shared + generator.normal(0, spread, (4, 1000))


def test_an_exact_power_law_is_found_with_its_gain() -> None:
  """Of 2 n^-0.25, twice as many images take the error down by 2^-0.25."""
  values = 1 - _errors(0.25)
  law = learning_curve.fit(_SIZES, values, _draws(values, 0.01))
  assert law is not None and law.fits
  assert law.exponent == pytest.approx(0.25)
  error = 2 * 800**-0.25
  assert law.gain == pytest.approx(error * (1 - 2**-0.25))
  assert law.interval[0] < law.gain < law.interval[1]


def test_scores_that_jump_lie_on_no_power_law() -> None:
  """A prediction from such points would be a guess."""
  values = np.array([0.5, 0.8, 0.5, 0.8])
  law = learning_curve.fit(_SIZES, values, _draws(values, 0.01))
  assert law is not None and not law.fits


def test_two_points_are_no_curve() -> None:
  """A line goes through any two."""
  assert learning_curve.fit((100, 200), (0.5, 0.6), np.zeros((2, 9))) is None


def test_the_interval_covers_the_true_gain() -> None:
  """In 200 simulated studies, 95 % of the intervals hold what is true."""
  true = 1 - _errors(0.3)
  gain = 2 * 800**-0.3 * (1 - 2**-0.3)
  generator = np.random.default_rng(1)
  covered = 0
  for i in range(200):
    values = true + generator.normal(0, 0.02) + generator.normal(0, 0.02, 4)
    law = learning_curve.fit(_SIZES, values, _draws(values, 0.02, seed=i))
    assert law is not None
    covered += law.interval[0] <= gain <= law.interval[1]
  assert covered >= 0.92 * 200


def test_perfect_scores_have_nothing_to_gain() -> None:
  """The logarithm of no error is none; nothing breaks."""
  law = learning_curve.fit(_SIZES, np.ones(4), np.ones((4, 50)))
  assert law is not None and abs(law.gain) < 1e-3
