"""Protects what layers are compared with: answers that are known."""

import numpy as np
import pytest

from medxfer import errors
from medxfer.layerwise import similarity


def _features(n: int, width: int, seed: int = 0) -> np.ndarray:
  return np.random.default_rng(seed).normal(size=(n, width))


@pytest.mark.parametrize('n, width', [(50, 8), (40, 400)])
def test_features_are_like_themselves_turned_moved_and_scaled(
    n: int, width: int
) -> None:
  """Networks may hold the same features in another basis."""
  x = _features(n, width)
  turned = np.linalg.qr(_features(width, width, seed=1))[0]
  for y in (x, 3 * x + 5, x @ turned):
    assert similarity.linear_cka(x, y) == pytest.approx(1, abs=1e-9)


def test_stretching_a_direction_is_seen() -> None:
  """CKA is blind to rotations, not to every linear map."""
  x = _features(200, 8)
  stretched = x * np.array([30.0] + [1.0] * 7)
  assert similarity.linear_cka(x, stretched) < 0.6


def test_noise_is_near_zero_even_with_more_channels_than_images() -> None:
  """The plain estimator gives 0.87 here and calls everything alike."""
  found = [
      similarity.linear_cka(
          _features(60, 400, seed=2 * i), _features(60, 400, seed=2 * i + 1)
      )
      for i in range(20)
  ]
  assert abs(np.mean(found)) < 0.02
  assert max(map(abs, found)) < 0.15


def test_against_the_definition() -> None:
  """Sums over all pairs, triples and quadruples of different images."""
  x, y = _features(7, 3), _features(7, 2, seed=1)
  k, l = x @ x.T, y @ y.T
  expected = _hsic_by_definition(k, l) / np.sqrt(
      _hsic_by_definition(k, k) * _hsic_by_definition(l, l)
  )
  assert similarity.linear_cka(x, y) == pytest.approx(expected, rel=1e-9)


def test_constant_features_have_no_similarity() -> None:
  """A dead layer must not be called like another."""
  x = _features(20, 4)
  assert np.isnan(similarity.linear_cka(x, np.ones((20, 4))))


def test_too_few_images_are_refused() -> None:
  """The estimator would divide by zero."""
  with pytest.raises(errors.DataError, match='3 images are too few'):
    similarity.linear_cka(_features(3, 4), _features(3, 4))


def test_other_images_are_refused() -> None:
  """They would be compared row by row all the same."""
  with pytest.raises(ValueError, match='5 and of 6 images'):
    similarity.linear_cka(_features(5, 4), _features(6, 4))


def _hsic_by_definition(k: np.ndarray, l: np.ndarray) -> float:
  n, two, three, four = len(k), 0.0, 0.0, 0.0
  for i in range(n):
    for j in range(n):
      if j == i:
        continue
      two += k[i, j] * l[i, j]
      for q in range(n):
        if q in (i, j):
          continue
        three += k[i, j] * l[i, q]
        for r in range(n):
          if r not in (i, j, q):
            four += k[i, j] * l[q, r]
  return (
      two / (n * (n - 1))
      - 2 * three / (n * (n - 1) * (n - 2))
      + four / (n * (n - 1) * (n - 2) * (n - 3))
  )
