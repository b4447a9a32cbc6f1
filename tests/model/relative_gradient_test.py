"""Protects Auto-RGN: the rates of layers against a direct computation."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from medxfer.model import relative_gradient

_DRAW = np.random.default_rng(0)
_SHAPES = {'a': (3, 4), 'b': (4, 2), 'c': (2, 2)}
_EPOCH = 3


def _tree() -> dict:
  return {
      layer: {
          'kernel': jnp.asarray(_DRAW.normal(size=shape), jnp.float32),
          'bias': jnp.zeros(shape[-1]),
      }
      for layer, shape in _SHAPES.items()
  }


def _ratio(gradient: dict, params: dict) -> dict:
  flat = lambda leaves: np.concatenate([np.ravel(x) for x in leaves.values()])
  return {
      layer: np.linalg.norm(flat(gradient[layer]))
      / np.linalg.norm(flat(params[layer]))
      for layer in params
  }


def test_rates_are_those_of_the_epoch_before() -> None:
  """The first batch of all; then means over an epoch, over the largest."""
  params, inner = _tree(), optax.sgd(1.0)
  tx = relative_gradient.scale(inner, _EPOCH)
  state, epoch, expected = tx.init(params), [], None
  for step in range(3 * _EPOCH):
    gradient = jax.tree.map(
        lambda x: jnp.asarray(_DRAW.normal(size=x.shape), jnp.float32), params
    )
    epoch.append(_ratio(gradient, params))
    if step == 0 or step % _EPOCH == 0:
      used = epoch[:1] if step == 0 else epoch[-1 - _EPOCH : -1]
      sums = {layer: sum(one[layer] for one in used) for layer in params}
      expected = {layer: v / max(sums.values()) for layer, v in sums.items()}
    updates, state = tx.update(gradient, state, params)
    for layer in params:
      for leaf in ('kernel', 'bias'):
        np.testing.assert_allclose(
            updates[layer][leaf],
            -expected[layer] * gradient[layer][leaf],
            rtol=1e-5,
        )
    params = optax.apply_updates(params, updates)


def test_frozen_layers_have_no_rate() -> None:
  """They neither move nor count as the largest."""
  params = _tree()
  mask = {
      layer: {'kernel': layer == 'a', 'bias': layer == 'a'} for layer in params
  }
  tx = optax.selective_transform(
      relative_gradient.scale(optax.sgd(1.0), _EPOCH), freeze_mask=mask
  )
  gradient = jax.tree.map(jnp.ones_like, params)
  gradient['a'] = jax.tree.map(lambda x: 1e6 * x, gradient['a'])
  updates, _ = tx.update(gradient, tx.init(params), params)
  assert not np.any(updates['a']['kernel'])
  largest = max(float(np.abs(updates[layer]['kernel']).max()) for layer in 'bc')
  assert largest == pytest.approx(1.0)


def test_nothing_is_divided_by_zero() -> None:
  """Layers of zeros, and gradients of zeros."""
  zeros = jax.tree.map(jnp.zeros_like, _tree())
  found = relative_gradient.norms(_tree(), zeros)
  assert all(float(one) == 0 for one in found.values())
  assert set(map(float, relative_gradient.over_largest(found).values())) == {1}
