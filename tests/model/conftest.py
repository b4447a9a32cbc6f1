"""Weights that the tests of this folder share; built once a session."""

import numpy as np
import pytest

from medxfer.model import layers
from medxfer.model import weights


def fabricate(seed: int) -> weights.Weights:
  """Returns VGG-16 weights of random numbers, preprocessing 'tf'."""
  rng = np.random.default_rng(seed)
  params = {
      layer: {
          leaf: rng.standard_normal(shape, dtype=np.float32)
          for leaf, shape in leaves.items()
      }
      for layer, leaves in layers.backbone_shapes().items()
  }
  return weights.Weights(params, weights.describe(
      params, source='random numbers', preprocessing='tf'))


@pytest.fixture(scope='session')
def fabricated() -> weights.Weights:
  """Random VGG-16 weights; no test may change them."""
  return fabricate(0)
