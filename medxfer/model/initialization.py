"""Initial parameters: random numbers, or a pretrained backbone."""

from collections.abc import Collection
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from medxfer.model import params as params_lib
from medxfer.model import vgg


def initial_params(
    model: vgg.VGG,
    image_size: tuple[int, int],
    key: jax.Array,
    backbone: Mapping[str, Mapping[str, Any]] | None,
    transferred: Collection[str] | None = None,
) -> params_lib.Params:
  """Returns the parameters before the first step.

  Args:
    model: the network.
    image_size: (height, width) in pixels; decides the width of `fc1`'s input.
    key: random key; the head always starts from it.
    backbone: layer -> leaf -> array for every convolution, in the shapes of
      `Architecture.backbone_shapes`; None starts them from `key` as well.
    transferred: the convolutions that take their arrays, None for all; the
      others start from `key`.
  """
  architecture = model.architecture
  if transferred is None:
    transferred = architecture.convolutions
  if backbone is None:
    backbone, transferred = {}, ()
  drawn = [name for name in architecture.layers if name not in transferred]

  def draw(key: jax.Array) -> params_lib.Params:
    images = jnp.zeros((1, *image_size, 3), jnp.float32)
    params = model.init(key, images)['params']
    return {name: dict(params[name]) for name in drawn}

  # Compiled, so that layers which are not returned are not even drawn.
  params = dict(jax.jit(draw)(key))
  for name in transferred:
    params[name] = {
        leaf: jnp.asarray(np.asarray(value))
        for leaf, value in backbone[name].items()
    }
  return {name: params[name] for name in architecture.layers}


def redrawn(
    backbone: Mapping[str, Mapping[str, Any]], seed: int
) -> dict[str, dict[str, np.ndarray]]:
  """Returns noise of the scale of a backbone, and nothing else of it.

  What pretrained weights bring beyond their scale is what they bring beyond
  this (Raghu et al., 'Transfusion', arXiv 1902.07208, section 5).

  Args:
    backbone: layer -> leaf -> array.
    seed: of the PCG64 generator.

  Returns:
    Arrays of the same shapes, each drawn from the normal distribution that
    has the mean and the variance of the one that it replaces.
  """
  draw = np.random.Generator(np.random.PCG64(seed))
  return {
      name: {
          leaf: draw.normal(np.mean(value), np.std(value), value.shape).astype(
              np.float32
          )
          for leaf, value in leaves.items()
      }
      for name, leaves in backbone.items()
  }
