"""Protects the index: on layers whose answer is known, and its interval."""

import numpy as np
import pytest

from medxfer.evaluation import predictions as predictions_lib
from medxfer.layerwise import generality
from medxfer.layerwise import probes

_CLASSES = ('a', 'b', 'c')


def _images(
    labels: np.ndarray, groups: tuple | None = None
) -> predictions_lib.Predictions:
  n = len(labels)
  return predictions_lib.Predictions(
      image_ids=tuple(map(str, range(n))),
      labels=labels,
      probabilities=np.full((n, 3), 1 / 3),
      class_names=_CLASSES,
      groups=groups or tuple(map(str, range(n))),
  )


@pytest.fixture(scope='module')
def network() -> tuple:
  """Features of four layers: three networks, of which the layers are known.

  The transferred network's first two layers know the classes as well as the
  task's own do, the third half of that, the last nothing.
  """
  draw = np.random.default_rng(0)
  labels = draw.integers(0, 3, 1200)
  signal = {
      'transferred': (1.0, 2.0, 1.0, 0.0),
      'own': (1.0, 2.0, 3.0, 4.0),
      'random': (0.3, 0.3, 0.0, 0.0),
  }
  readings = {}
  for name, strengths in signal.items():
    readings[name] = {}
    for number, strength in enumerate(strengths):
      features = draw.normal(size=(1200, 6))
      features[:, :3] += strength * np.eye(3)[labels]
      readings[name][f'layer{number}'] = probes.predict(
          features[:600], labels[:600], features[600:]
      )
  return _images(labels[600:]), readings


def test_general_layers_are_told_from_specific_ones(network: tuple) -> None:
  """1, 1, about a half, 0."""
  images, readings = network
  found = generality.indices(images, **readings, resamples=200)
  index = [found[f'layer{n}'].index for n in range(4)]
  assert min(index[:2]) > 0.9 and 0.3 < index[2] < 0.8 and index[3] < 0.1
  for one in found.values():
    low, high = one.interval
    assert 0 <= low <= one.index <= high <= 1


def test_the_index_is_its_formula() -> None:
  """By hand: of six images, four, five and two are read rightly."""
  labels = np.array([0, 1, 2, 0, 1, 2])
  read = {
      name: {'x': np.where(np.arange(6) < right, labels, (labels + 1) % 3)}
      for name, right in (('transferred', 4), ('own', 5), ('random', 2))
  }
  found = generality.indices(_images(labels), **read, resamples=10)['x']
  assert found.index == pytest.approx(
      (found.transferred - found.random) / (found.own - found.random)
  )
  assert found.random < found.transferred < found.own


def test_without_an_advantage_over_random_filters_there_is_no_index() -> None:
  """0 / 0 is no finding."""
  labels = np.arange(30) % 3
  same = {'x': labels}
  found = generality.indices(_images(labels), same, same, same, resamples=5)
  assert found['x'].index is None and found['x'].interval is None


def test_images_of_one_group_are_drawn_together(network: tuple) -> None:
  """The interval of few lesions is wider than that of many images."""
  images, readings = network
  groups = tuple(str(n // 40) for n in range(len(images.labels)))
  wide = generality.indices(
      _images(images.labels, groups), **readings, resamples=400
  )
  narrow = generality.indices(images, **readings, resamples=400)
  assert wide['layer2'].index == narrow['layer2'].index
  assert wide['layer2'].interval != narrow['layer2'].interval


def test_agreement_with_a_curve() -> None:
  """1 for the same order, -1 for the reverse, None for a flat curve."""
  layers = {
      name: generality.Generality(value, None, 0, 0, 0)
      for name, value in (('a', 0.9), ('b', 0.6), ('c', 0.2), ('d', None))
  }
  lost = {'a': 0.0, 'b': 0.1, 'c': 0.3, 'd': 0.5}
  assert generality.agreement(layers, lost) == (pytest.approx(1), 3)
  turned = {name: -value for name, value in lost.items()}
  assert generality.agreement(layers, turned) == (pytest.approx(-1), 3)
  assert generality.agreement(layers, dict.fromkeys(lost, 0.1)) == (None, 3)
