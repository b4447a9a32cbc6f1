"""Operating points: two classes at a threshold other than one half.

A network that was trained where pneumonia is common asks too little of an
image where it is rare. Its ranking (AUROC) is unharmed, its accuracy is not;
a threshold that is chosen on validation images corrects what it can. Which
class is positive, `positive.choose` says.
"""

from typing import Any

import numpy as np

from medxfer.evaluation import intervals
from medxfer.evaluation import metrics
from medxfer.evaluation import predictions as predictions_lib

_RULE = "largest Youden's J, of equals the nearest to 0.5"
_LEVEL = 0.95


def choose(
    predictions: predictions_lib.Predictions, positive: str
) -> dict[str, Any]:
  """Returns the threshold of a run and where it is from, ready for JSON.

  Args:
    predictions: scored validation images, as for `threshold`.
    positive: the positive class.

  Returns:
    `positive`, `value`, `chosen_on` ('val') and `rule`.

  Raises:
    ValueError: as `threshold`.
  """
  return {
      'positive': positive,
      'value': threshold(predictions, positive),
      'chosen_on': 'val',
      'rule': _RULE,
  }


def threshold(predictions: predictions_lib.Predictions, positive: str) -> float:
  """Chooses the threshold with the largest sensitivity + specificity - 1.

  Youden, 'Index for rating diagnostic tests', Cancer 3(1), 1950. Candidates
  are the middles between neighbouring scores: the middle is as good here as
  any other value between the two, and the farthest from both for new images.

  Args:
    predictions: scored validation images of two classes, of both some.
    positive: the positive class.

  Returns:
    The threshold: an image is positive whose probability of the positive
    class is at least this. 0.5 if all scores are equal.

  Raises:
    ValueError: there are not two classes, or one has no image.
  """
  _need_two(predictions)
  hits, alarms, scores = _cumulated(
      predictions, predictions.class_names.index(positive)
  )
  _need_both(hits, alarms)
  if scores.size == 1:
    return 0.5
  middles = (scores[:-1] + scores[1:]) / 2
  # J times both counts: whole numbers, so that equals are equal.
  gain = hits * alarms[-1] - alarms * hits[-1]
  best = middles[gain[:-1] == gain[:-1].max()]
  return float(best[np.abs(best - 0.5).argmin()])


def at(
    predictions: predictions_lib.Predictions,
    threshold: float | np.ndarray,
    positive: str,
) -> dict[str, Any]:
  """Returns the metrics of two classes at a threshold, ready for JSON.

  Args:
    predictions: n > 0 scored images, other than those that chose the
      threshold; with groups, the intervals are by group.
    threshold: images are positive from this probability on; [n], one for each.
    positive: the positive class.

  Returns:
    `threshold` (the mean), `positive` (the class), `accuracy`, `f1_macro`,
    `sensitivity`, `specificity`, `f1_per_class` {class: value}, `confusion`
    (rows true, columns predicted) and `intervals` of all but the last, 95 %,
    as `intervals.of_decisions` makes them.
    What is undefined is None.

  Raises:
    ValueError: there are not two classes, or no images.
  """
  _need_two(predictions)
  if not predictions.image_ids:
    raise ValueError('a threshold needs at least one image')
  k = predictions.class_names.index(positive)
  predicted = np.where(predictions.probabilities[:, k] >= threshold, k, 1 - k)
  whole = metrics.confusion(predictions.labels, predicted, 2)
  point = _measures(whole, k)
  f1 = point.pop('f1_per_class')
  ends = intervals.of_decisions(predictions, predicted, level=_LEVEL)
  negative = predictions.class_names[1 - k]
  return {
      'threshold': float(np.mean(threshold)),
      'positive': positive,
      **{name: metrics.or_none(value) for name, value in point.items()},
      'f1_per_class': dict(zip(predictions.class_names, f1.tolist())),
      'confusion': whole.astype(np.int64).tolist(),
      'intervals': {
          'accuracy': ends['accuracy'],
          'f1_macro': ends['f1_macro'],
          'sensitivity': ends['recall_per_class'][positive],
          'specificity': ends['recall_per_class'][negative],
          'f1_per_class': ends['f1_per_class'],
      },
  }


def roc(
    predictions: predictions_lib.Predictions, class_index: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Returns the ROC curve of one class against the rest.

  Equal scores make one step, whose slope is the honest answer to their order.

  Args:
    predictions: scored images.
    class_index: of the class that is positive.

  Returns:
    False positive rates, true positive rates and thresholds, each [m], from
    (0, 0) at an infinite threshold to (1, 1) at the lowest score.

  Raises:
    ValueError: the class, or all others, have no image.
  """
  hits, alarms, scores = _cumulated(predictions, class_index)
  _need_both(hits, alarms)
  return (
      np.concatenate([[0.0], alarms / alarms[-1]]),
      np.concatenate([[0.0], hits / hits[-1]]),
      np.concatenate([[np.inf], scores]),
  )


def _cumulated(
    predictions: predictions_lib.Predictions, class_index: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """True and false positives, int [m], from each of m scores on, falling."""
  positive = predictions.labels == class_index
  scores, index = np.unique(
      -predictions.probabilities[:, class_index], return_inverse=True
  )
  hits, alarms = (
      np.cumsum(np.bincount(index[side], minlength=scores.size))
      for side in (positive, ~positive)
  )
  return hits, alarms, -scores


def _measures(table: np.ndarray, k: int) -> dict[str, np.ndarray]:
  """Metrics [] and, by class, [2] of a confusion [2, 2]; k is positive."""
  f1, recall = metrics.f1_per_class(table), metrics.recall_per_class(table)
  return {
      'accuracy': metrics.accuracy(table),
      'f1_macro': metrics.f1_macro(table),
      'sensitivity': recall[..., k],
      'specificity': recall[..., 1 - k],
      'f1_per_class': f1,
  }


def _need_two(predictions: predictions_lib.Predictions) -> None:
  if len(predictions.class_names) != 2:
    raise ValueError(
        f'a threshold needs two classes, not {predictions.class_names}'
    )


def _need_both(hits: np.ndarray, alarms: np.ndarray) -> None:
  if not (hits.size and hits[-1] and alarms[-1]):
    raise ValueError('there must be images of the class and images of others')
