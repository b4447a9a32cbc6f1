"""The features of every convolution, from one pass over the images."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from medxfer.model import params as params_lib
from medxfer.model import vgg
from medxfer.training import devices
from medxfer.training import feeds
from medxfer.training import steps


def compile_step(
    model: vgg.VGG, feed: feeds.Feed
) -> Callable[[params_lib.Params, Any, feeds.Batch], dict[str, jax.Array]]:
  """Returns a step for `loop.predict` that describes images by all layers.

  Args:
    model: the network.
    feed: of pixels.

  Returns:
    (params, stored, batch) -> layer -> float32 [batch, channels], the mean of
    every channel over the image, of all convolutions. Networks of
    one shape share its compiled program.
  """

  def means(
      params: params_lib.Params, stored: Any, batch: feeds.Batch
  ) -> dict[str, jax.Array]:
    with steps.products(model):
      images = feed.score(stored, batch)
      _, activations = vgg.forward(model, params, images)
    return {
        name: activations[name].astype(jnp.float32).mean((1, 2))
        for name in model.architecture.convolutions
    }

  return jax.jit(means, out_shardings=devices.everywhere())
