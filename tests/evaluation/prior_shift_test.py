"""Protects the correction for other fractions of the classes."""

import numpy as np
import pytest

from medxfer.evaluation import prior_shift

_SOURCE = np.array([0.5, 0.3, 0.2])
_TARGET = np.array([0.1, 0.2, 0.7])


def _posteriors(
    fractions: np.ndarray, n: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Draws labels and one number per image, and what Bayes' rule says of them.

  Returns:
    Labels [n], probabilities under `_SOURCE` and under `fractions`, [n, 3].
  """
  draw = np.random.default_rng(seed)
  labels = draw.choice(3, n, p=fractions)
  x = draw.normal(labels * 1.5)
  likelihood = np.exp(-0.5 * (x[:, None] - 1.5 * np.arange(3)) ** 2)
  under = lambda p: likelihood * p / (likelihood * p).sum(axis=1, keepdims=True)
  return labels, under(_SOURCE), under(fractions)


def test_known_fractions_give_the_posterior_of_bayes() -> None:
  """Exactly, whatever was learned."""
  _, source, target = _posteriors(_TARGET, 100)
  found = prior_shift.adjusted(source, _SOURCE, _TARGET)
  np.testing.assert_allclose(found, target, atol=1e-12)
  np.testing.assert_allclose(
      prior_shift.adjusted(source, _SOURCE, _SOURCE), source, atol=1e-12
  )


def test_fractions_are_estimated_without_labels() -> None:
  """From calibrated probabilities of the old place, in a simulation."""
  labels, source, _ = _posteriors(_TARGET, 20_000)
  found = prior_shift.estimate(source, _SOURCE)
  seen = np.bincount(labels) / labels.size
  np.testing.assert_allclose(found, seen, atol=0.015)
  # The mean of the probabilities, which does not know of the shift, is far off.
  assert abs(source.mean(axis=0) - seen).max() > 0.15


def test_the_estimate_has_the_largest_likelihood() -> None:
  """No fractions nearby explain the images better."""
  _, source, _ = _posteriors(_TARGET, 500)
  likelihood = lambda p: np.log((source * (p / _SOURCE)).sum(axis=1)).sum()
  found = prior_shift.estimate(source, _SOURCE)
  best = likelihood(found)
  for step in np.vstack([np.eye(3), -np.eye(3)]) * 0.01:
    near = np.clip(found + step - step.mean(), 1e-9, None)
    assert likelihood(near / near.sum()) < best


def test_a_class_that_is_not_there_has_no_probability() -> None:
  """And an image that was surely of it becomes what is there."""
  found = prior_shift.adjusted(
      np.array([[0.2, 0.3, 0.5], [0, 0, 1]]), _SOURCE, np.array([0.5, 0.5, 0.0])
  )
  np.testing.assert_allclose(found[0], [2 / 7, 5 / 7, 0])
  np.testing.assert_allclose(found[1], [0.5, 0.5, 0])


@pytest.mark.parametrize(
    'source, target',
    [
        ([0.5, 0.5, 0.0], _TARGET),
        ([0.5, 0.5], _TARGET),
        (_SOURCE, [0.5, 0.6, 0.2]),
        (_SOURCE, [0.5, 0.7, -0.2]),
        (_SOURCE, [np.nan, 0.5, 0.5]),
    ],
)
def test_what_are_no_fractions_is_refused(
    source: np.ndarray, target: np.ndarray
) -> None:
  """Nothing is divided by zero."""
  with pytest.raises(ValueError, match='fractions'):
    prior_shift.adjusted(np.full((1, 3), 1 / 3), source, target)
