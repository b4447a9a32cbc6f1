"""What every convolution makes of images, from one pass over them."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from medxfer.data import order
from medxfer.model import layers
from medxfer.training import dispatch
from medxfer.training import feeds
from medxfer.training import state as states
from medxfer.training import steps


def pooled(
    model: nn.Module, feed: feeds.Feed
) -> Callable[[states.Params, np.ndarray, int], dict[str, np.ndarray]]:
  """Returns a function that describes images by the layers of a network.

  Args:
    model: the network.
    feed: of pixels.

  Returns:
    (params, rows, batch size) -> layer -> float32 [rows, channels], the mean
    of every channel over the image, of all thirteen convolutions. Networks
    of one shape share its compiled program.
  """
  @jax.jit
  def means(
      params: states.Params, stored: jax.Array, batch: jax.Array
  ) -> dict[str, jax.Array]:
    with steps.products(model):
      _, activations = model.apply({'params': params},
                                   feed.score(stored, batch))
    return {name: activations[name].astype(jnp.float32).mean((1, 2))
            for name in layers.CONVOLUTIONS}

  def describe(
      params: states.Params, rows: np.ndarray, batch_size: int
  ) -> dict[str, np.ndarray]:
    batches, _ = order.batched(rows, batch_size)
    made = [jax.device_get(means(params, feed.stored, batch))
            for batch in dispatch.scoring(feed, batches, 'all layers')]
    return {name: np.concatenate([m[name] for m in made])[:len(rows)]
            for name in layers.CONVOLUTIONS}

  return describe
