"""Winograd's convolution F(2x2, 3x3): 16 products for four pixels, not 36.

Lavin and Gray, 'Fast algorithms for convolutional neural networks' (arXiv
1509.09308). Image and kernel are transformed by additions, multiplied place
by place as sixteen matrix products, and the sums are transformed back. The
additions cost what the memory costs, so it wins where many channels share
them (see `medxfer.model.cpu.convolution`), and where few images at a time use
the same memory again.
"""

from collections.abc import Callable
from collections.abc import Sequence

import jax
from jax import lax
import jax.numpy as jnp

_STEP = 2  # Pixels of a side that one tile makes.
_TILE = 4  # Pixels of a side that it takes.
# Bytes of the tiles in work: 8 images of 56x56x256 run 169 GFLOP/s all at
# once, 206 two at a time (two cores; XLA's own convolution 125).
_AT_WORK = 32 << 20

Grid = Sequence[Sequence[jax.Array]] | jax.Array


def conv3x3(x: jax.Array, kernel: jax.Array) -> jax.Array:
  """Convolves with stride 1; zeros around the image keep its size.

  Args:
    x: [batch, height, width, in].
    kernel: [3, 3, in, out], of the same dtype.

  Returns:
    [batch, height, width, out], equal to XLA's up to rounding: additions
    before and after the products cost about a decimal digit of the last two.
  """
  return _convolve(x, _twice(_spread, kernel), lambda tile, part: tile @ part)


def input_gradient(gradient: jax.Array, kernel: jax.Array) -> jax.Array:
  """Returns the gradient of the image: a convolution, the kernel turned.

  Args:
    gradient: [batch, height, width, out], of the result.
    kernel: [3, 3, in, out].

  Returns:
    [batch, height, width, in].
  """
  turned = _twice(_spread, [list(row)[::-1] for row in kernel][::-1])
  # The products transpose their second factor as they read it; a transposed
  # copy of the kernel took longer than the products themselves.
  return _convolve(gradient, turned, lambda tile, part: tile @ part.T)


def kernel_gradient(x: jax.Array, gradient: jax.Array) -> jax.Array:
  """Returns the gradient of the kernel.

  Args:
    x: [batch, height, width, in], what was convolved.
    gradient: [batch, height, width, out], of the result.

  Returns:
    [3, 3, in, out].
  """
  size = min(_at_a_time(x.shape), _at_a_time(gradient.shape))

  def add(sums: Grid, some: tuple[jax.Array, jax.Array]) -> tuple[Grid, None]:
    products = _each(
        lambda tile, part: tile.T @ part,
        _of_image(some[0]),
        _of_gradient(some[1]),
    )
    return _each(jnp.add, sums, products), None

  zeros = jnp.zeros((x.shape[-1], gradient.shape[-1]), x.dtype)
  sums, _ = lax.scan(
      add, [[zeros] * _TILE] * _TILE, (_cut(x, size), _cut(gradient, size))
  )
  return jnp.stack([jnp.stack(row) for row in _twice(_spread_back, sums)])


def tiles(shape: Sequence[int]) -> int:
  """Returns the tiles in a batch [batch, height, width, channels]."""
  return shape[0] * _along(shape[1]) * _along(shape[2])


def _convolve(
    x: jax.Array,
    parts: Grid,
    multiply: Callable[[jax.Array, jax.Array], jax.Array],
) -> jax.Array:
  """Returns the images that 4x4 transformed kernels make of `x`."""

  def some(images: jax.Array) -> jax.Array:
    products = _each(multiply, _of_image(images), parts)
    return _pixels(products, images.shape)

  made = lax.map(some, _cut(x, _at_a_time(x.shape)))
  return made.reshape(*x.shape[:3], -1)


def _at_a_time(shape: Sequence[int]) -> int:
  """Returns how many images of a batch to transform: a divisor of all."""
  bytes_each = 4 * _TILE**2 * tiles((1, *shape[1:])) * shape[3]
  most = max(1, _AT_WORK // bytes_each)
  return max(n for n in range(1, min(most, shape[0]) + 1) if shape[0] % n == 0)


def _cut(x: jax.Array, size: int) -> jax.Array:
  return x.reshape(-1, size, *x.shape[1:])


def _each(
    combine: Callable[[jax.Array, jax.Array], jax.Array], a: Grid, b: Grid
) -> Grid:
  return [[combine(x, y) for x, y in zip(*rows)] for rows in zip(a, b)]


def _of_image(x: jax.Array) -> Grid:
  """Returns 4x4 arrays [tiles, in]."""
  height, width = x.shape[1:3]
  rows, columns = _along(height), _along(width)
  padded = jnp.pad(
      x,
      (
          (0, 0),
          (1, _STEP * rows - height + 1),
          (1, _STEP * columns - width + 1),
          (0, 0),
      ),
  )
  return _flat(_twice(_difference, _grid(padded, _TILE, rows, columns)))


def _of_gradient(gradient: jax.Array) -> Grid:
  """Returns 4x4 arrays [tiles, out]."""
  height, width = gradient.shape[1:3]
  rows, columns = _along(height), _along(width)
  padded = jnp.pad(
      gradient,
      (
          (0, 0),
          (0, _STEP * rows - height),
          (0, _STEP * columns - width),
          (0, 0),
      ),
  )
  return _flat(_twice(_gather_back, _grid(padded, _STEP, rows, columns)))


def _pixels(products: Grid, shape: Sequence[int]) -> jax.Array:
  """Returns what 4x4 arrays [tiles, channels] add up to, as images."""
  batch, height, width = shape[:3]
  rows, columns = _along(height), _along(width)
  pixels = _twice(_gather, products)
  pixels = jnp.stack([jnp.stack(row, 1) for row in pixels], 1)
  pixels = pixels.reshape(batch, rows, columns, _STEP, _STEP, -1)
  pixels = pixels.swapaxes(2, 3).reshape(
      batch, rows * _STEP, columns * _STEP, -1
  )
  return pixels[:, :height, :width]


def _grid(padded: jax.Array, side: int, rows: int, columns: int) -> Grid:
  """Returns pixel (i, j) of every tile, [batch, rows, columns, channels]."""
  last_row, last_column = _STEP * (rows - 1) + 1, _STEP * (columns - 1) + 1
  return [
      [
          padded[:, i : i + last_row : _STEP, j : j + last_column : _STEP]
          for j in range(side)
      ]
      for i in range(side)
  ]


def _flat(grid: Grid) -> Grid:
  return [[a.reshape(-1, a.shape[-1]) for a in row] for row in grid]


def _along(side: int) -> int:
  return -(-side // _STEP)


def _twice(transform: Callable[..., tuple[jax.Array, ...]], grid: Grid) -> Grid:
  """Transforms every column, then every row of what came out."""
  once = [transform(*column) for column in zip(*grid)]
  return [transform(*row) for row in zip(*once)]


# The three matrices of the paper and their transposes, as additions.


def _difference(a, b, c, d):
  return a - c, b + c, c - b, b - d


def _spread(a, b, c):
  return a, (a + b + c) / 2, (a - b + c) / 2, c


def _spread_back(a, b, c, d):
  return a + (b + c) / 2, (b - c) / 2, (b + c) / 2 + d


def _gather(a, b, c, d):
  return a + b + c, b - c - d


def _gather_back(a, b):
  return a, a + b, a - b, -b
