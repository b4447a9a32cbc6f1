"""Protects how far layers are said to have moved."""

import numpy as np
import pytest

from medxfer.layerwise import movement
from medxfer.model import layers


def _params(seed):
  draw = np.random.default_rng(seed)
  return {name: {leaf: draw.normal(size=shape).astype(np.float32)
                 for leaf, shape in leaves.items()}
          for name, leaves in layers.backbone_shapes().items()}


def test_frozen_scaled_and_redrawn_layers():
  """0, the scale's difference, and the square root of two."""
  before, other = _params(0), _params(1)
  after = before | {
      'block3_conv2': {'kernel': before['block3_conv2']['kernel'] * 1.25,
                       'bias': before['block3_conv2']['bias']},
      'block5_conv3': other['block5_conv3']}
  moved = movement.relative_change(before, after, before)
  assert list(moved) == list(layers.CONVOLUTIONS)
  assert moved.pop('block3_conv2') == pytest.approx(0.25, rel=1e-6)
  assert moved.pop('block5_conv3') == pytest.approx(2 ** 0.5, rel=1e-2)
  assert set(moved.values()) == {0.0}
