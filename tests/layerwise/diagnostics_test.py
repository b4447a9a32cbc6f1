"""Protects the cheap diagnostics against direct evaluations."""

import numpy as np
import pytest
from scipy import optimize
from scipy import stats

from medxfer.layerwise import diagnostics


def _planted(n=60, width=12, classes=3, apart=2.0, seed=0):
  draw = np.random.default_rng(seed)
  labels = draw.integers(0, classes, n)
  features = draw.normal(size=(n, width))
  features[:, :classes] += apart * np.eye(classes)[labels]
  return features, labels


def _evidence(features, targets, alpha, beta):
  """The marginal likelihood itself, weights integrated out."""
  covariance = features @ features.T / alpha + np.eye(len(targets)) / beta
  return stats.multivariate_normal(cov=covariance).logpdf(targets)


@pytest.mark.parametrize('n, width', [(60, 12), (30, 80)])
def test_log_me_is_the_greatest_evidence(n, width):
  """Of all precisions, searched by a general optimizer."""
  features, labels = _planted(n, width)
  best = []
  for value in range(3):
    targets = (labels == value).astype(float)
    found = optimize.minimize(
        lambda logs: -_evidence(features, targets, *np.exp(logs)), (0., 0.),
        method='Nelder-Mead', options={'xatol': 1e-9, 'fatol': 1e-10})
    best.append(-found.fun / n)
  assert diagnostics.log_me(features, labels) == pytest.approx(
      np.mean(best), abs=1e-5)


@pytest.mark.parametrize('score', [diagnostics.log_me, diagnostics.h_score])
def test_planted_classes_score_higher_the_further_they_are_apart(score):
  """And neither cares how the labels are numbered."""
  scores = [score(*_planted(200, 12, apart=apart)) for apart in (0, 1, 3)]
  assert scores[0] < scores[1] < scores[2]
  features, labels = _planted(200, 12)
  assert score(features, 2 - labels) == pytest.approx(score(features, labels))


def test_h_score_is_the_share_between_classes():
  """With many images shrinkage is nothing, and the plain formula holds."""
  features, labels = _planted(20000, 4)
  centred = features - features.mean(0)
  means = np.stack([centred[labels == value].mean(0)
                    for value in range(3)])[labels]
  plain = np.trace(
      np.linalg.inv(np.cov(centred.T)) @ np.cov(means.T))
  assert diagnostics.h_score(features, labels) == pytest.approx(
      plain, rel=2e-3)


def test_more_channels_than_images_are_no_perfect_fit():
  """The plain H-score of noise would be the number of classes less one."""
  features, labels = _planted(40, 400, apart=0)
  assert 0 <= diagnostics.h_score(features, labels) < 1
