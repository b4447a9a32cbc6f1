"""Random starts: what an image becomes on its way up an untrained network."""

import jax
import jax.numpy as jnp
import pytest

from medxfer.model import layers
from medxfer.model import start
from medxfer.model import vgg16


def _spreads(initializer):
  """Returns the root mean square of every convolution's activations."""
  model = vgg16.VGG16(2, head_units=(4, 4), initializer=initializer)
  params = start.initial_params(model, (32, 32), jax.random.key(0), None)
  images = jax.random.normal(jax.random.key(1), (4, 32, 32, 3))
  _, activations = model.apply({'params': params}, images)
  return [float(jnp.sqrt((activations[name] ** 2).mean()))
          for name in layers.CONVOLUTIONS]


def test_he_keeps_the_signal_where_glorot_loses_it():
  """Thirteen halvings of the variance leave a hundredth of an image."""
  he, glorot = _spreads('he_normal'), _spreads('glorot_uniform')
  assert 0.5 < he[-1] / he[0] < 2
  assert glorot[-1] / glorot[0] < 0.1


def test_every_initializer_of_the_specification_is_known():
  """A word that the specification allows must not fail after decoding."""
  import typing

  from medxfer import spec as specs
  hints = typing.get_type_hints(specs.ModelSpec)
  assert set(vgg16.INITIALIZERS) == set(typing.get_args(hints['initializer']))


@pytest.mark.parametrize('initializer', vgg16.INITIALIZERS)
def test_a_pretrained_start_ignores_the_initializer(initializer):
  """Only the head is drawn, by its own rule."""
  backbone = {name: {'kernel': jnp.full(shape['kernel'], 0.5),
                     'bias': jnp.zeros(shape['bias'])}
              for name, shape in layers.backbone_shapes().items()}
  model = vgg16.VGG16(2, head_units=(4, 4), initializer=initializer)
  params = start.initial_params(model, (32, 32), jax.random.key(0), backbone)
  plain = start.initial_params(
      vgg16.VGG16(2, head_units=(4, 4)), (32, 32), jax.random.key(0), backbone)
  assert all((params['fc1'][leaf] == plain['fc1'][leaf]).all()
             for leaf in plain['fc1'])
  assert (params['block3_conv2']['kernel'] == 0.5).all()
