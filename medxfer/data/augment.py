"""Random changes of training images, inside the compiled step.

Every image draws from its own key, so a batch holds flipped and unflipped
images side by side, and the draw is a function of (seed, epoch, step).
"""

import jax
import jax.numpy as jnp

from medxfer import spec as specs


def augment(
    key: jax.Array, images: jax.Array, spec: specs.AugmentSpec
) -> jax.Array:
  """Changes each image of a batch at random.

  Args:
    key: random key of this step.
    images: float32 [batch, height, width, 3] in [0, 255].
    spec: what is switched on; quarter turns need square images.

  Returns:
    Images of the same shape, type and range.
  """
  keys = jax.random.split(key, images.shape[0])
  return jax.vmap(lambda k, image: _augment_one(k, image, spec))(keys, images)


def _augment_one(
    key: jax.Array, image: jax.Array, spec: specs.AugmentSpec
) -> jax.Array:
  flip_key, turn_key, zoom_key, light_key = jax.random.split(key, 4)
  if spec.flips:
    image = flip(flip_key, image)
  if spec.quarter_turns:
    image = quarter_turn(turn_key, image)
  if spec.zoom:
    image = zoom(zoom_key, image, spec.zoom)
  if spec.brightness:
    image = brightness(light_key, image, spec.brightness)
  return image


def flip(key: jax.Array, image: jax.Array) -> jax.Array:
  """Mirrors [h, w, c] left-right and up-down, each with probability 1/2."""
  horizontal, vertical = jax.random.bernoulli(key, shape=(2,))
  image = jnp.where(horizontal, image[:, ::-1], image)
  return jnp.where(vertical, image[::-1], image)


def quarter_turn(key: jax.Array, image: jax.Array) -> jax.Array:
  """Turns a square [n, n, c] by 0, 90, 180 or 270 degrees, equally likely."""
  once, twice = jax.random.bernoulli(key, shape=(2,))
  image = jnp.where(once, jnp.rot90(image), image)
  return jnp.where(twice, image[::-1, ::-1], image)


def zoom(key: jax.Array, image: jax.Array, limit: float) -> jax.Array:
  """Scales [h, w, c] about its centre by a factor in 1 +- `limit`.

  Where the scaled image is smaller than the frame its edges are repeated.
  """
  factor = jax.random.uniform(key, minval=1 - limit, maxval=1 + limit)
  height, width, _ = image.shape
  # Bilinear sampling as two small matrix products, one per axis: on every
  # platform much faster than gathering pixels.
  rows = _sampling_matrix(height, factor)
  columns = _sampling_matrix(width, factor)
  return jnp.einsum('yi,xj,ijc->yxc', rows, columns, image)


def _sampling_matrix(size: int, factor: jax.Array) -> jax.Array:
  """Returns [size, size]: row y holds the weights of source pixels for y."""
  centre = (size - 1) / 2
  position = (jnp.arange(size) - centre) / factor + centre
  position = jnp.clip(position, 0, size - 1)
  distance = jnp.abs(position[:, None] - jnp.arange(size)[None, :])
  return jnp.maximum(0, 1 - distance)


def brightness(key: jax.Array, image: jax.Array, limit: float) -> jax.Array:
  """Multiplies [h, w, c] by a factor in 1 +- `limit`, within [0, 255]."""
  factor = jax.random.uniform(key, minval=1 - limit, maxval=1 + limit)
  return jnp.clip(image * factor, 0, 255)
