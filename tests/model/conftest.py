"""Weights that the tests of this folder share; built once a session."""

import numpy as np
import pytest

from medxfer.model import architectures
from medxfer.model import weights


def fabricate(seed: int, name: str) -> weights.Weights:
  """Returns random weights of an architecture, preprocessing 'tf'."""
  rng = np.random.default_rng(seed)
  params = {
      layer: {
          leaf: rng.standard_normal(shape, dtype=np.float32)
          for leaf, shape in leaves.items()
      }
      for layer, leaves in (
          architectures.BY_NAME[name].backbone_shapes().items()
      )
  }
  return weights.Weights(
      params,
      weights.describe(
          params, architecture=name, source='random numbers', preprocessing='tf'
      ),
  )


@pytest.fixture(scope='session')
def fabricated() -> weights.Weights:
  """Random weights of the architecture `tiny`; no test may change them."""
  return fabricate(0, 'tiny')
