"""Intervals of areas under ROC curves, also of perfect ones.

An area is the fraction of pairs, an image of the class and another, that are in
order. Of m images on the smaller side it is as uncertain as the fraction of at
least m images (Birnbaum and Klose, 'Bounds for the variance of the
Mann-Whitney statistic', Annals of Mathematical Statistics 28(4), 1957). Its
variance by group (`influence.auroc`) says of how many; its ends are then those
of a fraction. A perfect area is a fraction of m images that are all right.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import special

from medxfer.evaluation import influence
from medxfer.evaluation import metrics
from medxfer.evaluation import proportions


def intervals(
    labels: np.ndarray,
    probabilities: np.ndarray,
    class_names: Sequence[str],
    unit: np.ndarray,
    level: float,
) -> dict[str, Any]:
  """Returns the intervals of each class against the rest and of their mean.

  Args:
    labels: int [n], true classes.
    probabilities: float [n, k].
    class_names: k names.
    unit: int [n], the number of each image's group.
    level: of the intervals.

  Returns:
    `auroc_macro`: [low, high] of the mean over the classes where it is
    defined; `auroc_per_class`: {class: [low, high]}. None where undefined,
    or for a single group.
  """
  value = metrics.auroc_per_class(labels, probabilities)
  defined = ~np.isnan(value)
  low, high = np.zeros_like(value), np.ones_like(value)
  by_unit = np.zeros((len(value), int(unit.max()) + 1))
  for k in np.flatnonzero(defined):
    positive, scores = labels == k, probabilities[:, k]
    own = influence.auroc(positive, scores)
    by_unit[k] = influence.by_unit(own[:, np.newaxis], unit)[:, 0]
    size = _effective(value[k], own, by_unit[k], positive, unit, level)
    low[k], high[k] = proportions.clopper_pearson(value[k], size, level)
  known = defined & (by_unit.shape[1] > 1)
  macro = proportions.mean(
      proportions.Fraction(value, low, high, by_unit),
      proportions.correlation(by_unit),
      defined,
  )
  return {
      'auroc_macro': [float(x) for x in macro] if known.any() else None,
      'auroc_per_class': {
          name: [float(low[k]), float(high[k])] if known[k] else None
          for k, name in enumerate(class_names)
      },
  }


def _effective(
    value: float,
    own: np.ndarray,
    by_unit: np.ndarray,
    positive: np.ndarray,
    unit: np.ndarray,
    level: float,
) -> float:
  """Returns of how many images an area is as uncertain as a fraction.

  As for fractions: the variance that is seen has the weight of
  the groups that show it, on the side that has fewer; one more is added for
  what was not seen.
  """
  seen, shown, sizes = 0.0, [], []
  for side in (positive, ~positive):
    # What an image adds to the area: 0 to 1, the fraction it is in order with.
    fraction = value + own[side] * side.sum()
    shown.append(
        min(
            np.unique(unit[side][fraction < 1 - 1e-9]).size,
            np.unique(unit[side][fraction > 1e-9]).size,
        )
    )
    sizes.append(np.unique(unit[side], return_counts=True)[1])
  fewer = min(sizes, key=lambda size: size.sum() ** 2 / (size**2).sum())
  images, units = fewer.sum(), fewer.size
  if 0 < value < 1:
    seen = by_unit @ by_unit / (value * (1 - value) / images)
    # A variance that the smaller side estimates: t, and not z.
    freedom = max(units - 1, 1)
    seen *= (
        units
        / freedom
        * (
            special.stdtrit(freedom, (1 + level) / 2)
            / special.ndtri((1 + level) / 2)
        )
        ** 2
    )
  alike = (fewer**2).sum() / images
  size = images / ((min(shown) * seen + alike) / (min(shown) + 1))
  return float(proportions.for_few_groups(size, images, units, level))
