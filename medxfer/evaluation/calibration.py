"""Calibration: whether of images with probability 0.8 eight in ten are right.

The expected calibration error adds distances, which chance alone keeps from
zero: a calibrated network has one of about 0.02 on 1,000 images. Beside it
stands what is left of it without chance, and an interval.
"""

from typing import Any

import numpy as np
from scipy import special

from medxfer.evaluation import influence
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import proportions
from medxfer.evaluation import resampling

_BINS = 15  # Those of Guo et al. (2017).
_HALVINGS = 40


def reliability(
    predictions: predictions_lib.Predictions, *, bins: int = _BINS
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
  edges, index = _binned(confidence, bins)
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


def near(
    predictions: predictions_lib.Predictions,
    confidence: float,
    within: float = 0.05,
) -> tuple[int, float]:
  """Returns how many images are about so sure, and the fraction right.

  Args:
    predictions: n scored images.
    confidence: the probability of the predicted class.
    within: how far that of an image may be from it.

  Returns:
    The number of images, and the fraction of them that is right; NaN of none.
  """
  sure = predictions.probabilities.max(axis=1)
  about = np.abs(sure - confidence) <= within
  right = predictions.predicted[about] == predictions.labels[about]
  return int(about.sum()), float(right.mean()) if about.any() else np.nan


def expected_calibration_error(
    predictions: predictions_lib.Predictions, *, bins: int = _BINS
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


def debiased_error(
    predictions: predictions_lib.Predictions, *, bins: int = _BINS
) -> float:
  """Returns the expected calibration error without what chance adds.

  The distance of a bin is that of a normal variable from zero, whose mean is
  larger than its mean's distance (the bias that Broecker, 'Estimating
  reliability and resolution of probability forecasts through decomposition
  of the empirical score', Climate Dynamics 39, 2012, and Ferro and Fricker,
  'A bias-corrected decomposition of the Brier score', Q. J. R. Meteorol. Soc.
  138, 2012, remove from its square; Kumar et al., 'Verified uncertainty
  calibration', NeurIPS 2019). All distances are lowered by the one factor
  with which such variables, of the variance by group, would give the error
  that is seen.

  Args:
    predictions: n > 0 scored images.
    bins: number of bins of equal width.

  Returns:
    0 (as small as that of a calibrated network) to the plain error.

  Raises:
    ValueError: no image, or fewer than one bin.
  """
  _need_images(predictions)
  gaps, covariance = _gaps(predictions, bins)
  spread = np.sqrt(np.diag(covariance))
  raw = np.abs(gaps).sum()
  low, high = 0.0, 1.0
  if _folded(0 * gaps, spread).sum() >= raw:
    return 0.0
  for _ in range(_HALVINGS):
    middle = (low + high) / 2
    if _folded(middle * gaps, spread).sum() < raw:
      low = middle
    else:
      high = middle
  return float(low * raw)


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
  return float(_distances(predictions).mean())


def intervals(
    predictions: predictions_lib.Predictions,
    *,
    resamples: int,
    level: float,
    seed: int,
) -> dict[str, list[float] | None]:
  """Returns the intervals of the calibration error and the Brier score.

  The upper end of the error is that of the mean of the signed distances, each
  with the sign of its bin: the true error is not above their true mean. Below,
  a bin whose distance may be chance adds its size to the error whichever way
  it goes; the others add it with their sign (Fang and Santos, 'Inference on
  directionally differentiable functions', Review of Economic Studies 86(1),
  2019; which they are, by Andrews and Soares, Econometrica 78(1), 2010).

  Args:
    predictions: n > 0 scored images, by group if they have groups.
    resamples: draws for the lower end of the error.
    level: of the intervals.
    seed: of the PCG64 generator.

  Returns:
    `ece` and `brier`: [low, high], or None for a single group.
  """
  _need_images(predictions)
  unit = resampling.units(predictions)
  images, units = unit.size, int(unit.max()) + 1
  if units == 1:
    return {'ece': None, 'brier': None}
  gaps, covariance = _gaps(predictions, _BINS)
  error, signs = float(np.abs(gaps).sum()), np.sign(gaps)
  _, high = proportions.bounded_mean(
      error, float(signs @ covariance @ signs), images, units, level
  )
  sure = np.abs(gaps) > np.sqrt(np.log(units) * np.diag(covariance))
  root = np.linalg.svd(covariance, hermitian=True)
  generator = np.random.Generator(np.random.PCG64(seed))
  # Draws of t, as few groups do not tell their variance.
  drawn = generator.normal(size=(resamples, gaps.size)) / np.sqrt(
      generator.chisquare(units - 1, size=(resamples, 1)) / (units - 1)
  )
  drawn = drawn @ (np.sqrt(root.S)[:, np.newaxis] * root.Vh)
  added = np.where(sure, signs * drawn, np.abs(drawn)).sum(axis=1)
  low = max(error - float(np.quantile(added, (1 + level) / 2)), 0.0)
  loss = _distances(predictions) / 2
  variance = influence.covariance(
      (loss - loss.mean())[:, np.newaxis] / images, unit
  )
  brier = proportions.bounded_mean(
      float(loss.mean()), float(variance[0, 0]), images, units, level
  )
  return {
      'ece': [min(low, debiased_error(predictions)), min(high, 1.0)],
      'brier': [2 * x for x in brier],
  }


def _distances(predictions: predictions_lib.Predictions) -> np.ndarray:
  """Squared distances of the probabilities from the truth, 0 to 2: [n]."""
  truth = np.eye(len(predictions.class_names))[predictions.labels]
  return np.square(predictions.probabilities - truth).sum(axis=1)


def _binned(confidence: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
  """Returns the edges, [bins + 1], and the bin of each image, [n]."""
  edges = np.linspace(0, 1, bins + 1)
  return edges, np.digitize(confidence, edges[1:-1], right=True)


def _gaps(
    predictions: predictions_lib.Predictions, bins: int
) -> tuple[np.ndarray, np.ndarray]:
  """Returns accuracy less confidence by bin, times its fraction of the images.

  Returns:
    [bins], and their covariance by group, [bins, bins]. The variance of a bin
    is at least that of a calibrated network: two images that are right do not
    say that the next one will be.
  """
  confidence = predictions.probabilities.max(axis=1)
  apart = (predictions.predicted == predictions.labels) - confidence
  unit = resampling.units(predictions)
  place = np.arange(apart.size), _binned(confidence, bins)[1]
  each, calibrated = np.zeros((2, apart.size, bins))
  each[place] = apart
  calibrated[place] = np.sqrt(np.maximum(confidence * (1 - confidence), 0))
  gaps = each.mean(axis=0)
  covariance = influence.covariance((each - gaps) / apart.size, unit)
  least = (
      np.square(influence.by_unit(calibrated, unit)).sum(axis=0) / apart.size**2
  )
  seen = np.diag(covariance)
  scale = np.sqrt(np.maximum(least, seen) / np.where(seen > 0, seen, 1))
  scale[seen == 0] = 1.0
  covariance = covariance * np.outer(scale, scale)
  covariance[np.diag_indices(bins)] = np.maximum(least, seen)
  return gaps, covariance


def _folded(mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
  """Returns the mean distance of normal variables from zero."""
  ratio = mean / np.where(sd > 0, sd, 1)
  return np.where(
      sd > 0,
      sd * np.sqrt(2 / np.pi) * np.exp(-(ratio**2) / 2)
      + mean * (1 - 2 * special.ndtr(-ratio)),
      np.abs(mean),
  )


def _need_images(predictions: predictions_lib.Predictions) -> None:
  if not predictions.image_ids:
    raise ValueError('calibration needs at least one image')
