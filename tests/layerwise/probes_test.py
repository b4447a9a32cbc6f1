"""Protects the probes: they find what is planted, and refuse what is not."""

import numpy as np
import pytest

from medxfer import errors
from medxfer.layerwise import probes


def _planted(n: int, strength: float, seed: int = 0) -> tuple:
  draw = np.random.default_rng(seed)
  labels = draw.choice(3, n, p=(0.7, 0.2, 0.1))
  features = draw.normal(size=(n, 50)) * 10.0 ** draw.integers(-3, 3, 50)
  features[:, :3] += strength * np.eye(3)[labels] * features.std(0)[:3]
  return features, labels


def test_planted_classes_are_found_whatever_the_scale() -> None:
  """Channels of a network differ by orders of magnitude."""
  features, labels = _planted(900, 8.0)
  read = probes.predict(features[:600], labels[:600], features[600:])
  assert np.mean(read == labels[600:]) > 0.97


def test_noise_is_read_as_chance() -> None:
  """More features than a class has images must not be learnt by heart."""
  features, labels = _planted(900, 0.0)
  read = probes.predict(features[:600], labels[:600], features[600:])
  recalls = [
      np.mean(read[labels[600:] == value] == value) for value in range(3)
  ]
  assert np.mean(recalls) == pytest.approx(1 / 3, abs=0.12)


def test_a_rare_class_is_not_given_up() -> None:
  """Weighing classes alike is what a macro F1 asks for."""
  features, labels = _planted(2000, 3.0)
  read = probes.predict(features[:1000], labels[:1000], features[1000:])
  rare = labels[1000:] == 2
  assert np.mean(read[rare] == 2) > 0.8


def test_channels_that_are_dead_do_no_harm() -> None:
  """Rectified layers have some that never fire."""
  features, labels = _planted(300, 8.0)
  features[:, 10] = 0
  read = probes.predict(features[:200], labels[:200], features[200:])
  assert np.mean(read == labels[200:]) > 0.95


def test_a_class_with_one_image_is_refused_by_name() -> None:
  """Before anything is computed, not in the middle of thirteen probes."""
  labels = np.array([0, 0, 1, 2, 2])
  with pytest.raises(errors.DataError, match='class b: 1 image'):
    probes.refuse_too_few(labels, ('a', 'b', 'c'))
  with pytest.raises(errors.DataError, match='class d: 0 images'):
    probes.refuse_too_few(labels[labels != 1], ('a', 'd', 'c'))
  probes.refuse_too_few(np.repeat(labels, 2), ('a', 'b', 'c'))
