"""Protects the maximum and its gradient: XLA's, value by value."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medxfer.model.cpu import pooling


@pytest.mark.parametrize(
    'shape',
    [(3, 8, 8, 5), (2, 7, 9, 4), (1, 2, 2, 1), (2, 3, 3, 2), (1, 64, 48, 3)],
    ids=str,
)
def test_result_and_gradient_are_those_of_xla(shape: tuple) -> None:
  """Ties as well: after a ReLU most squares hold several zeros."""
  draw = np.random.default_rng(0)
  x = np.maximum(draw.normal(size=shape), 0).astype(np.float32)
  x[:, 0, 0] = x[:, 1, 1] = 7  # Of equals above zero the first counts.
  plain = lambda x: nn.max_pool(x, (2, 2), (2, 2))
  gradient = draw.normal(size=jax.eval_shape(plain, x).shape)
  gradient = gradient.astype(np.float32)
  run = lambda pool: jax.jit(lambda x, g: (pool(x), jax.vjp(pool, x)[1](g)[0]))(
      x, gradient
  )
  for ours, wanted in zip(run(pooling.max_pool), run(plain)):
    np.testing.assert_array_equal(ours, wanted)


def test_other_platforms_get_the_gradient_of_xla() -> None:
  """A GPU scatters faster than it compares."""
  gradient = jax.grad(lambda x: pooling.max_pool(x).sum())
  lowered = {
      platform: jax.jit(gradient)
      .trace(jnp.ones((1, 4, 4, 2)))
      .lower(lowering_platforms=(platform,))
      .as_text()
      for platform in ('cpu', 'cuda')
  }
  assert 'select_and_scatter' not in lowered['cpu']
  assert 'select_and_scatter' in lowered['cuda']
