"""Influence of each image on a metric, and the variance that follows.

The influence values of a metric are its derivatives after the weight of each
image (the infinitesimal jackknife: Efron, 'The jackknife, the bootstrap and
other resampling plans', SIAM 1982, chapter 6). Summed by group and squared,
they give the variance that the bootstrap over groups tends to, without draws
(Obuchowski, 'Nonparametric analysis of clustered ROC curve data', Biometrics
53(2), 1997, for the area under the ROC curve).
"""

import numpy as np

from medxfer.evaluation import metrics


def accuracy(labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
  """Returns the influence values of the accuracy, float64 [n]."""
  right = labels == predicted
  return (right - right.mean()) / right.size


def f1_per_class(
    labels: np.ndarray, predicted: np.ndarray, classes: int
) -> np.ndarray:
  """Returns the influence values of each class' F1, float64 [n, k].

  0 for a class that is neither true nor predicted anywhere.
  """
  is_true, said = (np.eye(classes)[x] for x in (labels, predicted))
  both = (is_true + said).sum(axis=0)
  f1 = metrics.f1_per_class(metrics.confusion(labels, predicted, classes))
  return (2 * is_true * said - f1 * (is_true + said)) / np.maximum(both, 1)


def recall_per_class(
    labels: np.ndarray, predicted: np.ndarray, classes: int
) -> np.ndarray:
  """Returns the influence values of each class' recall, float64 [n, k].

  0 for a class without images.
  """
  is_true, said = (np.eye(classes)[x] for x in (labels, predicted))
  counts = np.maximum(is_true.sum(axis=0), 1)
  return is_true * (said - (is_true * said).sum(axis=0) / counts) / counts


def auroc(positive: np.ndarray, scores: np.ndarray) -> np.ndarray:
  """Returns the influence values of the area under a ROC curve.

  What DeLong, DeLong and Clarke-Pearson call components ('Comparing the areas
  under two or more correlated receiver operating characteristic curves',
  Biometrics 44(3), 1988), by way of ranks (Sun and Xu, IEEE Signal Processing
  Letters 21(11), 2014).

  Args:
    positive: bool [n], of both kinds some.
    scores: float [n].

  Returns:
    float64 [n].
  """
  answer = np.empty(len(scores))
  for side, sign in ((positive, 1), (~positive, -1)):
    others = np.sort(scores[~side])
    own = scores[side]
    below = (
        (
            np.searchsorted(others, own, 'left')
            + np.searchsorted(others, own, 'right')
        )
        / 2
        / others.size
    )
    answer[side] = sign * (below - below.mean()) / own.size
  return answer


def covariance(values: np.ndarray, unit: np.ndarray) -> np.ndarray:
  """Returns the covariance of metrics over draws of units.

  Args:
    values: influence values, float64 [n, k].
    unit: int [n], the number of each image's group, all from 0 on in use.

  Returns:
    float64 [k, k]; zero for a single unit.
  """
  sums = by_unit(values, unit)
  return sums.T @ sums * (len(sums) / max(len(sums) - 1, 1))


def by_unit(
    values: np.ndarray, unit: np.ndarray, units: int | None = None
) -> np.ndarray:
  """Sums values [n, k] over the images of each of u units: [u, k]."""
  units = int(unit.max()) + 1 if units is None else units
  return np.stack(
      [
          np.bincount(unit, weights=column, minlength=units)
          for column in values.T
      ],
      axis=1,
  )
