"""Whether a probability of 0.8 is right eight times in ten."""

from typing import Any

import numpy as np

from medxfer.evaluation import predictions as predictions_lib


def reliability(
    predictions: predictions_lib.Predictions, *, bins: int = 15
) -> list[dict[str, Any]]:
  """Compares confidence and accuracy, bin by bin.

  Confidence is the probability of the predicted class; bin m holds
  ((m - 1) / bins, m / bins] (Guo et al., 'On calibration of modern neural
  networks', ICML 2017, section 2).

  Args:
    predictions: n scored images.
    bins: number of bins of equal width.

  Returns:
    One {`low`, `high`, `count`, `confidence`, `accuracy`} a bin; the means
    are None where the bin is empty.

  Raises:
    ValueError: fewer than one bin.
  """
  if bins < 1:
    raise ValueError(f'reliability needs a bin, not {bins}')
  confidence = predictions.probabilities.max(axis=1)
  correct = predictions.predicted == predictions.labels
  edges = np.linspace(0, 1, bins + 1)
  index = np.digitize(confidence, edges[1:-1], right=True)
  count = np.bincount(index, minlength=bins)
  sure = np.bincount(index, weights=confidence, minlength=bins)
  right = np.bincount(index, weights=correct, minlength=bins)
  return [
      {
          'low': float(edges[m]),
          'high': float(edges[m + 1]),
          'count': int(count[m]),
          'confidence': float(sure[m] / count[m]) if count[m] else None,
          'accuracy': float(right[m] / count[m]) if count[m] else None,
      }
      for m in range(bins)
  ]


def expected_calibration_error(
    predictions: predictions_lib.Predictions, *, bins: int = 15
) -> float:
  """Mean distance of confidence and accuracy, weighted by the bins' counts.

  Equation 3 of Guo et al. (2017), with their 15 bins.

  Args:
    predictions: n > 0 scored images.
    bins: number of bins of equal width.

  Returns:
    The error, 0 (calibrated) to 1.

  Raises:
    ValueError: no image, or fewer than one bin.
  """
  _need_images(predictions)
  gaps = [
      row['count'] * abs(row['accuracy'] - row['confidence'])
      for row in reliability(predictions, bins=bins)
      if row['count']
  ]
  return sum(gaps) / len(predictions.image_ids)


def brier_score(predictions: predictions_lib.Predictions) -> float:
  """Mean squared distance of the probabilities from the truth.

  Summed over all classes, as first defined (Brier, 'Verification of
  forecasts expressed in terms of probability', Monthly Weather Review 78(1),
  1950, equation 2).

  Args:
    predictions: n > 0 scored images.

  Returns:
    The score, 0 (perfect) to 2.

  Raises:
    ValueError: no image.
  """
  _need_images(predictions)
  truth = np.eye(len(predictions.class_names))[predictions.labels]
  distance = np.square(predictions.probabilities - truth).sum(axis=1)
  return float(distance.mean())


def _need_images(predictions: predictions_lib.Predictions) -> None:
  if not predictions.image_ids:
    raise ValueError('calibration needs at least one image')
