"""Where a network starts: random numbers, or a pretrained backbone."""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from medxfer.model import layers

Params = dict[str, dict[str, jax.Array]]


def initial_params(
    model: nn.Module,
    image_size: tuple[int, int],
    key: jax.Array,
    backbone: Mapping[str, Mapping[str, Any]] | None,
) -> Params:
  """Returns the parameters before the first step.

  Args:
    model: the network.
    image_size: (height, width) in pixels; decides the width of `fc1`'s input.
    key: random key; the head always starts from it.
    backbone: layer -> leaf -> array for every convolution, in the shapes of
      `layers.backbone_shapes()`; None starts them from `key` as well.
  """
  drawn = layers.LAYERS if backbone is None else layers.HEAD

  def draw(key: jax.Array) -> Params:
    images = jnp.zeros((1, *image_size, 3), jnp.float32)
    params = model.init(key, images)['params']
    return {name: dict(params[name]) for name in drawn}

  # Compiled, so that layers which are not returned are not even drawn.
  params = jax.jit(draw)(key)
  for name in layers.CONVOLUTIONS if backbone is not None else ():
    params[name] = {leaf: jnp.asarray(np.asarray(value))
                    for leaf, value in backbone[name].items()}
  return {name: params[name] for name in layers.LAYERS}
