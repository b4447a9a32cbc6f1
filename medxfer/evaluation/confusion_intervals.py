"""Fractions and F1 scores of decided classes, with their intervals.

F1 is 2 J / (1 + J) with the fraction J = TP / (TP + FP + FN), and so are the
ends of its interval: of the images that are of a class or called so, a fraction
is right. That holds exactly, where the usual bootstrap knows only the errors
that were seen. The macro F1 takes its ends from those of the classes and from
how the errors of two classes go together; a class without an error, or
without an image, is taken to go with every other one.

All functions take counts of any leading index [..., k, u]: simulations run
through the same lines as one table of predictions.
"""

from typing import NamedTuple

import numpy as np

from medxfer.evaluation import proportions


class Counts(NamedTuple):
  """Images by class and group, float64 [..., k, u].

  Attributes:
    true: of the class.
    said: called so.
    right: both.
  """

  true: np.ndarray
  said: np.ndarray
  right: np.ndarray

  @property
  def images(self) -> np.ndarray:
    """Images of each group, of every class: [..., 1, u]."""
    return self.true.sum(axis=-2, keepdims=True)


def count(
    labels: np.ndarray, predicted: np.ndarray, classes: int, unit: np.ndarray
) -> Counts:
  """Counts the images of each group.

  Args:
    labels: int [n], true classes.
    predicted: int [n].
    classes: k.
    unit: int [n], the number of each image's group, 0 to u - 1.
  """
  units = int(unit.max()) + 1

  def of(which: np.ndarray, inside: np.ndarray) -> np.ndarray:
    return (
        np.bincount((which * units + unit)[inside], minlength=classes * units)
        .reshape(classes, units)
        .astype(np.float64)
    )

  everywhere = np.ones(labels.size, bool)
  return Counts(
      of(labels, everywhere),
      of(predicted, everywhere),
      of(labels, labels == predicted),
  )


def accuracy(counts: Counts, level: float) -> proportions.Fraction:
  """Returns the fraction of images that are right: [...]."""
  return proportions.fraction(
      counts.right.sum(axis=-2), counts.true.sum(axis=-2), level
  )


def recall(counts: Counts, level: float) -> proportions.Fraction:
  """Returns the sensitivity of each class, the fraction found: [..., k]."""
  return proportions.fraction(counts.right, counts.true, level)


def specificity(counts: Counts, level: float) -> proportions.Fraction:
  """Returns the fraction of other images that are not called so: [..., k]."""
  others = counts.images - counts.true
  return proportions.fraction(
      others - counts.said + counts.right, others, level
  )


def precision(counts: Counts, level: float) -> proportions.Fraction:
  """Returns the fraction of what is called so that is so (PPV): [..., k].

  Positive and negative predictive values are those at the class frequencies
  of these images; where the class is rarer, the positive one is lower.
  """
  return proportions.fraction(counts.right, counts.said, level)


def negative_value(counts: Counts, level: float) -> proportions.Fraction:
  """Returns the NPV of each class: [..., k]."""
  rest = counts.images - counts.said
  return proportions.fraction(rest - counts.true + counts.right, rest, level)


def f1(counts: Counts, level: float) -> proportions.Fraction:
  """Returns the F1 of each class: [..., k]; NaN where it is nowhere."""
  jaccard = proportions.fraction(
      counts.right, counts.true + counts.said - counts.right, level
  )
  value, low, high = (2 * x / (1 + x) for x in jaccard[:3])
  return proportions.Fraction(value, low, high, jaccard.by_unit)


def mean(
    parts: proportions.Fraction, among: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
  """Returns both ends of the mean over some classes.

  Args:
    parts: of each class, [..., k]; one without a value counts 0, and 0 to 1
      is known of it.
    among: which classes count, bool [..., k].
  """
  return proportions.mean(parts, proportions.correlation(parts.by_unit), among)
