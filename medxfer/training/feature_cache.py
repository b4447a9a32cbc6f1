"""The feature cache: activations of the frozen layers, computed once.

Layers below the first one that trains always make the same of the same image.
If an image has finitely many augmentations (its views), what the prefix makes
of each is computed once, kept, and training starts from there: for the last
block of VGG-16 that is a twelfth of the work of an epoch.
"""

from collections.abc import Mapping
import contextlib
import dataclasses
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import medxfer
from medxfer import console
from medxfer import errors
from medxfer import progress
from medxfer.data import augment
from medxfer.data import batching
from medxfer.data import pixel_sources
from medxfer.data import splits
from medxfer.model import params as params_lib
from medxfer.model import preprocessing
from medxfer.model import vgg
from medxfer.model.weights import metadata as contracts
from medxfer.training import devices
from medxfer.training import feature_store
from medxfer.training import feeds
from medxfer.training import kept_features
from medxfer.training import memory
from medxfer.training import steps
from medxfer.training import task as task_lib

_BATCH = 32  # Images that are computed together, at most.


def feed(
    task: task_lib.Task,
    params: params_lib.Params,
    source: pixel_sources.Source,
    split: splits.Split,
    decision: kept_features.Decision,
    where: pathlib.Path | None = None,
    images_digest: str = '',
    *,
    with_test: bool = False,
) -> feeds.Feed:
  """Computes the prefix of images, so that none is computed again.

  Args:
    task: network, recipe and what trains.
    params: of the network; those of the prefix are frozen.
    source: rows -> pixels.
    split: rows by subset.
    decision: what `kept_features.decide` has said of it.
    where: folder of the cache, if the decision is for the disk.
    images_digest: of the pixels of all images, in the table's order.
    with_test: whether test images are scored from them, too.

  Returns:
    A feed for rows of train and val, and of test if they are asked for; those
    of val and test are scored as they are.

  Raises:
    DataError: the disk is full, and the memory too small.
  """
  spec, strategy = task.spec, task.strategy
  views = augment.view_count(spec.augment)
  one = _shape(task)
  shape, dtype = (len(split), views, *one.shape[1:]), one.dtype
  with contextlib.ExitStack() as stack:
    if decision.on_disk and where:
      about = key(task, params, images_digest)
      store = _on_disk(stack, where, about, shape, dtype, decision)
    else:
      store = feature_store.InMemory(shape, dtype)
    if not with_test:
      split = dataclasses.replace(split, test=split.test[:0])
    _fill(store, task, params, source, split, views)
  memory.give_back()
  if decision.on_device:
    return feeds.views_on_device(
        strategy.first, store.take, split, spec.augment
    )
  return feeds.views_on_host(strategy.first, store.take, spec.augment)


def _on_disk(
    stack: contextlib.ExitStack,
    where: pathlib.Path,
    key: Mapping[str, Any],
    shape: tuple[int, ...],
    dtype: np.dtype,
    decision: kept_features.Decision,
) -> feature_store.Kept:
  """Enters a store on disk, or one in memory if the disk refuses."""
  try:
    return stack.enter_context(feature_store.on_disk(where, key, shape, dtype))
  except OSError as error:
    reason = f'{where}: {error.strerror or error}'
    if not decision.in_memory:
      raise errors.DataError(
          f'feature cache: {reason}, and the memory is too small; name '
          'another folder in $MEDXFER_CACHE, or give '
          '--config.training.feature_cache=off'
      ) from error
    console.line(f'feature cache: {reason}; in memory instead')
    return feature_store.InMemory(shape, dtype)


def _fill(
    store: feature_store.Kept,
    task: task_lib.Task,
    params: params_lib.Params,
    source: pixel_sources.Source,
    split: splits.Split,
    views: int,
) -> None:
  """Computes what is missing: all views to train on, others as they are."""
  params, stored = devices.own((params, source.stored))

  @jax.jit
  def step(
      params: params_lib.Params, stored: Any, batch: Any, view: jax.Array
  ) -> jax.Array:
    with steps.products(task.model):
      pixels = pixel_sources.pixels(stored, batch)
      return _activation(task, params, pixels, view)

  for subset, count in (('train', views), ('val', 1), ('test', 1)):
    rows = store.missing(split.rows(subset), count)
    if not len(rows):
      continue
    batches, weights = batching.batched(
        rows, memory.images_at_once(task.spec.data.image_size, _BATCH)
    )
    bar = progress.track(
        source.batches(batches),
        total=len(batches),
        unit='batches',
        title=f'computing the frozen layers of {len(rows):,} {subset} images',
    )
    for given, batch, weight in zip(bar, batches, weights):
      true = batch[: int(weight.sum())]  # Less the padding.
      for view in range(count):
        made = np.asarray(step(params, stored, given, view))
        store.put(true, view, made[: len(true)])


def key(
    task: task_lib.Task, params: params_lib.Params, images_digest: str
) -> dict[str, Any]:
  """Returns everything that decides the activations, to the last bit.

  Args:
    task: network, recipe and what trains.
    params: of the network.
    images_digest: as of `feed`.
  """
  spec = task.spec
  return {
      'layer': task.strategy.entry,
      'weights': contracts.describe(
          {name: params[name] for name in task.strategy.prefix},
          architecture=spec.model.name,
          source='',
          preprocessing=spec.model.preprocessing,
      ).digest,
      'images': images_digest,
      # The digest is of bytes, which may stand for 64 x 32 as for 32 x 64.
      'image_size': list(spec.data.image_size),
      'views': dataclasses.asdict(spec.augment),
      'preprocessing': spec.model.preprocessing,
      'dtype': spec.model.dtype,
      'device': jax.local_devices()[0].device_kind,
      'versions': {'medxfer': medxfer.__version__, 'jax': jax.__version__},
  }


def _activation(
    task: task_lib.Task,
    params: params_lib.Params,
    pixels: jax.Array,
    view: jax.Array | int,
) -> jax.Array:
  """Returns what enters the first layer that trains.

  The layers above it are part of the trace but not of the compiled code:
  nothing that is returned depends on them.
  """
  spec = task.spec
  seen = jax.vmap(lambda image: augment.view(image, view, spec.augment))
  images = preprocessing.preprocess(seen(pixels), spec.model.preprocessing)
  _, activations = vgg.forward(task.model, params, images)
  return activations[f'{task.strategy.entry}']


def _shape(task: task_lib.Task) -> jax.ShapeDtypeStruct:
  """Returns shape and dtype of one image's activation, [1, ...]."""
  pixels = jax.ShapeDtypeStruct((1, *task.spec.data.image_size, 3), jnp.uint8)

  def shape(key: jax.Array, pixels: jax.Array) -> jax.Array:
    params = task.model.init(key, pixels.astype(jnp.float32))['params']
    return _activation(task, params, pixels, 0)

  return jax.eval_shape(shape, jax.random.key(0), pixels)
