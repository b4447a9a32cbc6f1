"""What each class weighs in the loss, and which fractions that stands for."""

from collections.abc import Sequence

import numpy as np

from medxfer import spec as specs

ClassWeights = str | tuple[tuple[str, float], ...]


def factors(
    how: ClassWeights, class_names: Sequence[str], counts: np.ndarray
) -> np.ndarray:
  """Returns the factors of the loss, float32 [classes].

  Args:
    how: `training.class_weights`.
    class_names: k names.
    counts: int [k], training images of each class.
  """
  if how == 'none':
    return np.ones(len(class_names), np.float32)
  if isinstance(how, str):
    weights = counts ** -specs.CLASS_WEIGHT_POWERS[how]
    # The mean image weighs 1, so that the learning rate keeps its meaning.
    weights *= counts.sum() / (counts * weights).sum()
    return weights.astype(np.float32)
  chosen = dict(how)
  return np.array([chosen.get(name, 1.0) for name in class_names], np.float32)


def fractions(
    how: ClassWeights, class_names: Sequence[str], counts: np.ndarray
) -> np.ndarray:
  """Returns the fractions of the classes as the loss has seen them.

  A class whose images weigh twice as much counts as if it had twice as many.

  Args:
    how: `training.class_weights`.
    class_names: k names.
    counts: int [k], training images of each class.

  Returns:
    float64 [k]; sum 1.
  """
  seen = counts * factors(how, class_names, counts).astype(np.float64)
  return seen / seen.sum()
