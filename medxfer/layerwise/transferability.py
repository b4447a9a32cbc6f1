"""Cheap guesses at how well features transfer, without a test set.

They stand beside the index of `generality`, never instead of it. Both look at
how features vary: their mean is taken out and their scale does not matter.
Where there is nothing to look at, a layer that is the same for all images or
a single class, they say None.
"""

import numpy as np
from scipy import optimize
from sklearn import covariance

# Least ratio of a direction to the largest one.
_FLAT = 1e-10
# Features that vary less, by their size, are float32 that is rounded.
_CONSTANT = 1e-7
_ROUNDED_OFF = 1e-6
# Ratios of the precisions, in units of the features' mean square: wider than
# any that data tell from nothing explained, or from all.
_RATIOS = np.logspace(-8, 8, 161)
# A fraction of the targets that is rounding.
_ROUNDING = 1e-12


def log_me(features: np.ndarray, labels: np.ndarray) -> float | None:
  """Returns the logarithm of the maximum evidence of linear regressions.

  You et al., 'LogME: practical assessment of pre-trained models for transfer
  learning' (arXiv 2102.11005): the evidence of a linear model, a Gaussian
  prior of precision alpha on its weights and Gaussian noise of precision
  beta, at the alpha and beta that are most likely. Unlike theirs it has an
  intercept, which counts for one image: without one, features of a mean far
  from zero explain by it, and classes that nothing explains have no finite
  alpha. For a given alpha / beta the best beta is known, so that one number
  is searched for, within bounds.

  Args:
    features: [n, d], those of n images.
    labels: int [n]; each class against all others is a regression of its own.

  Returns:
    Nats an image, the mean over classes; higher is better. None if the
    features do not vary or are not finite, if there is one class, or if a
    class is fitted exactly with fewer directions than images: its evidence
    has no bound.
  """
  centred = _centred(features)
  values = np.unique(labels)
  if centred is None or len(values) < 2:
    return None
  u, s, _ = np.linalg.svd(centred, full_matrices=False)
  kept = s > _FLAT * s[0]
  found = [
      _log_evidence(u[:, kept], s[kept] ** 2, (labels == value) * 1.0)
      for value in values
  ]
  known = [value for value in found if value is not None]
  return float(np.mean(known)) if len(known) == len(found) else None


def h_score(features: np.ndarray, labels: np.ndarray) -> float | None:
  """Returns how much of the features' spread lies between the classes.

  Bao et al., 'An information-theoretic approach to transferability in task
  transfer learning' (ICIP 2019), with the shrunk covariance of Ibrahim et
  al., 'Newer is not always better' (arXiv 2110.06893): the plain one has no
  inverse if there are more features than images.

  Args:
    features: [n, d], those of n images.
    labels: int [n].

  Returns:
    The trace of the inverse covariance times the covariance of the classes'
    means: 0 to the number of classes less one; higher is better. None if the
    features do not vary or are not finite, if there is one class, or if
    their covariance has no inverse.
  """
  centred = _centred(features)
  values, numbers = np.unique(labels, return_inverse=True)
  if centred is None or len(values) < 2:
    return None
  whole, shrinkage = covariance.ledoit_wolf(centred, assume_centered=True)
  means = np.stack([centred[labels == value].mean(axis=0) for value in values])[
      numbers
  ]
  # What shrinks the whole shrinks its part between the classes.
  between = (1 - shrinkage) * means.T @ means / len(means)
  try:
    score = float(np.trace(np.linalg.solve(whole, between)))
  except np.linalg.LinAlgError:
    return None
  most = len(values) - 1
  if not -_ROUNDED_OFF < score < most + _ROUNDED_OFF:
    return None  # The covariance has hardly an inverse.
  return min(max(score, 0.0), float(most))


def _centred(features: np.ndarray) -> np.ndarray | None:
  """Returns features of mean 0 and mean square 1, or None if there are none.

  Args:
    features: [n, d].
  """
  if len(features) < 3 or not np.isfinite(features).all():
    return None
  features = features.astype(np.float64)
  largest = np.abs(features).max(initial=0)
  if not largest:
    return None
  features = features / largest
  features -= features.mean(axis=0)
  spread = np.sqrt(np.square(features).mean())
  return features / spread if spread > _CONSTANT else None


def _log_evidence(
    u: np.ndarray, squares: np.ndarray, targets: np.ndarray
) -> float | None:
  """Returns the maximum log evidence of one regression, nats an image.

  Args:
    u: [n, r], left singular vectors of the centred features.
    squares: [r], their singular values, squared.
    targets: [n], neither all 0 nor all 1.
  """
  n = len(targets) - 1  # The intercept takes one.
  targets = targets - targets.mean()
  # What the features can explain, by direction, and what they cannot.
  explained = (u.T @ targets) ** 2
  rest = float(targets @ targets - explained.sum())
  if rest < _ROUNDING * float(targets @ targets):
    if len(squares) < n:
      return None
    rest = 0.0

  def evidence(logarithm: float) -> float:
    ratio = np.exp(logarithm)
    # n over the best beta.
    noise = rest + (explained * ratio / (squares + ratio)).sum()
    return (
        n * np.log(n / (2 * np.pi * noise))
        - n
        - np.log1p(squares / ratio).sum()
    ) / (2 * n)

  ratios = np.log(_RATIOS * squares.mean())
  best = int(np.argmax([evidence(ratio) for ratio in ratios]))
  found = optimize.minimize_scalar(
      lambda ratio: -evidence(ratio),
      method='bounded',
      bounds=(ratios[max(best - 1, 0)], ratios[min(best + 1, len(ratios) - 1)]),
  )
  return float(max(-found.fun, evidence(ratios[best])))
