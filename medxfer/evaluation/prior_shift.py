"""Probabilities for images whose classes have other fractions than in training.

A network that learned from images of which three in four show pneumonia asks
too little of an image where one in ten does. If the images of a class look the
same in both places, its probabilities for the new place follow from the
fractions of the classes alone: Saerens, Latinne and Decaestecker, 'Adjusting
the outputs of a classifier to new a priori probabilities', Neural Computation
14(1), 2002. Where the fractions of the new place are not known, they are
estimated from the probabilities, by expectation and maximization.
"""

import numpy as np

_STEPS = 1000
_TOLERANCE = 1e-7


def adjusted(
    probabilities: np.ndarray, source: np.ndarray, target: np.ndarray
) -> np.ndarray:
  """Returns the probabilities of classes under other fractions.

  Args:
    probabilities: float [n, k], rows sum to 1.
    source: float [k], the fractions in training, each above 0; sum 1.
    target: float [k], the fractions in the new place; sum 1. A class of
      fraction 0 gets probability 0.

  Returns:
    float64 [n, k], rows sum to 1. A row whose whole probability lies on
    classes of fraction 0 becomes the target.

  Raises:
    ValueError: the fractions are not k numbers of this kind.
  """
  source, target = _fractions(source), _fractions(target)
  if source.shape != target.shape or not (source > 0).all():
    raise ValueError(f'fractions {source} and {target}; each source above 0')
  odds = np.asarray(probabilities, np.float64) * (target / source)
  total = odds.sum(axis=1, keepdims=True)
  return np.where(total > 0, odds / np.where(total > 0, total, 1), target)


def estimate(probabilities: np.ndarray, source: np.ndarray) -> np.ndarray:
  """Estimates the fractions of the classes from probabilities alone.

  Args:
    probabilities: float [n, k] with n > 0, rows sum to 1.
    source: float [k], the fractions in training, each above 0; sum 1.

  Returns:
    float64 [k]; sum 1. They maximize the likelihood of the images, given that
    the images of a class look the same in both places.
  """
  target = _fractions(source)
  for _ in range(_STEPS):
    before = target
    target = adjusted(probabilities, source, target).mean(axis=0)
    target = target / target.sum()
    if np.abs(target - before).max() < _TOLERANCE:
      break
  return target


def _fractions(values: np.ndarray) -> np.ndarray:
  values = np.asarray(values, np.float64)
  if (
      values.ndim != 1
      or not np.isfinite(values).all()
      or (values < 0).any()
      or abs(values.sum() - 1) > 1e-6
  ):
    raise ValueError(f'fractions of classes sum to 1, not {values}')
  return values
