"""Cheap guesses at how well features transfer, without a test set.

They stand beside the index of `generality`, never instead of it.
"""

import numpy as np
from sklearn import covariance

_ROUNDS = 100
_CLOSE = 1e-9
_TINY = 1e-300  # Keeps a perfect fit from dividing by zero.


def log_me(features: np.ndarray, labels: np.ndarray) -> float:
  """Returns the logarithm of the maximum evidence of linear regressions.

  You et al., 'LogME: practical assessment of pre-trained models for transfer
  learning' (arXiv 2102.11005): the evidence of a linear model, a Gaussian
  prior of precision alpha on its weights and Gaussian noise of precision
  beta, at the alpha and beta that are most likely.

  Args:
    features: [n, d], those of n images.
    labels: int [n]; each class against all others is a regression of its own.

  Returns:
    Nats an image, the mean over classes; higher is better.
  """
  u, s, _ = np.linalg.svd(features.astype(np.float64), full_matrices=False)
  return float(np.mean([
      _log_evidence(u, s ** 2, (labels == value).astype(np.float64))
      for value in np.unique(labels)]))


def h_score(features: np.ndarray, labels: np.ndarray) -> float:
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
    means: 0 to the number of classes less one; higher is better.
  """
  features = features.astype(np.float64)
  features -= features.mean(axis=0)
  whole, shrinkage = covariance.ledoit_wolf(features, assume_centered=True)
  values, numbers = np.unique(labels, return_inverse=True)
  means = np.stack([features[labels == value].mean(axis=0)
                    for value in values])[numbers]
  # What shrinks the whole shrinks its part between the classes.
  between = (1 - shrinkage) * means.T @ means / len(means)
  return float(np.trace(np.linalg.solve(whole, between)))


def _log_evidence(
    u: np.ndarray, squares: np.ndarray, targets: np.ndarray
) -> float:
  """Returns the maximum log evidence of one regression, nats an image.

  Args:
    u: [n, r], left singular vectors of the features.
    squares: [r], their singular values, squared.
    targets: [n].
  """
  n = len(targets)
  # What the features can explain, by direction, and what they cannot.
  explained = (u.T @ targets) ** 2
  rest = max(float(targets @ targets - explained.sum()), 0.0)
  alpha, beta = 1.0, 1.0
  for _ in range(_ROUNDS):
    ratio = alpha / beta
    weights = (squares * explained / (squares + ratio) ** 2).sum()
    residual = (explained * (ratio / (squares + ratio)) ** 2).sum() + rest
    evidence = (
        len(squares) * np.log(alpha) + n * np.log(beta / (2 * np.pi))
        - beta * residual - alpha * weights
        - np.log(alpha + beta * squares).sum()) / (2 * n)
    used = (squares / (squares + ratio)).sum()
    alpha = used / max(weights, _TINY)
    beta = max(n - used, _TINY) / max(residual, _TINY)
    if abs(alpha / beta - ratio) <= _CLOSE * ratio:
      break
  return evidence
