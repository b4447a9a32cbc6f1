"""The 3x3 convolution of VGG-16, by the method that suits CPUs.

XLA computes the gradient of a convolution's kernel as a convolution whose
window is the whole image, which its CPU code does three to six times slower
than the forward pass; and an image smaller than the kernel (block 5 below 48
pixels) falls to code that is a hundred times slower. Both are matrix products
of the image's nine shifted copies instead, and many channels are convolved by
Winograd's method. The choice is made when a program is
lowered, so a GPU gets XLA's own.
"""

from typing import Any

import flax.linen as nn
import jax
from jax import lax
import jax.numpy as jnp

from medxfer.model.cpu import winograd

_NHWC = ('NHWC', 'HWIO', 'NHWC')
_SIDE = 3
# Rows of one matrix product: enough to keep the cores busy, few enough for
# the copies to stay in the caches.
_ROWS = 8192
# Images of so few pixels are best multiplied copy by copy, all at once.
_SMALL = 64
# Where Winograd's method wins (two cores, a whole training step at 32 pixels:
# 37.6 -> 63.3 images/s): images at least so wide, and at least so many
# channels, and so many tiles in a batch.
_WINOGRAD_SIDE = 3
_WINOGRAD_CHANNELS = 64
_WINOGRAD_TILES = 128


@jax.custom_vjp
def conv3x3(x: jax.Array, kernel: jax.Array) -> jax.Array:
  """Convolves with stride 1; zeros around the image keep its size.

  Args:
    x: [batch, height, width, in].
    kernel: [3, 3, in, out], of the same dtype.

  Returns:
    [batch, height, width, out].
  """
  # `jax.export` leaves the batch size open, by which `_on_cpu` would choose.
  if not all(isinstance(size, int) for size in x.shape):
    return _by_xla(x, kernel)
  return lax.platform_dependent(x, kernel, cpu=_on_cpu, default=_by_xla)


def kernel_gradient(x: jax.Array, gradient: jax.Array) -> jax.Array:
  """Returns the gradient of the kernel by the method that suits CPUs.

  Args:
    x: [batch, height, width, in], what was convolved.
    gradient: [batch, height, width, out], of the result.

  Returns:
    [3, 3, in, out].
  """
  batch, height, width, channels = x.shape
  units = gradient.shape[-1]
  if _suits_winograd(x, units):
    return winograd.kernel_gradient(x, gradient)
  if height * width <= _SMALL:
    flat = gradient.reshape(-1, units)
    products = [copy.reshape(-1, channels).T @ flat for copy in _copies(x)]
    return jnp.stack(products).reshape(_SIDE, _SIDE, channels, units)
  size = _chunk(batch, _ROWS // (height * width))

  def add(
      total: jax.Array, chunk: tuple[jax.Array, jax.Array]
  ) -> tuple[jax.Array, None]:
    rows = jnp.concatenate(_copies(chunk[0]), -1)
    rows = rows.reshape(-1, _SIDE * _SIDE * channels)
    return total + rows.T @ chunk[1].reshape(-1, units), None

  images, gradients = (
      a.reshape(batch // size, size, *a.shape[1:]) for a in (x, gradient)
  )
  zeros = jnp.zeros((_SIDE * _SIDE * channels, units), x.dtype)
  total, _ = lax.scan(add, zeros, (images, gradients))
  return total.reshape(_SIDE, _SIDE, channels, units)


class Conv3x3(nn.Module):
  """`nn.Conv(features, (3, 3))` with `conv3x3`: same parameters, same result.

  Attributes:
    features: output channels.
    kernel_init: draws the kernel.
    dtype: type of the computation; parameters stay float32.
  """

  features: int
  kernel_init: nn.initializers.Initializer = nn.initializers.glorot_uniform()
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Convolves [batch, height, width, in] and adds the bias."""
    kernel = self.param(
        'kernel', self.kernel_init, (_SIDE, _SIDE, x.shape[-1], self.features)
    )
    bias = self.param('bias', nn.initializers.zeros_init(), (self.features,))
    x, kernel, bias = (a.astype(self.dtype) for a in (x, kernel, bias))
    return conv3x3(x, kernel) + bias


def _by_xla(x: jax.Array, kernel: jax.Array) -> jax.Array:
  return lax.conv_general_dilated(
      x, kernel, (1, 1), 'SAME', dimension_numbers=_NHWC
  )


def _on_cpu(x: jax.Array, kernel: jax.Array) -> jax.Array:
  if _suits_winograd(x, kernel.shape[-1]):
    return winograd.conv3x3(x, kernel)
  if min(x.shape[1:3]) >= _SIDE:
    return _by_xla(x, kernel)
  return jnp.concatenate(_copies(x), -1) @ kernel.reshape(-1, kernel.shape[-1])


def _input_gradient_on_cpu(
    x: jax.Array, kernel: jax.Array, gradient: jax.Array
) -> jax.Array:
  if _suits_winograd(x, kernel.shape[-1]):
    return winograd.input_gradient(gradient, kernel)
  return jax.vjp(_on_cpu, x, kernel)[1](gradient)[0]


def _suits_winograd(x: jax.Array, units: int) -> bool:
  batch, height, width, channels = x.shape
  return (
      x.dtype == jnp.float32
      and min(height, width) >= _WINOGRAD_SIDE
      and min(channels, units) >= _WINOGRAD_CHANNELS
      and winograd.tiles(x.shape) >= _WINOGRAD_TILES
  )


def _copies(x: jax.Array) -> list[jax.Array]:
  """Returns x as each of the kernel's nine places sees it."""
  height, width = x.shape[1:3]
  padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
  return [
      padded[:, i : i + height, j : j + width]
      for i in range(_SIDE)
      for j in range(_SIDE)
  ]


def _chunk(batch: int, most: int) -> int:
  """Returns the largest divisor of `batch` that is at most `most`, or 1."""
  return max(
      n for n in range(1, batch + 1) if batch % n == 0 and n <= max(1, most)
  )


def _forward(x: jax.Array, kernel: jax.Array):
  return conv3x3(x, kernel), (x, kernel)


def _backward(saved: tuple[jax.Array, jax.Array], gradient: jax.Array):
  # Two choices, so that one is not computed where only the other is needed.
  of_x = lax.platform_dependent(
      *saved,
      gradient,
      cpu=_input_gradient_on_cpu,
      default=lambda x, kernel, g: jax.vjp(_by_xla, x, kernel)[1](g)[0]
  )
  of_kernel = lax.platform_dependent(
      *saved,
      gradient,
      cpu=lambda x, kernel, g: kernel_gradient(x, g),
      default=lambda x, kernel, g: jax.vjp(_by_xla, x, kernel)[1](g)[1]
  )
  return of_x, of_kernel


conv3x3.defvjp(_forward, _backward)
