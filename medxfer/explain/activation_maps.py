"""The activations of a layer (figure 8.1 of the thesis)."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from medxfer import errors
from medxfer.model import params as params_lib
from medxfer.model import vgg

Activate = Callable[[params_lib.Params, jax.Array], jax.Array]


def compile_activations(model: vgg.VGG, layer: str) -> Activate:
  """Returns a function from parameters and images to a layer's activation.

  It takes preprocessed images, float [batch, height, width, 3], and returns
  float32 [batch, h, w, channels], after the ReLU. Layers above are traced but
  not compiled: nothing that is returned depends on them.

  Args:
    model: the network.
    layer: a convolution or `blockN_pool`.

  Raises:
    UsageError: the layer does not exist.
  """
  known = model.architecture.activations
  if layer not in known:
    raise errors.UsageError(
        f'{layer!r} is not a convolution or pooling; those are '
        f'{", ".join(known)}'
    )

  @jax.jit
  def activate(params: params_lib.Params, images: jax.Array) -> jax.Array:
    _, activations = vgg.forward(model, params, images)
    return activations[layer].astype(jnp.float32)

  return activate


def mean_map(activation: np.ndarray) -> np.ndarray:
  """Returns the mean over channels, [..., h, w] of [..., h, w, channels]."""
  return activation.mean(-1)


def strongest(activation: np.ndarray, count: int) -> np.ndarray:
  """Returns the channels with the largest spatial means, largest first.

  Args:
    activation: [h, w, channels], of one image.
    count: how many, at most the number of channels.

  Returns:
    int [count].
  """
  return np.argsort(-activation.mean((0, 1)), kind='stable')[:count]
