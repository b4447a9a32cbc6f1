"""Protects the cheap diagnostics against direct evaluations."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import linalg
from scipy import optimize
from scipy import stats

from medxfer.layerwise import transferability


def _planted(
    n: int = 60,
    width: int = 12,
    classes: int = 3,
    apart: float = 2.0,
    seed: int = 0,
) -> tuple:
  draw = np.random.default_rng(seed)
  labels = draw.integers(0, classes, n)
  features = draw.normal(size=(n, width))
  features[:, :classes] += apart * np.eye(classes)[labels]
  return features, labels


def _evidence(
    features: np.ndarray, targets: np.ndarray, alpha: float, beta: float
) -> float:
  """The marginal likelihood itself, weights integrated out."""
  covariance = features @ features.T / alpha + np.eye(len(targets)) / beta
  return stats.multivariate_normal(cov=covariance).logpdf(targets)


@pytest.mark.parametrize('n, width', [(60, 12), (30, 80)])
@pytest.mark.parametrize('scale, mean', [(1, 0), (1e3, 50), (1e-6, -3)])
def test_log_me_is_the_greatest_evidence(
    n: int, width: int, scale: float, mean: int
) -> None:
  """Of all precisions, searched by a general optimizer; at any scale.

  The intercept is integrated out: all contrasts of the images are explained.
  """
  features, labels = _planted(n, width)
  contrasts = linalg.null_space(np.ones((1, n))).T
  best = []
  for value in range(3):
    targets = contrasts @ (labels == value)
    found = optimize.minimize(
        lambda logs: -_evidence(contrasts @ features, targets, *np.exp(logs)),
        (0.0, 0.0),
        method='Nelder-Mead',
        options={'xatol': 1e-9, 'fatol': 1e-10},
    )
    best.append(-found.fun / (n - 1))
  assert transferability.log_me(
      scale * (features + mean), labels
  ) == pytest.approx(np.mean(best), abs=1e-5)


def test_a_class_that_nothing_explains_has_a_finite_evidence() -> None:
  """Nor a precision without bound; 8e156 was seen."""
  draw = np.random.default_rng(0)
  features = np.abs(draw.normal(size=(200, 30))) + 5
  labels = np.arange(200) % 2
  features -= np.outer(2 * labels - 1, (2 * labels - 1) @ features) / 200
  assert transferability.log_me(features, labels) == pytest.approx(
      0.5 * np.log(199 / (2 * np.pi * 50)) - 0.5, abs=1e-6
  )


@pytest.mark.parametrize(
    'score', [transferability.log_me, transferability.h_score]
)
@pytest.mark.parametrize(
    'features',
    [
        np.zeros((40, 5)),
        np.full((40, 5), 7.3),
        np.full((40, 5), 1e-300),
        np.full((40, 5), np.nan),
        np.full((40, 5), np.inf),
        np.zeros((40, 0)),
    ],
)
def test_a_layer_that_does_not_vary_says_nothing(
    score: Callable[..., Any], features: np.ndarray
) -> None:
  """A dead layer of a trained network must not end the study."""
  assert score(features, np.arange(40) % 2) is None


@pytest.mark.parametrize(
    'score', [transferability.log_me, transferability.h_score]
)
def test_a_single_class_says_nothing(score: Callable[..., Any]) -> None:
  """There is nothing to explain."""
  assert score(_planted()[0], np.zeros(60, int)) is None
  assert score(_planted()[0][:2], np.arange(2)) is None


@pytest.mark.parametrize('scale', [1e-8, 1, 100, 1e8])
def test_an_exact_fit_has_no_bound_and_is_not_minus_infinity(
    scale: float,
) -> None:
  """Few directions that fit all images; with as many as images it is finite."""
  labels = np.arange(40) % 2
  exact = scale * np.stack(
      [labels, np.random.default_rng(0).normal(size=40)], axis=1
  )
  assert transferability.log_me(exact, labels) is None
  assert 0 <= transferability.h_score(exact, labels) <= 1
  wide = scale * np.random.default_rng(0).normal(size=(40, 90))
  assert np.isfinite(transferability.log_me(wide, labels))


def test_dead_channels_change_little() -> None:
  """A ReLU that is off for all images holds nothing, and hides nothing."""
  features, labels = _planted(200, 12)
  dead = np.hstack([features, np.zeros((200, 20))])
  assert transferability.log_me(dead, labels) == pytest.approx(
      transferability.log_me(features, labels), abs=1e-6
  )
  assert np.isfinite(transferability.h_score(dead, labels))


@pytest.mark.parametrize(
    'score', [transferability.log_me, transferability.h_score]
)
def test_planted_classes_score_higher_the_further_they_are_apart(
    score: Callable[..., Any],
) -> None:
  """And neither cares how the labels are numbered."""
  scores = [score(*_planted(200, 12, apart=apart)) for apart in (0, 1, 3)]
  assert scores[0] < scores[1] < scores[2]
  features, labels = _planted(200, 12)
  assert score(features, 2 - labels) == pytest.approx(score(features, labels))


def test_h_score_is_the_share_between_classes() -> None:
  """With many images shrinkage is nothing, and the plain formula holds."""
  features, labels = _planted(20000, 4)
  centred = features - features.mean(0)
  means = np.stack([centred[labels == value].mean(0) for value in range(3)])[
      labels
  ]
  plain = np.trace(np.linalg.inv(np.cov(centred.T)) @ np.cov(means.T))
  assert transferability.h_score(features, labels) == pytest.approx(
      plain, rel=2e-3
  )


def test_more_channels_than_images_are_no_perfect_fit() -> None:
  """The plain H-score of noise would be the number of classes less one."""
  features, labels = _planted(40, 400, apart=0)
  assert 0 <= transferability.h_score(features, labels) < 1
