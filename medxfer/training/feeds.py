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
from medxfer.data import pixel_sources
from medxfer.data import splits
from medxfer.model import preprocessing
from medxfer.training import devices

Batch = Any  # A tree of arrays.


def _no_view(*_: Any) -> jax.Array:
  raise NotImplementedError('stored activations have no views to score')


@dataclasses.dataclass(frozen=True, eq=False)
class Feed:
  """A way for images into the network.

  Attributes:
    first: name of the layer that they enter; '' if they are pixels.
    stored: a tree of arrays that all batches share, on the devices.
    batches: rows, int [batches, batch size] -> one batch for each, on the
      host: a tree of arrays [batch size, ...].
    train: (stored, batch, key) -> what enters `first`, augmented; traceable.
    score: (stored, batch) -> what enters `first`, as it is; traceable.
    view: (stored, batch, number of the view) -> what enters `first`, of pixels;
      see `augment.view`. Stored activations have none.
  """

  first: str
  stored: Any
  batches: Callable[[np.ndarray], Iterator[Batch]]
  train: Callable[[Any, Batch, jax.Array], jax.Array]
  score: Callable[[Any, Batch], jax.Array]
  view: Callable[[Any, Batch, jax.Array], jax.Array] = _no_view


def pixels(
    source: pixel_sources.Source, spec: specs.AugmentSpec, mode: str
) -> Feed:
  """Returns the feed of uint8 images.

  Args:
    source: rows -> pixels, those that it stores on the devices.
    spec: augmentation of training images.
    mode: preprocessing, see `medxfer.model.preprocessing`.
  """

  def train(stored: Any, batch: jax.Array, key: jax.Array) -> jax.Array:
    images = pixel_sources.pixels(stored, batch).astype(jnp.float32)
    return preprocessing.preprocess(augment.augment(key, images, spec), mode)

  def score(stored: Any, batch: jax.Array) -> jax.Array:
    return preprocessing.preprocess(pixel_sources.pixels(stored, batch), mode)

  def view(stored: Any, batch: jax.Array, number: jax.Array) -> jax.Array:
    images = pixel_sources.pixels(stored, batch)
    images = jax.vmap(lambda image: augment.view(image, number, spec))(images)
    return preprocessing.preprocess(images, mode)

  return Feed('', source.stored, source.batches, train, score, view)


def views_on_host(
    first: str,
    take: Callable[[np.ndarray], np.ndarray],
    spec: specs.AugmentSpec,
) -> Feed:
  """Returns the feed of activations that come from the host.

  Every view of a batch is handed over, and the step draws among them.

  Args:
    first: the layer that they enter.
    take: rows -> [rows, views, ...], of training images all views, of others
      the first, which is the image as it is.
    spec: augmentation, of views alone.
  """

  def train(_: Any, batch: jax.Array, key: jax.Array) -> jax.Array:
    drawn = augment.draw_views(key, len(batch), spec)
    return batch[jnp.arange(len(batch)), drawn]

  return Feed(
      first,
      None,
      lambda rows: map(take, rows),
      train,
      lambda _, batch: batch[:, 0],
  )


def views_on_device(
    first: str,
    take: Callable[[np.ndarray], np.ndarray],
    split: splits.Split,
    spec: specs.AugmentSpec,
) -> Feed:
  """Returns the feed of activations that lie on the device.

  Args:
    first: the layer that they enter.
    take: as of `views_on_host`.
    split: rows by side.
    spec: augmentation, of views alone.
  """
  trained = take(split.train)
  views = trained.shape[1]
  # Row -> slot of its first view; views of a training image are neighbours.
  scored = np.concatenate([split.val, split.test])
  slots = np.full(max(split.train.max(), scored.max()) + 1, -1)
  slots[split.train] = np.arange(len(split.train)) * views
  slots[scored] = len(split.train) * views + np.arange(len(scored))
  stored = devices.replicate(
      np.concatenate(
          [trained.reshape(-1, *trained.shape[2:]), take(scored)[:, 0]]
      )
  )

  def train(stored: jax.Array, batch: jax.Array, key: jax.Array) -> jax.Array:
    drawn = augment.draw_views(key, len(batch), spec)
    return jnp.take(stored, batch + drawn, axis=0)

  return Feed(
      first,
      stored,
      lambda rows: (slots[batch] for batch in rows),
      train,
      lambda stored, batch: jnp.take(stored, batch, axis=0),
  )
