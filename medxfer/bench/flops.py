"""The operations that an image takes, and the rate of plain products."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from medxfer.bench import setting as settings
from medxfer.bench import work
from medxfer.model import operations
from medxfer.model import trainable

_SIDES = {'cpu': 2048}  # Of the product's matrices, by platform.
_SIDE = 8192
_PRODUCTS = 8  # A step.


def of_image(setting: settings.Setting) -> float:
  """Returns the floating-point operations of one image in one step."""
  trained = settings.MODES[setting.mode]
  products = operations.multiplications(
      settings.ARCHITECTURE,
      (setting.image_size, setting.image_size),
      settings.HEAD_UNITS,
      settings.CLASSES,
  )
  return operations.operations(
      products,
      trainable.resolve(trained, settings.ARCHITECTURE) if trained else (),
  )


def prepare(setting: settings.Setting) -> work.Work:
  """Returns matrix products of the setting's precision, one on the other."""
  side, dtype = _side(), jnp.dtype(setting.precision)
  matrix = jax.random.normal(jax.random.key(0), (side, side), dtype) / side**0.5

  @jax.jit
  def step(x: jax.Array) -> jax.Array:
    for _ in range(_PRODUCTS):
      x = x @ matrix
    return x

  return work.Work(
      repeat=_repeat(step, matrix),
      loss=0.0,
      version=f'jax {jax.__version__}',
      operations=2.0 * _PRODUCTS * side**3,
  )


def _side() -> int:
  return _SIDES.get(jax.default_backend(), _SIDE)


def _repeat(
    step: Callable[[jax.Array], jax.Array], matrix: jax.Array
) -> Callable[[int], None]:
  def repeat(steps: int) -> None:
    x = matrix
    for _ in range(steps):
      x = step(x)
    x.block_until_ready()

  return repeat
