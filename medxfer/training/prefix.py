"""The frozen prefix, computed once.

Layers below the first one that trains always make the same of the same image.
If an image has finitely many augmentations (its views), what the prefix makes
of each is computed once, kept, and training starts from there: for the last
block of VGG-16 that is a twelfth of the work of an epoch.
"""

from collections.abc import Iterator
from collections.abc import Mapping
import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import psutil

from medxfer import progress
from medxfer import spec as specs
from medxfer.data import augment
from medxfer.data import order
from medxfer.data import sources
from medxfer.data import splits
from medxfer.model import layers
from medxfer.model import preprocessing
from medxfer.model import trainable
from medxfer.training import feeds
from medxfer.training import state as states

_SHARE_OF_MEMORY = 0.5
_BATCH = 32


@dataclasses.dataclass(frozen=True)
class Decision:
  """Whether to keep the prefix's activations, and why (for a person)."""

  keep: bool
  reason: str


def decide(
    model: nn.Module, spec: specs.RunSpec, split: splits.Split
) -> Decision:
  """Weighs work and memory.

  Args:
    model: the network.
    spec: the run.
    split: its rows by side.
  """
  first = trainable.resolve(spec.model.trainable)[0]
  views = augment.view_count(spec.augment)
  if spec.training.prefix_cache == 'off':
    return Decision(False, 'training.prefix_cache is off')
  if layers.before(first) is None:
    return Decision(False, f'{first} trains, nothing is frozen below it')
  if not augment.has_only_views(spec.augment):
    return Decision(
        False, 'augment.zoom and augment.brightness give an image countless '
        'versions; 0 switches them off')
  if views > spec.training.epochs:
    return Decision(False, f'{views} views an image in at most '
                    f'{spec.training.epochs} epochs would save nothing')
  need = (len(split.train) * views + len(split.val)) * _bytes(model, spec)
  have = int(_free_memory() * _SHARE_OF_MEMORY)
  size = f'{need / 2**20:,.0f} MiB'
  if need > have:
    return Decision(False, f'{size} are more than half of the free memory')
  return Decision(
      True, f'{layers.before(first)} of {views} views an image, {size}')


def feed(
    model: nn.Module,
    params: states.Params,
    spec: specs.RunSpec,
    source: sources.Source,
    split: splits.Split,
) -> feeds.Feed:
  """Computes the prefix of training and validation images.

  Args:
    model: the network.
    params: its parameters; those of the prefix are frozen.
    spec: the run; `decide` has said that it is worth it.
    source: rows -> pixels.
    split: rows by side.

  Returns:
    A feed for rows of train and val.
  """
  first = trainable.resolve(spec.model.trainable)[0]
  views = augment.view_count(spec.augment)
  # Row -> slot of its first view; views of a training image are neighbours.
  slots = np.full(sum(len(split.rows(s)) for s in splits.SIDES), -1)
  slots[split.train] = np.arange(len(split.train)) * views
  slots[split.val] = len(split.train) * views + np.arange(len(split.val))
  stored = _compute(model, params, spec, source, split, views)

  def batches(rows: np.ndarray) -> Iterator[feeds.Batch]:
    for batch in rows:
      yield {'stored': stored, 'slots': jnp.asarray(slots[batch])}

  def train(batch: Mapping[str, jax.Array], key: jax.Array) -> jax.Array:
    drawn = augment.draw_views(key, len(batch['slots']), spec.augment)
    return jnp.take(batch['stored'], batch['slots'] + drawn, axis=0)

  return feeds.Feed(
      first=first,
      batches=batches,
      train=train,
      score=lambda batch: jnp.take(batch['stored'], batch['slots'], axis=0),
  )


def _compute(
    model: nn.Module,
    params: states.Params,
    spec: specs.RunSpec,
    source: sources.Source,
    split: splits.Split,
    views: int,
) -> jax.Array:
  """Returns the activations [slots, ...] in the order of the slots."""
  step = jax.jit(
      lambda params, pixels, view: _activation(
          model, params, spec, pixels, view))
  parts = []
  for side, count in (('train', views), ('val', 1)):
    batches, weights = order.batched(split.rows(side), _BATCH)
    bar = progress.track(
        source(batches), total=len(batches), unit='batches',
        title=f'frozen layers, {side}')
    for pixels, weight in zip(bar, weights):
      made = [np.asarray(step(params, pixels, v)) for v in range(count)]
      # [batch, views, ...] less the padding: an image's views side by side.
      true = np.stack(made, 1)[:int(weight.sum())]
      parts.append(true.reshape(-1, *true.shape[2:]))
  return jax.device_put(np.concatenate(parts))


def _activation(
    model: nn.Module,
    params: states.Params,
    spec: specs.RunSpec,
    pixels: jax.Array,
    view: jax.Array | int,
) -> jax.Array:
  """Returns what enters the first layer that trains.

  The layers above it are part of the trace but not of the compiled code:
  nothing that is returned depends on them.
  """
  images = jax.vmap(lambda image: augment.view(image, view, spec.augment))(
      pixels)
  images = preprocessing.preprocess(images, spec.model.preprocessing)
  _, activations = model.apply({'params': params}, images)
  return activations[
      layers.before(trainable.resolve(spec.model.trainable)[0])]


def _bytes(model: nn.Module, spec: specs.RunSpec) -> int:
  """Returns the size of one image's activation."""
  pixels = jax.ShapeDtypeStruct((1, *spec.data.image_size, 3), jnp.uint8)

  def shape(key: jax.Array, pixels: jax.Array) -> jax.Array:
    params = model.init(key, pixels.astype(jnp.float32))['params']
    return _activation(model, params, spec, pixels, 0)

  made = jax.eval_shape(shape, jax.random.key(0), pixels)
  return made.size * made.dtype.itemsize


def _free_memory() -> int:
  """Returns the free bytes where arrays live: the device's, or the host's."""
  stats = jax.local_devices()[0].memory_stats()
  if stats and 'bytes_limit' in stats:
    return stats['bytes_limit'] - stats.get('bytes_in_use', 0)
  return psutil.virtual_memory().available
