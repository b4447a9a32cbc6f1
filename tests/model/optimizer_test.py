"""Protects the optimizer: which leaf moves how far."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from medxfer import spec as specs
from medxfer.model import architectures
from medxfer.model import optimizer
from medxfer.model import trainable
from medxfer.recipes import ham
from medxfer.training import strategy

_VGG16 = architectures.BY_NAME['vgg16']


@pytest.fixture
def params() -> dict:
  """Two numbers a layer."""
  return {name: {'kernel': jnp.array([0.5, -0.25])} for name in _VGG16.layers}


def _moved(params: dict, arm: str, **changes: Any) -> dict:
  """Returns how far each leaf goes in three steps along the same gradient."""
  config = ham.get_config(f'{arm},tuned')
  config.optimizer.update(**changes)
  spec = specs.from_config(config)
  plan = strategy.resolve(spec)
  mask = trainable.mask(params, plan.trained)
  tx = optimizer.make(spec.optimizer, mask, plan.rates, steps=10, epoch=5)
  gradient = jax.tree.map(lambda leaf: 3 * leaf + 1, params)
  state, way = tx.init(params), jax.tree.map(np.zeros_like, params)
  for _ in range(3):
    updates, state = tx.update(gradient, state, params)
    way = jax.tree.map(np.add, way, updates)
  return way


@pytest.mark.parametrize('name', ['sgd', 'momentum', 'adam', 'adamw'])
def test_the_backbone_moves_by_its_factor_and_the_head_does_not(
    params: dict, name: str
) -> None:
  """A factor on the gradient would do nothing under Adam."""
  changes = {'name': name, 'weight_decay': 0.0}
  whole = _moved(params, 'all', **changes, backbone_factor=1.0)
  part = _moved(params, 'all', **changes, backbone_factor=0.1)
  for layer in _VGG16.layers:
    factor = 1.0 if layer in _VGG16.head else 0.1
    np.testing.assert_allclose(
        part[layer]['kernel'], factor * whole[layer]['kernel'], rtol=1e-5
    )


def test_frozen_layers_stay_under_a_factor(params: dict) -> None:
  """Decay, clipping and the factor reach what trains alone."""
  moved = _moved(params, 'last_block', backbone_factor=0.5, weight_decay=0.1)
  trained = {name for name, leaves in moved.items() if leaves['kernel'].any()}
  assert trained == {*_VGG16.blocks['block5'], *_VGG16.head}


@pytest.mark.parametrize('name', ['sgd', 'momentum', 'adam', 'adamw'])
def test_an_optimizer_that_begins_anew_keeps_its_place_in_the_schedule(
    params: dict, name: str
) -> None:
  """Else a cosine would start again at its peak; moments do start again."""
  config = ham.get_config('all,tuned')
  config.optimizer.update(
      name=name, schedule='cosine', backbone_factor=1.0, weight_decay=0.0
  )
  spec = specs.from_config(config)
  plan = strategy.resolve(spec)
  mask = trainable.mask(params, plan.trained)
  tx = optimizer.make(spec.optimizer, mask, plan.rates, steps=10, epoch=5)
  rate = optimizer.schedule(spec.optimizer, steps=10)
  first, later = tx.init(params), optimizer.at_step(
      tx.init(params), jnp.int32(6)
  )
  (begun, _), (anew, _) = (
      tx.update(params, state, params) for state in (first, later)
  )
  jax.tree.map(
      lambda a, b: np.testing.assert_allclose(
          b, a * rate(6) / rate(0), rtol=1e-5
      ),
      begun,
      anew,
  )


def test_each_block_is_slower_than_the_one_above(params: dict) -> None:
  """Down from the last; the head keeps its own rate."""
  changes = {'name': 'adam', 'backbone_factor': 0.1}
  whole = _moved(params, 'all', **changes)
  part = _moved(params, 'all', **changes, layer_decay=0.5)
  for i, block in enumerate(reversed(_VGG16.blocks.values())):
    for layer in block:
      np.testing.assert_allclose(
          part[layer]['kernel'], 0.5**i * whole[layer]['kernel'], rtol=1e-5
      )
  for layer in _VGG16.head:
    np.testing.assert_array_equal(part[layer]['kernel'], whole[layer]['kernel'])


@pytest.mark.parametrize('steps', [1, 10, 1000])
def test_the_cosine_is_that_of_optax(steps: int) -> None:
  """Also where its length is traced, which theirs cannot be."""
  spec = specs.from_config(ham.get_config('all,tuned')).optimizer
  assert spec.schedule == 'cosine'
  theirs = optax.schedules.cosine_decay_schedule(spec.learning_rate, steps)

  @jax.jit
  def traced(count: jax.Array, steps: jax.Array, rate: jax.Array) -> jax.Array:
    ours = optimizer.schedule(spec, steps=steps, learning_rate=rate)
    return ours(count)

  for count in {0, 1, steps // 3, steps - 1, steps, steps + 5}:
    found = traced(
        jnp.int32(count), jnp.int32(steps), jnp.float32(spec.learning_rate)
    )
    np.testing.assert_allclose(found, theirs(count), rtol=1e-5, atol=1e-12)
    ours = optimizer.schedule(spec, steps=steps)
    np.testing.assert_allclose(
        ours(count), theirs(count), rtol=1e-5, atol=1e-12
    )
