"""Protects the activations: the named layer's, no more work than needed."""

import jax
import numpy as np
import pytest

from medxfer import errors
from medxfer.explain import activation_maps
from medxfer.model import architectures
from medxfer.model import vgg
from tests.explain import networks

_VGG16 = architectures.BY_NAME['vgg16']

_SIZE = (32, 64)


def _images() -> np.ndarray:
  rng = np.random.default_rng(2)
  return rng.uniform(0, 1, (2, *_SIZE, 3)).astype(np.float32)


def _model() -> vgg.VGG:
  return vgg.VGG(_VGG16, 3, head_units=(3, 3))


@pytest.mark.parametrize('layer', ['block1_conv2', 'block3_pool'])
def test_the_named_layer_is_returned(layer: str) -> None:
  """A network that hands images on shows the image, pooled."""
  images = _images()
  activate = activation_maps.compile_activations(_model(), layer)
  found = activate(networks.transparent(_SIZE, np.eye(3)), images)
  seen = networks.pooled(images, layer)
  # Winograd's additions round by the largest of a tile.
  np.testing.assert_allclose(
      found[..., :3], seen, rtol=0, atol=1e-6 * seen.max()
  )
  assert not np.any(found[..., 3:])
  np.testing.assert_allclose(
      activation_maps.mean_map(np.asarray(found)),
      seen.sum(-1) / found.shape[-1],
      rtol=1e-5,
  )


def test_every_name_is_an_activation_of_the_network() -> None:
  """The list that the flags offer, in the order of the network."""
  _, made = jax.eval_shape(
      lambda p, x: _model().apply({'params': p}, x),
      networks.transparent(_SIZE, np.eye(3)),
      _images(),
  )
  assert set(made) == set(_VGG16.activations)
  assert _VGG16.activations[:4] == (
      'block1_conv1',
      'block1_conv2',
      'block1_pool',
      'block2_conv1',
  )


def test_layers_above_cost_nothing() -> None:
  """The first layer must not wait for the other twelve."""
  params, images = networks.transparent(_SIZE, np.eye(3)), _images()

  def work(layer: str) -> float:
    activate = activation_maps.compile_activations(_model(), layer)
    return activate.lower(params, images).compile().cost_analysis()['flops']

  assert work('block1_conv1') < 0.1 * work('block2_pool')


def test_the_strongest_channels_come_first() -> None:
  """By their means, not by one bright pixel."""
  activation = np.zeros((4, 4, 5), np.float32)
  activation[0, 0, 1] = 10
  activation[..., 3] = 1
  activation[..., 2] = 2
  assert activation_maps.strongest(activation, 3).tolist() == [2, 3, 1]


def test_an_unknown_layer_is_refused() -> None:
  """The message says what there is."""
  with pytest.raises(errors.UsageError, match='block1_conv1.*block5_pool'):
    activation_maps.compile_activations(_model(), 'block6_conv1')
