"""Decision curves: whether acting by a network does more good than harm.

Vickers and Elkin, 'Decision curve analysis: a novel method for evaluating
prediction models', Medical Decision Making 26(6), 2006.
"""

from collections.abc import Sequence

import numpy as np

from medxfer.evaluation import predictions as predictions_lib


def curve(
    predictions: predictions_lib.Predictions,
    k: int,
    thresholds: Sequence[float] | np.ndarray,
) -> np.ndarray:
  """Returns the net benefit of acting on a class by a network.

  Args:
    predictions: n > 0 scored images.
    k: the class that is acted on.
    thresholds: [t] probabilities from which on somebody would act, in (0, 1);
      they say how many needless acts one that was needed is worth.

  Returns:
    float64 [t]: true positives less false positives, these weighed by the odds
    of the threshold, over all images. Nobody treated is 0.
  """
  thresholds = np.asarray(thresholds, np.float64)
  acted = predictions.probabilities[:, k, np.newaxis] >= thresholds
  true = (predictions.labels == k)[:, np.newaxis]
  n = len(predictions.labels)
  odds = thresholds / (1 - thresholds)
  return (acted & true).sum(0) / n - (acted & ~true).sum(0) / n * odds


def of_all(
    predictions: predictions_lib.Predictions,
    k: int,
    thresholds: Sequence[float] | np.ndarray,
) -> np.ndarray:
  """Returns the net benefit of acting on every image; see `curve`."""
  thresholds = np.asarray(thresholds, np.float64)
  share = float((predictions.labels == k).mean())
  return share - (1 - share) * thresholds / (1 - thresholds)


def gain(
    predictions: predictions_lib.Predictions,
    k: int,
    thresholds: Sequence[float] | np.ndarray,
) -> np.ndarray:
  """Returns how much better `curve` is than acting on all images or on none."""
  alone = np.maximum(of_all(predictions, k, thresholds), 0)
  return curve(predictions, k, thresholds) - alone
