"""Classification metrics, each over any number of weightings at once.

A bootstrap replicate is a row of counts: how often each image was drawn. All
functions take such weights [..., n] and answer for every leading index, so
that a thousand replicates cost one pass. The definitions are scikit-learn's.
"""

from typing import Any

import numpy as np

from medxfer.evaluation import predictions as predictions_lib

# Values a temporary array may hold: 32 MiB of float64.
_CHUNK_VALUES = 2**22


def confusion(
    labels: np.ndarray,
    predicted: np.ndarray,
    classes: int,
    weights: np.ndarray | None = None,
) -> np.ndarray:
  """Counts true class against predicted class.

  Args:
    labels: int [n], true classes.
    predicted: int [n], predicted classes.
    classes: k.
    weights: float [..., n], how often each image counts; once if None.

  Returns:
    float64 [..., k, k], rows are true, columns predicted classes.
  """
  cells = np.asarray(labels) * classes + np.asarray(predicted)
  weights = _weights(weights, cells.size)
  order = np.argsort(cells, kind='stable')
  present, starts = np.unique(cells[order], return_index=True)
  table = np.zeros((*weights.shape[:-1], classes * classes))
  if present.size:
    table[..., present] = np.add.reduceat(weights[..., order], starts, axis=-1)
  return table.reshape(*weights.shape[:-1], classes, classes)


def accuracy(table: np.ndarray) -> np.ndarray:
  """Fraction of the diagonal; [..., k, k] -> [...].

  With one label an image every false positive is another class' false
  negative, so this is the micro-averaged F1 as well (the 'micro avg' of
  tables 7.1 and 7.2).
  """
  return _ratio(_diagonal(table).sum(axis=-1), table.sum(axis=(-2, -1)))


def f1_per_class(table: np.ndarray) -> np.ndarray:
  """F1 = 2 TP / (2 TP + FP + FN); [..., k, k] -> [..., k].

  A class that is neither true nor predicted anywhere has 0, as with
  scikit-learn's `zero_division=0`.
  """
  both = table.sum(axis=-1) + table.sum(axis=-2)
  return np.nan_to_num(_ratio(2 * _diagonal(table), both), nan=0.0)


def f1_macro(table: np.ndarray) -> np.ndarray:
  """Mean F1 of the classes that have images; [..., k, k] -> [...].

  A class without images cannot be found; where it is called, the precision of
  no other class knows, but the recall of those that were missed does.
  """
  f1 = f1_per_class(table)
  return mean_of_defined(np.where(table.sum(axis=-1) > 0, f1, np.nan))


def recall_per_class(table: np.ndarray) -> np.ndarray:
  """Fraction of a class' images that are found; [..., k, k] -> [..., k].

  NaN where the class has no image. Of two classes, the recall of the positive
  one is the sensitivity and that of the other the specificity.
  """
  return _ratio(_diagonal(table), table.sum(axis=-1))


def balanced_accuracy(table: np.ndarray) -> np.ndarray:
  """Mean recall of the classes that have images; [..., k, k] -> [...]."""
  return mean_of_defined(recall_per_class(table))


