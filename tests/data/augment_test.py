"""Protects augmentation: what it may change, and what it may not."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medxfer import spec as specs
from medxfer.data import augment

_OFF = specs.AugmentSpec(
    flips=False, quarter_turns=False, zoom=0.0, brightness=0.0)
_KEYS = jax.random.split(jax.random.key(0), 64)


@pytest.fixture(scope='module')
def image():
  """A square image without any symmetry."""
  return jnp.asarray(
      np.random.default_rng(0).uniform(0, 255, (6, 6, 3)), jnp.float32)


def _kinds(function, image):
  """Returns how many different images 64 keys give."""
  return {np.asarray(function(key, image)).tobytes() for key in _KEYS}


def test_all_off_changes_nothing(image):
  """Each change must be possible to switch off."""
  batch = jnp.stack([image, image * 0.5])
  np.testing.assert_array_equal(
      augment.augment(_KEYS[0], batch, _OFF), batch)


def test_flips_give_the_four_mirror_images(image):
  """Left-right and up-down, independently."""
  expected = {np.asarray(v).tobytes() for v in (
      image, image[::-1], image[:, ::-1], image[::-1, ::-1])}
  assert _kinds(augment.flip, image) == expected


def test_quarter_turns_give_the_four_rotations(image):
  """0, 90, 180 and 270 degrees; no mirror image."""
  expected = {np.rot90(image, k).tobytes() for k in range(4)}
  assert _kinds(augment.quarter_turn, image) == expected


def test_each_image_of_a_batch_draws_its_own_coin(image):
  """One coin a batch would make half of the batches all mirrored."""
  batch = jnp.stack([image] * 32)
  spec = specs.AugmentSpec(True, False, 0.0, 0.0)
  changed = augment.augment(_KEYS[0], batch, spec)
  assert len({np.asarray(i).tobytes() for i in changed}) == 4


def test_zoom_one_is_the_identity_and_two_enlarges_the_centre(image):
  """The sampling matrices, against hand-computed positions."""
  identity = augment._sampling_matrix(6, jnp.float32(1))
  np.testing.assert_allclose(identity, np.eye(6), atol=1e-6)
  twice = augment._sampling_matrix(4, jnp.float32(2))
  np.testing.assert_allclose(
      twice @ jnp.arange(4.), [.75, 1.25, 1.75, 2.25], atol=1e-6)
  np.testing.assert_allclose(twice.sum(1), 1, atol=1e-6)


def test_zoom_keeps_a_flat_image_flat():
  """Borders must not darken, or the network learns the border."""
  flat = jnp.full((8, 10, 3), 77.0)
  for key in _KEYS[:8]:
    np.testing.assert_allclose(augment.zoom(key, flat, .3), flat, rtol=1e-5)


def test_brightness_scales_within_its_limit_and_range(image):
  """Pixels stay in [0, 255]; the factor in 1 +- limit."""
  for key in _KEYS[:16]:
    changed = augment.brightness(key, image * .5, .2)
    ratio = np.asarray(changed / (image * .5))
    assert ratio.std() < 1e-5 and .8 <= ratio.mean() <= 1.2
    assert augment.brightness(key, image, .2).max() <= 255


def test_the_key_decides(image):
  """A resumed step must see the very images of the first try."""
  batch = jnp.stack([image] * 4)
  spec = specs.AugmentSpec(True, True, .1, .1)
  one = augment.augment(_KEYS[1], batch, spec)
  np.testing.assert_array_equal(one, augment.augment(_KEYS[1], batch, spec))
  assert not np.array_equal(one, augment.augment(_KEYS[2], batch, spec))
