"""Random starts: what an image becomes on its way up an untrained network."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medxfer.model import architectures
from medxfer.model import initialization
from medxfer.model import vgg

_VGG16 = architectures.BY_NAME['vgg16']


def _spreads(initializer: str) -> Any:
  """Returns the root mean square of every convolution's activations."""
  model = vgg.VGG(_VGG16, 2, head_units=(4, 4), initializer=initializer)
  params = initialization.initial_params(
      model, (32, 32), jax.random.key(0), None
  )
  images = jax.random.normal(jax.random.key(1), (4, 32, 32, 3))
  _, activations = model.apply({'params': params}, images)
  return [
      float(jnp.sqrt((activations[name] ** 2).mean()))
      for name in _VGG16.convolutions
  ]


@pytest.mark.slow
def test_he_keeps_the_signal_where_glorot_loses_it() -> None:
  """Thirteen halvings of the variance leave a hundredth of an image."""
  he, glorot = _spreads('he_normal'), _spreads('glorot_uniform')
  assert 0.5 < he[-1] / he[0] < 2
  assert glorot[-1] / glorot[0] < 0.1


def test_every_initializer_of_the_specification_is_known() -> None:
  """A word that the specification allows must not fail after decoding."""
  import typing

  from medxfer import spec as specs

  hints = typing.get_type_hints(specs.ModelSpec)
  assert set(vgg.INITIALIZERS) == set(typing.get_args(hints['initializer']))


@pytest.mark.slow
def test_only_the_named_layers_are_transferred() -> None:
  """The others are those of a random start with the same seed."""
  backbone = {
      name: {
          'kernel': jnp.full(shape['kernel'], 0.5),
          'bias': jnp.full(shape['bias'], 0.25),
      }
      for name, shape in _VGG16.backbone_shapes().items()
  }
  model, key = vgg.VGG(_VGG16, 2, head_units=(4, 4)), jax.random.key(0)
  plain = initialization.initial_params(model, (32, 32), key, None)
  for names in ((), ('block1_conv1', 'block1_conv2')):
    params = initialization.initial_params(
        model, (32, 32), key, backbone, names
    )
    assert list(params) == list(_VGG16.layers)
    for name in _VGG16.layers:
      expected = (backbone if name in names else plain)[name]
      assert all(
          (params[name][leaf] == expected[leaf]).all() for leaf in expected
      )


def test_statistics_are_all_that_is_inherited() -> None:
  """Mean and variance of every array stay, no pattern does."""
  draw = np.random.default_rng(0)
  backbone = {
      'block3_conv1': {
          'kernel': draw.gamma(2.0, 0.01, (3, 3, 128, 256)).astype(np.float32),
          'bias': np.full(256, 0.5, np.float32),
      }
  }
  redrawn = initialization.redrawn(backbone, seed=1)['block3_conv1']
  old, new = backbone['block3_conv1']['kernel'], redrawn['kernel']
  assert new.shape == old.shape and new.dtype == np.float32
  assert new.mean() == pytest.approx(old.mean(), rel=0.01)
  assert new.std() == pytest.approx(old.std(), rel=0.01)
  assert abs(np.corrcoef(new.ravel(), old.ravel())[0, 1]) < 0.01
  assert (redrawn['bias'] == 0.5).all()
  assert (
      initialization.redrawn(backbone, seed=1)['block3_conv1']['kernel'] == new
  ).all()
  assert not (
      initialization.redrawn(backbone, seed=2)['block3_conv1']['kernel'] == new
  ).any()


@pytest.mark.parametrize('initializer', vgg.INITIALIZERS)
def test_a_pretrained_start_ignores_the_initializer(initializer: str) -> None:
  """Only the head is drawn, by its own rule."""
  backbone = {
      name: {
          'kernel': jnp.full(shape['kernel'], 0.5),
          'bias': jnp.zeros(shape['bias']),
      }
      for name, shape in _VGG16.backbone_shapes().items()
  }
  model = vgg.VGG(_VGG16, 2, head_units=(4, 4), initializer=initializer)
  params = initialization.initial_params(
      model, (32, 32), jax.random.key(0), backbone
  )
  plain = initialization.initial_params(
      vgg.VGG(_VGG16, 2, head_units=(4, 4)),
      (32, 32),
      jax.random.key(0),
      backbone,
  )
  assert all(
      (params['fc1'][leaf] == plain['fc1'][leaf]).all() for leaf in plain['fc1']
  )
  assert (params['block3_conv2']['kernel'] == 0.5).all()
