"""Random changes of training images, inside the compiled step.

Every image draws from its own key, so a batch holds flipped and unflipped
images side by side, and the draw is a function of (seed, epoch, step).

Flips and quarter turns are a finite set, the *views* of an image: numbered,
so that what a frozen prefix makes of each can be computed once and kept.
"""

import jax
import jax.numpy as jnp

from medxfer import spec as specs

_FLIPS = {'horizontal': 1, 'vertical': 0}  # Kind of flip -> axis.


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

  def one(key: jax.Array, image: jax.Array) -> jax.Array:
    view_key, zoom_key, light_key = jax.random.split(key, 3)
    image = view(image, _draw(view_key, spec), spec)
    if spec.zoom:
      image = zoom(zoom_key, image, spec.zoom)
    if spec.brightness:
      image = brightness(light_key, image, spec.brightness)
    return image

  return jax.vmap(one)(jax.random.split(key, images.shape[0]), images)


def has_only_views(spec: specs.AugmentSpec) -> bool:
  """Whether an image has finitely many augmentations, its views."""
  return not spec.zoom and not spec.brightness


def view_count(spec: specs.AugmentSpec) -> int:
  """Returns how many views an image has: 1, 2, 4 or 8, all different."""
  return 2 ** len(_changes(spec))


def draw_views(
    key: jax.Array, batch: int, spec: specs.AugmentSpec
) -> jax.Array:
  """Returns the views that `augment` draws with the same key, int32 [batch]."""

  def one(key: jax.Array) -> jax.Array:
    return _draw(jax.random.split(key, 3)[0], spec)

  return jax.vmap(one)(jax.random.split(key, batch))


def view(
    image: jax.Array, number: jax.Array | int, spec: specs.AugmentSpec
) -> jax.Array:
  """Returns one view of an image [h, w, c]; number 0 is the image itself.

  Each bit of the number is one change; all numbers below `view_count` give
  different views.
  """
  for bit, change in enumerate(_changes(spec)):
    if change in _FLIPS:
      changed = jnp.flip(image, _FLIPS[change])
    else:
      changed = jnp.rot90(image, {'quarter': 1, 'half': 2}[change])
    image = jnp.where(number >> bit & 1, changed, image)
  return image


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


def brightness(key: jax.Array, image: jax.Array, limit: float) -> jax.Array:
  """Multiplies [h, w, c] by a factor in 1 +- `limit`, within [0, 255]."""
  factor = jax.random.uniform(key, minval=1 - limit, maxval=1 + limit)
  return jnp.clip(image * factor, 0, 255)


def _changes(spec: specs.AugmentSpec) -> tuple[str, ...]:
  """Returns the changes whose combinations are the views."""
  changes = [
      kind
      for kind, on in (
          ('horizontal', spec.horizontal_flip),
          ('vertical', spec.vertical_flip),
      )
      if on
  ]
  if spec.quarter_turns:
    # Both flips together are a half turn already.
    changes += ['quarter'] if len(changes) == 2 else ['quarter', 'half']
  return tuple(changes)


def _draw(key: jax.Array, spec: specs.AugmentSpec) -> jax.Array:
  return jax.random.randint(key, (), 0, view_count(spec))


def _sampling_matrix(size: int, factor: jax.Array) -> jax.Array:
  """Returns [size, size]: row y holds the weights of source pixels for y."""
  centre = (size - 1) / 2
  position = (jnp.arange(size) - centre) / factor + centre
  position = jnp.clip(position, 0, size - 1)
  distance = jnp.abs(position[:, None] - jnp.arange(size)[None, :])
  return jnp.maximum(0, 1 - distance)
