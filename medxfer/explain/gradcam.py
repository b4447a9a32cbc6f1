"""Grad-CAM: where in an image a class finds its evidence.

Selvaraju et al., 'Grad-CAM: visual explanations from deep networks via
gradient-based localization' (ICCV 2017), equations 1 and 2.
"""

from collections.abc import Callable
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from medxfer import errors
from medxfer.model import architectures
from medxfer.model import params as params_lib
from medxfer.model import vgg
from medxfer.model.cpu import pooling

Maps = Callable[[params_lib.Params, jax.Array, jax.Array], jax.Array]


# On fewer places per side a map no longer says where.
_PLACES = 6


def layer_for(
    architecture: architectures.Architecture, image_size: tuple[int, int]
) -> str:
  """Returns the deepest convolution whose map still resolves places.

  Of VGG-16 that is block5_conv3 at 224 pixels (14x14), as in the paper, and
  block4_conv3 at 64 (8x8), where block 5 is left with 4x4.

  Args:
    architecture: of the network.
    image_size: (height, width) in pixels.
  """
  sides = {
      names[-1]: min(image_size) >> depth
      for depth, names in enumerate(architecture.blocks.values())
  }
  fitting = [name for name, side in sides.items() if side >= _PLACES]
  return fitting[-1] if fitting else next(iter(sides))


def compile_gradcam(model: vgg.VGG, layer: str) -> Maps:
  """Returns `gradcam` of a network and a layer, compiled at its first call.

  Raises:
    UsageError: the layer is not a convolution.
  """
  check(model.architecture, layer)
  return jax.jit(functools.partial(gradcam, model, layer))


def check(architecture: architectures.Architecture, layer: str) -> None:
  """Raises a UsageError if a layer is not a convolution."""
  if layer not in architecture.convolutions:
    raise errors.UsageError(
        f'{layer!r} is not a convolution; convolutions are '
        f'{", ".join(architecture.convolutions)}'
    )


def gradcam(
    model: vgg.VGG,
    layer: str,
    params: params_lib.Params,
    images: jax.Array,
    classes: jax.Array,
) -> jax.Array:
  """Maps the evidence for one class of each image.

  Args:
    model: the network.
    layer: the convolution to look at. Later ones know more about classes,
      earlier ones more about places.
    params: of the network.
    images: float [batch, height, width, 3], preprocessed.
    classes: int [batch], the class to explain.

  Returns:
    float32 [batch, h, w], the size of the layer's activation, in [0, 1]: the
    largest value of each map is 1, or 0 where nothing speaks for the class.
  """
  _, activations = vgg.forward(model, params, images)
  activation = activations[layer].astype(jnp.float32)

  def score(activation: jax.Array) -> jax.Array:
    # Images do not meet in the network: the gradient of the sum holds the
    # gradient of each image's own logit.
    logits = _logits_above(model, layer, params, activation)
    return jnp.take_along_axis(logits, classes[:, None], axis=1).sum()

  # Of the activation, not of the image: layers below take no backward pass.
  weights = jax.grad(score)(activation).mean((1, 2))
  heat = nn.relu(jnp.einsum('bhwc,bc->bhw', activation, weights))
  peak = heat.max((1, 2), keepdims=True)
  return heat / jnp.where(peak > 0, peak, 1)


def _logits_above(
    model: vgg.VGG, layer: str, params: params_lib.Params, activation: jax.Array
) -> jax.Array:
  """Returns the logits that an activation leads to."""
  architecture = model.architecture
  following = architecture.layers[architecture.layers.index(layer) + 1]
  if architecture.input_of(following) != layer:  # A pooling lies between.
    activation = pooling.max_pool(activation)
  return vgg.forward(model, params, activation, first=following)[0]
