"""Protects how far layers are said to have moved."""

import numpy as np
import pytest

from medxfer.layerwise import movement

_LAYERS = ('block1_conv1', 'block2_conv1', 'block2_conv2')
# Large: the change of a layer that is drawn anew is the square root of two.
_SHAPES = {'kernel': (3, 3, 128, 128), 'bias': (128,)}


def _params(seed: int) -> dict:
  draw = np.random.default_rng(seed)
  return {
      name: {
          leaf: draw.normal(size=shape).astype(np.float32)
          for leaf, shape in _SHAPES.items()
      }
      for name in _LAYERS
  }


def test_frozen_scaled_and_redrawn_layers() -> None:
  """0, the scale's difference, and the square root of two."""
  before, other = _params(0), _params(1)
  after = before | {
      'block2_conv1': {
          'kernel': before['block2_conv1']['kernel'] * 1.25,
          'bias': before['block2_conv1']['bias'],
      },
      'block2_conv2': other['block2_conv2'],
  }
  moved = movement.relative_change(before, after, before)
  assert list(moved) == list(_LAYERS)
  assert moved.pop('block2_conv1') == pytest.approx(0.25, rel=1e-6)
  assert moved.pop('block2_conv2') == pytest.approx(2**0.5, rel=1e-2)
  assert set(moved.values()) == {0.0}
