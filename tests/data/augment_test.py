"""Protects augmentation: what it may change, and what it may not."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medxfer import spec as specs
from medxfer.data import augment

_OFF = specs.AugmentSpec(
    horizontal_flip=False,
    vertical_flip=False,
    quarter_turns=False,
    zoom=0.0,
    brightness=0.0,
)
_ALL_VIEWS = specs.AugmentSpec(
    horizontal_flip=True,
    vertical_flip=True,
    quarter_turns=True,
    zoom=0.0,
    brightness=0.0,
)
_KEYS = jax.random.split(jax.random.key(0), 64)


@pytest.fixture(scope='module')
def image() -> jax.Array:
  """A square image without any symmetry."""
  return jnp.asarray(
      np.random.default_rng(0).uniform(0, 255, (6, 6, 3)), jnp.float32
  )


def test_all_off_changes_nothing(image: jax.Array) -> None:
  """Each change must be possible to switch off."""
  batch = jnp.stack([image, image * 0.5])
  np.testing.assert_array_equal(augment.augment(_KEYS[0], batch, _OFF), batch)


def _symmetries(image: np.ndarray, *, flips: str, turns: bool) -> set:
  """Returns the bytes of images that are mirrored and turned by hand."""
  images = [image]
  if 'h' in flips:
    images += [i[:, ::-1] for i in images]
  if 'v' in flips:
    images += [i[::-1] for i in images]
  if turns:
    images = [np.rot90(i, k) for i in images for k in range(4)]
  return {np.asarray(i).tobytes() for i in images}


@pytest.mark.parametrize(
    'flips, turns, count',
    [
        ('', False, 1),
        ('h', False, 2),
        ('v', False, 2),
        ('hv', False, 4),
        ('', True, 4),
        ('h', True, 8),
        ('v', True, 8),
        ('hv', True, 8),
    ],
)
def test_views_are_all_symmetries_each_once(
    image: jax.Array, flips: str, turns: bool, count: int
) -> None:
  """A cache holds each view once; augmentation must draw from the same set."""
  spec = dataclasses.replace(
      _OFF,
      horizontal_flip='h' in flips,
      vertical_flip='v' in flips,
      quarter_turns=turns,
  )
  views = [
      np.asarray(augment.view(image, v, spec))
      for v in range(augment.view_count(spec))
  ]
  assert len(views) == count
  np.testing.assert_array_equal(views[0], image)
  expected = _symmetries(np.asarray(image), flips=flips, turns=turns)
  assert {v.tobytes() for v in views} == expected


def test_each_image_of_a_batch_draws_its_own_view(image: jax.Array) -> None:
  """One coin a batch would make half of the batches all mirrored."""
  batch = jnp.stack([image] * 64)
  changed = augment.augment(_KEYS[0], batch, _ALL_VIEWS)
  assert len({np.asarray(i).tobytes() for i in changed}) == 8


def test_drawn_views_are_those_that_augment_shows(image: jax.Array) -> None:
  """Training on stored views must see the very images of the other way."""
  drawn = augment.draw_views(_KEYS[3], 16, _ALL_VIEWS)
  changed = augment.augment(_KEYS[3], jnp.stack([image] * 16), _ALL_VIEWS)
  for number, seen in zip(drawn, changed):
    np.testing.assert_array_equal(augment.view(image, number, _ALL_VIEWS), seen)


def test_zoom_one_is_the_identity_and_two_enlarges_the_centre(
    image: jax.Array,
) -> None:
  """The sampling matrices, against hand-computed positions."""
  identity = augment._sampling_matrix(6, jnp.float32(1))
  np.testing.assert_allclose(identity, np.eye(6), atol=1e-6)
  twice = augment._sampling_matrix(4, jnp.float32(2))
  np.testing.assert_allclose(
      twice @ jnp.arange(4.0), [0.75, 1.25, 1.75, 2.25], atol=1e-6
  )
  np.testing.assert_allclose(twice.sum(1), 1, atol=1e-6)


def test_zoom_keeps_a_flat_image_flat() -> None:
  """Borders must not darken, or the network learns the border."""
  flat = jnp.full((8, 10, 3), 77.0)
  for key in _KEYS[:8]:
    np.testing.assert_allclose(augment.zoom(key, flat, 0.3), flat, rtol=1e-5)


def test_brightness_scales_within_its_limit_and_range(image: jax.Array) -> None:
  """Pixels stay in [0, 255]; the factor in 1 +- limit."""
  for key in _KEYS[:16]:
    changed = augment.brightness(key, image * 0.5, 0.2)
    ratio = np.asarray(changed / (image * 0.5))
    assert ratio.std() < 1e-5 and 0.8 <= ratio.mean() <= 1.2
    assert augment.brightness(key, image, 0.2).max() <= 255


def test_the_key_decides(image: jax.Array) -> None:
  """A resumed step must see the very images of the first try."""
  batch = jnp.stack([image] * 4)
  spec = dataclasses.replace(_ALL_VIEWS, zoom=0.1, brightness=0.1)
  one = augment.augment(_KEYS[1], batch, spec)
  np.testing.assert_array_equal(one, augment.augment(_KEYS[1], batch, spec))
  assert not np.array_equal(one, augment.augment(_KEYS[2], batch, spec))