def auroc_per_class(
    labels: np.ndarray,
    probabilities: np.ndarray,
    weights: np.ndarray | None = None,
) -> np.ndarray:
  """Area under the ROC curve of each class against the rest.

  The probability that an image of the class gets the higher score than one
  of the others, equal scores counting one half (Hanley and McNeil 1982,
  Radiology 143(1)). Each class is sorted once for all weightings.

  Args:
    labels: int [n], true classes.
    probabilities: float [n, k].
    weights: float [..., n]; all 1 if None.

  Returns:
    float64 [..., k]; NaN where the class, or all others, have no weight.
  """
  labels, scores = np.asarray(labels), np.asarray(probabilities)
  weights = _weights(weights, labels.size)
  rows = weights.reshape(-1, labels.size)
  areas = np.empty((len(rows), scores.shape[1]))
  step = max(1, _CHUNK_VALUES // max(1, labels.size))
  for k in range(scores.shape[1]):
    order = np.argsort(scores[:, k], kind='stable')
    ranked = scores[order, k]
    positive = labels[order] == k
    # Where the run of scores equal to each positive's begins and ends.
    low = np.searchsorted(ranked, ranked[positive], side='left')
    high = np.searchsorted(ranked, ranked[positive], side='right')
    for start in range(0, len(rows), step):
      chunk = rows[start : start + step, order]
      areas[start : start + step, k] = _area(chunk, positive, low, high)
  return areas.reshape(*weights.shape[:-1], scores.shape[1])


def mean_of_defined(values: np.ndarray) -> np.ndarray:
  """Mean over the last axis without NaNs; NaN where nothing else is left."""
  defined = ~np.isnan(values)
  total = np.where(defined, values, 0.0).sum(axis=-1)
  return _ratio(total, defined.sum(axis=-1))


def or_none(value: np.ndarray) -> float | None:
  """Returns a number for JSON, which knows no NaN: None instead."""
  return None if np.isnan(value) else float(value)


def compute(
    predictions: predictions_lib.Predictions, weights: np.ndarray | None = None
) -> dict[str, Any]:
  """Returns the point metrics, ready for JSON.

  Args:
    predictions: n scored images, k classes.
    weights: float [n], how often each image counts; once if None.

  Returns:
    `accuracy`, `f1_micro`, `f1_macro` and `balanced_accuracy` (over the
    classes that have images), `auroc_macro` (mean over the classes where it is
    defined) as floats; `f1_per_class`, `recall_per_class`,
    `auroc_per_class`, `support` as {class: value}; `auroc_undefined`, the
    classes without an AUROC; `confusion`, k lists of k, rows true, columns
    predicted. What is undefined is None, never NaN.

  Raises:
    ValueError: the weights are negative, not finite, all zero, or not n.
  """
  names = predictions.class_names
  weights = _weights(weights, len(predictions.image_ids))
  if weights.ndim != 1 or not (
      np.isfinite(weights).all() and (weights >= 0).all() and weights.any()
  ):
    raise ValueError('weights are one row of counts, not all of them zero')
  table = confusion(
      predictions.labels, predictions.predicted, len(names), weights
  )
  areas = auroc_per_class(
      predictions.labels, predictions.probabilities, weights
  )
  f1 = f1_per_class(table)
  return {
      'accuracy': float(accuracy(table)),
      'f1_micro': float(accuracy(table)),
      'f1_macro': float(f1_macro(table)),
      'f1_per_class': dict(zip(names, f1.tolist())),
      'recall_per_class': dict(
          zip(names, map(or_none, recall_per_class(table)))
      ),
      'balanced_accuracy': float(balanced_accuracy(table)),
      'auroc_macro': or_none(mean_of_defined(areas)),
      'auroc_per_class': {
          name: or_none(area) for name, area in zip(names, areas)
      },
      'auroc_undefined': [
          name for name, area in zip(names, areas) if np.isnan(area)
      ],
      'support': dict(zip(names, _counts(table.sum(axis=1)))),
      'confusion': _counts(table),
  }


def _weights(weights: np.ndarray | None, n: int) -> np.ndarray:
  if weights is None:
    return np.ones(n)
  weights = np.asarray(weights, np.float64)
  if weights.shape[-1:] != (n,):
    raise ValueError(f'{n} images need weights [..., {n}], not {weights.shape}')
  return weights


def _diagonal(table: np.ndarray) -> np.ndarray:
  return np.diagonal(table, axis1=-2, axis2=-1)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
  """part / whole, and NaN for 0 / 0."""
  part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
  nothing = whole == 0
  return np.where(nothing, np.nan, part / np.where(nothing, 1.0, whole))


def _area(
    weights: np.ndarray, positive: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
  """Areas [b] of weights [b, n] that are sorted by ascending score."""
  hits = weights[:, positive]
  below = np.zeros((len(weights), weights.shape[1] + 1))
  np.cumsum(weights * ~positive, axis=1, out=below[:, 1:])
  pairs = np.einsum('bp,bp->b', hits, below[:, low] + below[:, high]) / 2
  return _ratio(pairs, hits.sum(axis=1) * below[:, -1])


def _counts(table: np.ndarray) -> list[Any]:
  whole = np.rint(table)
  return (whole.astype(np.int64) if (whole == table).all() else table).tolist()
