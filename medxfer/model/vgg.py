"""Networks of the VGG family in Flax Linen, with Keras' layer names.

Simonyan and Zisserman, 'Very deep convolutional networks for large-scale
image recognition' (arXiv 1409.1556); the head is the one of the thesis
(section 6.2): flatten, dense, dropout, dense, dropout, dense.
"""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from medxfer import spec as specs
from medxfer.model import architectures
from medxfer.model import params as params_lib
from medxfer.model.cpu import convolution
from medxfer.model.cpu import pooling

# Glorot's, Keras' default, halves the variance at every rectified layer; He's
# (arXiv 1502.01852) keeps it through all thirteen.
INITIALIZERS = {
    'glorot_uniform': nn.initializers.glorot_uniform(),
    'he_normal': nn.initializers.he_normal(),
}

_COMPUTED_AS = {'tf32': 'float32'}  # What is no type of its own.


class VGG(nn.Module):
  """Backbone and classification head.

  Attributes:
    architecture: blocks and their convolutions.
    classes: number of classes.
    head_units: widths of `fc1` and `fc2`.
    dropout: fraction of activations dropped after `fc1` and `fc2`.
    initializer: how kernels of convolutions are drawn, a key of
      `INITIALIZERS`.
    dtype: type of the computation; parameters stay float32.
    tf32: whether products of float32 may be rounded to TF32, as GPUs would.
  """

  architecture: architectures.Architecture
  classes: int
  head_units: Sequence[int] = (256, 256)
  dropout: float = 0.5
  initializer: str = 'glorot_uniform'
  dtype: jnp.dtype = jnp.float32
  tf32: bool = False

  @nn.compact
  def __call__(
      self, x: jax.Array, *, train: bool = False, first: str = ''
  ) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Classifies a batch.

    Args:
      x: float [batch, height, width, channels], what enters the layer
        `first`: preprocessed images (see `medxfer.model.preprocessing`), each
        side at least 32, or the activation `architecture.input_of(first)`.
      train: whether dropout is on; needs the rng stream 'dropout'.
      first: the first layer to apply, a convolution or 'fc1'; '' is the
        first convolution.

    Returns:
      Logits, float32 [batch, classes], and the activations of the backbone
      from `first` on by Keras' layer names: every convolution and every
      `blockN_pool`.
    """
    x, activations = self._backbone(
        x.astype(self.dtype), first or self.architecture.convolutions[0]
    )
    x = x.reshape(x.shape[0], -1)
    for name, units in zip(
        self.architecture.head[:-1], self.head_units, strict=True
    ):
      x = nn.relu(nn.Dense(units, dtype=self.dtype, name=name)(x))
      x = nn.Dropout(self.dropout, deterministic=not train)(x)
    # The last product is in float32: a softmax over bfloat16 logits loses
    # the digits that ranking metrics such as AUROC depend on.
    last = nn.Dense(
        self.classes, dtype=jnp.float32, name=self.architecture.head[-1]
    )
    return last(x), activations

  def _backbone(
      self, x: jax.Array, first: str
  ) -> tuple[jax.Array, dict[str, jax.Array]]:
    activations, layers = {}, self.architecture.layers
    skipped = layers[: layers.index(first)]
    for block, convolutions in self.architecture.blocks.items():
      if convolutions[-1] in skipped:
        continue
      for name in convolutions:
        if name in skipped:
          continue
        x = convolution.Conv3x3(
            self.architecture.channels[name],
            kernel_init=INITIALIZERS[self.initializer],
            dtype=self.dtype,
            name=name,
        )(x)
        activations[name] = x = nn.relu(x)
      activations[f'{block}_pool'] = x = pooling.max_pool(x)
    return x, activations


def forward(
    model: VGG, params: params_lib.Params, x: jax.Array, **options: Any
) -> tuple[jax.Array, dict[str, jax.Array]]:
  """Returns logits and activations, as `VGG.__call__` does.

  Args:
    model: the network.
    params: of it.
    x: what enters it.
    **options: of `VGG.__call__` and of `flax.linen.Module.apply`.
  """
  found: Any = model.apply({'params': params}, x, **options)
  return found


def build(spec: specs.ModelSpec, classes: int) -> VGG:
  """Returns the network that a specification describes."""
  return VGG(
      architecture=architectures.BY_NAME[spec.name],
      classes=classes,
      head_units=spec.head_units,
      dropout=spec.dropout,
      initializer=spec.initializer,
      dtype=jnp.dtype(_COMPUTED_AS.get(spec.dtype, spec.dtype)),
      tf32=spec.dtype == 'tf32',
  )
