"""Protects Grad-CAM: the published formula, for the right class, cheaply."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

from medxfer import errors
from medxfer.explain import gradcam
from medxfer.model import architectures
from medxfer.model import vgg
from tests.explain import networks

_VGG16 = architectures.BY_NAME['vgg16']

_SIZE = (32, 64)
# Class 0 is for channel 0, class 1 for channel 1, class 2 against channel 0.
_HEAD = [[1, 0, -1], [0, 1, 0], [0, 0, 0]]


def _images(batch: int = 2) -> np.ndarray:
  rng = np.random.default_rng(1)
  return rng.uniform(0, 1, (batch, *_SIZE, 3)).astype(np.float32)


@pytest.mark.parametrize(
    'layer',
    [
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ('block1_conv1', 'block2_conv2', 'block3_conv2')
        ),
        'block4_conv3',
        'block5_conv1',
        'block5_conv3',
    ],
)
def test_a_class_lights_the_places_of_its_own_evidence(layer: str) -> None:
  """In a network that hands images on, the map is the class' channel."""
  model = vgg.VGG(_VGG16, 3, head_units=(3, 3))
  images = _images()
  maps = gradcam.gradcam(
      model, layer, networks.transparent(_SIZE, _HEAD), images, np.array([0, 1])
  )
  seen = networks.pooled(images, layer)
  for found, channel in zip(maps, (seen[0, ..., 0], seen[1, ..., 1])):
    np.testing.assert_allclose(found, channel / channel.max(), rtol=1e-5)


def test_one_place_that_speaks_for_the_class_is_the_only_one_lit() -> None:
  """A red spot among green ones: the red class sees the red spot."""
  images = np.zeros((1, *_SIZE, 3), np.float32)
  images[0, 20, 35, 0] = 1
  images[0, [5, 30], [5, 60], 1] = 5
  maps = gradcam.gradcam(
      vgg.VGG(_VGG16, 3, head_units=(3, 3)),
      'block5_conv3',
      networks.transparent(_SIZE, _HEAD),
      images,
      np.array([0]),
  )
  expected = np.zeros((2, 4))
  expected[20 // 16, 35 // 16] = 1
  np.testing.assert_array_equal(maps[0], expected)


def test_where_nothing_speaks_for_the_class_the_map_is_zero() -> None:
  """Evidence against a class is none for it, and 0 / 0 is no number."""
  maps = gradcam.gradcam(
      vgg.VGG(_VGG16, 3, head_units=(3, 3)),
      'block5_conv3',
      networks.transparent(_SIZE, _HEAD),
      _images(1),
      np.array([2]),
  )
  np.testing.assert_array_equal(maps, np.zeros((1, 2, 4)))


def test_the_last_convolution_equals_a_computation_by_hand() -> None:
  """Equations 1 and 2 with the chain rule written out, in float64."""
  model = vgg.VGG(_VGG16, 5, head_units=(16, 16))
  params, images = networks.random(_SIZE, 5), _images() - 0.5
  classes = np.array([3, 2])
  maps = gradcam.compile_gradcam(model, 'block5_conv3')(params, images, classes)
  _, activations = model.apply({'params': params}, images)
  fc1, fc2, last = (
      {leaf: np.float64(value) for leaf, value in params[name].items()}
      for name in _VGG16.head
  )
  for found, activation, chosen in zip(
      maps, np.float64(activations['block5_conv3']), classes
  ):
    height, width, channels = activation.shape
    pooled = activation.reshape(height // 2, 2, width // 2, 2, channels).max(
        (1, 3)
    )
    first = pooled.reshape(-1) @ fc1['kernel'] + fc1['bias']
    second = np.maximum(first, 0) @ fc2['kernel'] + fc2['bias']
    back = last['kernel'][:, chosen] * (second > 0)
    back = fc1['kernel'] @ (fc2['kernel'] @ back * (first > 0))
    # A pooling hands its gradient to one of its four places.
    weights = back.reshape(-1, channels).sum(0) / (height * width)
    heat = np.maximum(activation @ weights, 0)
    assert heat.max() > 0
    np.testing.assert_allclose(found, heat / heat.max(), atol=1e-4)


def test_an_earlier_layer_equals_finite_differences() -> None:
  """Heat of a place: how the logit moves if all become a bit more like it."""
  layer, chosen = 'block5_conv1', 4
  model = vgg.VGG(_VGG16, 5, head_units=(16, 16))
  params, images = networks.random(_SIZE, 5), _images(1) - 0.5
  _, activations = model.apply({'params': params}, images)
  activation = np.asarray(activations[layer])

  @jax.jit
  def logit(activation: jax.Array) -> jax.Array:
    return model.apply({'params': params}, activation, first='block5_conv2')[0][
        0, chosen
    ]

  def moved(row: int, column: int) -> jax.Array:
    step = 3e-4 * activation[:, row : row + 1, column : column + 1]
    return logit(activation + step) - logit(activation - step)

  heat = np.array(
      [[moved(row, column) for column in range(4)] for row in range(2)]
  )
  heat = np.maximum(heat, 0)
  assert np.count_nonzero(heat) > 1
  maps = gradcam.compile_gradcam(model, layer)(
      params, images, np.array([chosen])
  )
  # Of thousands of ReLUs a few switch within any step.
  np.testing.assert_allclose(maps[0], heat / heat.max(), atol=2e-2)


def test_an_explanation_costs_about_as_much_as_a_prediction() -> None:
  """Layers below the one that is looked at must take no backward pass."""
  model = vgg.VGG(_VGG16, 5, head_units=(16, 16))
  params, images = networks.random(_SIZE, 5), _images()

  def work(function: Callable[..., Any], *args: Any) -> float:
    return jax.jit(function).lower(*args).compile().cost_analysis()['flops']

  predicted = work(
      lambda p, x: model.apply({'params': p}, x)[0], params, images
  )
  explained = work(
      gradcam.compile_gradcam(model, 'block5_conv3'),
      params,
      images,
      np.array([0, 1]),
  )
  assert explained < 1.1 * predicted


@pytest.mark.parametrize('layer', ['block5_pool', 'fc1', 'block6_conv1'])
def test_what_is_no_convolution_is_refused(layer: str) -> None:
  """The message says what there is."""
  with pytest.raises(errors.UsageError, match='block1_conv1.*block5_conv3'):
    gradcam.compile_gradcam(vgg.VGG(_VGG16, 2), layer)


@pytest.mark.parametrize(
    'side, layer',
    [
        (224, 'block5_conv3'),
        (96, 'block5_conv3'),
        (64, 'block4_conv3'),
        (48, 'block4_conv3'),
        (32, 'block3_conv3'),
    ],
)
def test_small_images_are_looked_at_lower_down(side: int, layer: str) -> None:
  """Four by four places light up corners and say nothing of where."""
  assert gradcam.layer_for(_VGG16, (side, side)) == layer
  assert gradcam.layer_for(_VGG16, (side, 2 * side)) == layer
