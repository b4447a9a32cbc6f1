"""Protects the convolution and its gradients against float64."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medxfer.model.cpu import convolution
from medxfer.model.cpu import winograd

# Batch, height, width, in, out: VGG's kinds of shape, odd sides, batch 1,
# images smaller than the kernel, what Winograd's method is chosen for.
_SHAPES = [
    (4, 64, 64, 3, 8),
    (6, 16, 16, 8, 16),
    (5, 7, 9, 4, 6),
    (1, 33, 17, 3, 5),
    (32, 4, 4, 16, 8),
    (7, 100, 90, 2, 3),
    (3, 2, 2, 6, 4),
    (2, 1, 5, 3, 4),
    (4, 9, 2, 3, 2),
    (1, 1, 1, 2, 2),
    (8, 9, 11, 64, 64),
    (1, 31, 32, 64, 80),
]


def _exact(x: np.ndarray, kernel: np.ndarray, gradient: np.ndarray) -> tuple:
  """Returns result and gradients in float64, by their definition."""
  x, kernel, gradient = (
      np.asarray(a, np.float64) for a in (x, kernel, gradient)
  )
  height, width = x.shape[1:3]
  padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
  result = np.zeros_like(gradient)
  of_padded, of_kernel = np.zeros_like(padded), np.zeros_like(kernel)
  for i in range(3):
    for j in range(3):
      seen = np.s_[:, i : i + height, j : j + width]
      result += padded[seen] @ kernel[i, j]
      of_kernel[i, j] = np.tensordot(padded[seen], gradient, ((0, 1, 2),) * 2)
      of_padded[seen] += gradient @ kernel[i, j].T
  return result, of_padded[:, 1:-1, 1:-1], of_kernel


def _by_choice(x: jax.Array, kernel: jax.Array, gradient: jax.Array) -> tuple:
  result, vjp = jax.vjp(convolution.conv3x3, x, kernel)
  return result, *vjp(gradient)


def _by_winograd(x: jax.Array, kernel: jax.Array, gradient: jax.Array) -> tuple:
  return (
      winograd.conv3x3(x, kernel),
      winograd.input_gradient(gradient, kernel),
      winograd.kernel_gradient(x, gradient),
  )


@pytest.mark.parametrize('method', [_by_choice, _by_winograd])
@pytest.mark.parametrize('shape', _SHAPES, ids=str)
def test_result_and_gradients_are_those_of_the_definition(
    shape: tuple, method: Callable[..., Any]
) -> None:
  """A wrong gradient still learns something, and is never noticed."""
  batch, height, width, channels, units = shape
  draw = np.random.default_rng(0).normal
  x = draw(size=(batch, height, width, channels)).astype(np.float32)
  kernel = draw(size=(3, 3, channels, units)).astype(np.float32)
  gradient = draw(size=(batch, height, width, units)).astype(np.float32)
  made = jax.jit(method)(x, kernel, gradient)
  for found, wanted in zip(made, _exact(x, kernel, gradient), strict=True):
    # Sums of so many terms, in float32.
    terms = max(9 * channels, 9 * units, batch * height * width)
    np.testing.assert_allclose(
        found,
        wanted,
        rtol=0,
        atol=4
        * np.finfo(np.float32).eps
        * np.sqrt(terms)
        * np.abs(wanted).max(),
    )


def test_images_at_a_time_change_rounding_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
  """Large batches are cut so that the tiles in work stay few."""
  draw = np.random.default_rng(0).normal
  x, gradient = (
      draw(size=(6, 10, 9, units)).astype(np.float32) for units in (4, 8)
  )
  kernel = draw(size=(3, 3, 4, 8)).astype(np.float32)
  at_once = jax.jit(_by_winograd)(x, kernel, gradient)
  monkeypatch.setattr(winograd, '_AT_WORK', 2 * 4 * 16 * 25 * 8)
  two = jax.jit(lambda *given: _by_winograd(*given))(x, kernel, gradient)
  for found, wanted in zip(two, at_once, strict=True):
    np.testing.assert_allclose(
        found, wanted, rtol=0, atol=1e-6 * np.abs(wanted).max()
    )


@pytest.mark.parametrize(
    'shape, chosen',
    [
        ((32, 16, 16, 64), True),
        ((1, 16, 16, 64), False),
        ((1, 224, 224, 64), True),
        ((32, 16, 16, 3), False),
        ((32, 2, 2, 512), False),
    ],
)
def test_winograds_method_is_chosen_where_it_wins(
    shape: tuple, chosen: bool
) -> None:
  """Elsewhere its additions cost more than the products it saves."""
  x = jax.ShapeDtypeStruct(shape, jnp.float32)
  kernel = jax.ShapeDtypeStruct((3, 3, shape[-1], shape[-1]), jnp.float32)
  lowered = (
      jax.jit(convolution.conv3x3)
      .trace(x, kernel)
      .lower(lowering_platforms=('cpu',))
      .as_text()
  )
  assert (lowered.count('dot_general') == 16) == chosen


def test_the_module_is_flax_own_convolution() -> None:
  """Weights of either serve the other."""
  x = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32)
  ours = convolution.Conv3x3(4)
  flax = nn.Conv(4, (3, 3), kernel_init=nn.initializers.glorot_uniform())
  params = ours.init(jax.random.key(0), x)
  jax.tree.map(
      np.testing.assert_array_equal, params, flax.init(jax.random.key(0), x)
  )
  np.testing.assert_allclose(
      ours.apply(params, x), flax.apply(params, x), atol=1e-6
  )


def test_other_platforms_get_the_gradient_of_xla() -> None:
  """On a GPU cuDNN's gradient is faster than nine copies of the image."""
  x, kernel = jnp.ones((2, 16, 16, 3)), jnp.ones((3, 3, 3, 4))
  loss = lambda kernel: convolution.conv3x3(x, kernel).sum()
  lowered = {
      platform: jax.jit(jax.grad(loss))
      .trace(kernel)
      .lower(lowering_platforms=(platform,))
      .as_text()
      for platform in ('cpu', 'cuda')
  }
  # Nothing but the kernel's gradient is asked for: what remains of the
  # forward pass is compiled away.
  assert 'dot_general' in lowered['cpu']
  assert 'dot_general' not in lowered['cuda']
