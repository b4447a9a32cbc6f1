"""How images reach the network: what a step is given, and where it enters.

A feed of pixels augments and preprocesses inside the step and enters at the
first layer; a feed of stored activations (see `prefix`) enters further up.
"""

from collections.abc import Callable
from collections.abc import Iterator
import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from medxfer import spec as specs
from medxfer.data import augment
from medxfer.data import sources
from medxfer.model import layers
from medxfer.model import preprocessing

Batch = Any  # A tree of arrays.


@dataclasses.dataclass(frozen=True, eq=False)
class Feed:
  """A way for images into the network.

  Attributes:
    first: name of the layer that they enter.
    batches: rows, int [batches, batch size] -> one batch for each.
    train: (batch, key) -> what enters `first`, augmented; traceable.
    score: batch -> what enters `first`, as it is; traceable.
  """

  first: str
  batches: Callable[[np.ndarray], Iterator[Batch]]
  train: Callable[[Batch, jax.Array], jax.Array]
  score: Callable[[Batch], jax.Array]


def pixels(
    source: sources.Source, spec: specs.AugmentSpec, mode: str
) -> Feed:
  """Returns the feed of uint8 images.

  Args:
    source: rows -> pixels.
    spec: augmentation of training images.
    mode: preprocessing, 'caffe' or 'thesis'.
  """
  def train(batch: jax.Array, key: jax.Array) -> jax.Array:
    images = augment.augment(key, batch.astype(jnp.float32), spec)
    return preprocessing.preprocess(images, mode)

  return Feed(
      first=layers.CONVOLUTIONS[0],
      batches=source,
      train=train,
      score=lambda batch: preprocessing.preprocess(batch, mode),
  )
