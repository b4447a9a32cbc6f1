"""The work in medxfer: the steps that a run takes, not a copy of them."""

from collections.abc import Callable
import pathlib

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np

from medxfer import spec as specs
from medxfer.bench import flops
from medxfer.bench import setting as settings
from medxfer.bench import work
from medxfer.data import batching
from medxfer.data import folders
from medxfer.data import pixel_sources
from medxfer.data import splits
from medxfer.model import initialization
from medxfer.model import params as params_lib
from medxfer.model import trainable
from medxfer.model import vgg
from medxfer.model import weights as weights_lib
from medxfer.recipes import common
from medxfer.training import compiled
from medxfer.training import devices
from medxfer.training import dispatch
from medxfer.training import feature_cache
from medxfer.training import feeds
from medxfer.training import kept_features
from medxfer.training import memory
from medxfer.training import state as states
from medxfer.training import steps as steps_lib
from medxfer.training import strategy as strategies
from medxfer.training import task as task_lib


def prepare(setting: settings.Setting) -> work.Work:
  """Returns the work of a setting."""
  compiled.keep(None)  # As a run does, but nothing for the next.
  task, params = _task(setting)
  repeat = {'forward': _forward, 'epoch': _epochs}.get(setting.mode, _train)
  loss = _loss(setting, task, params)
  return work.Work(
      repeat=repeat(setting, task, params),
      loss=loss,
      version=f'jax {jax.__version__}',
      operations=flops.of_image(setting) * setting.batch_size,
      peak_bytes=_peak_bytes(),
  )


def _task(setting: settings.Setting) -> tuple[task_lib.Task, params_lib.Params]:
  spec = specs.from_config(_config(setting))
  model = vgg.build(spec.model, settings.CLASSES)
  backbone = weights_lib.read(
      weights_lib.locate(None, settings.ARCHITECTURE), settings.ARCHITECTURE
  )
  params = initialization.initial_params(
      model, spec.data.image_size, jax.random.key(0), backbone.params
  )
  params |= jax.tree.map(jnp.asarray, settings.head(setting))
  strategy = strategies.resolve(spec)
  mask = trainable.mask(params, strategy.trained)
  return (
      task_lib.Task(
          model=model,
          numbers=task_lib.Numbers(
              np.float32(spec.optimizer.learning_rate),
              np.int32(10**6),
              np.int32(10**6),
              np.ones(settings.CLASSES, np.float32),
          ),
          mask=mask,
          spec=spec,
          strategy=strategy,
      ),
      params,
  )


def _config(setting: settings.Setting) -> ml_collections.ConfigDict:
  config = common.default()
  with config.unlocked():
    config.data.image_size = (setting.image_size, setting.image_size)
    config.augment.update(
        horizontal_flip=False,
        vertical_flip=False,
        quarter_turns=False,
        zoom=0.0,
        brightness=0.0,
    )
    config.model.update(
        preprocessing='caffe',
        dropout=settings.DROPOUT,
        head_units=settings.HEAD_UNITS,
        dtype=setting.precision,
        trainable=settings.MODES[setting.mode] or 'all',
    )
    config.optimizer.update(
        name='adamw',
        learning_rate=settings.LEARNING_RATE,
        weight_decay=settings.WEIGHT_DECAY,
    )
    config.training.batch_size = setting.batch_size
  return config


def _loss(
    setting: settings.Setting, task: task_lib.Task, params: params_lib.Params
) -> float:
  """Returns the mean cross-entropy of the first batch, without dropout."""
  images, labels = settings.pixels(setting)
  feed = feeds.pixels(
      pixel_sources.of_arrays(),
      task.spec.augment,
      task.spec.model.preprocessing,
  )
  size = memory.images_at_once(
      (setting.image_size, setting.image_size), len(images)
  )
  step = steps_lib.compile_predict(task.model, feed)
  logits = np.concatenate(
      [
          step(params, None, images[start : start + size])
          for start in range(0, len(images), size)
      ]
  )
  return float(
      -jax.nn.log_softmax(logits)[np.arange(len(labels)), labels].mean()
  )


def _feed(
    task: task_lib.Task, params: params_lib.Params, pixels: np.ndarray
) -> feeds.Feed:
  """Returns the feed that a run on these pixels would choose."""
  spec = task.spec
  rows = np.arange(len(pixels))
  split = splits.Split(train=rows, val=rows[:1], test=rows[:0])
  source = pixel_sources.Source(devices.replicate(pixels), iter)
  decision = kept_features.decide(spec, split)
  if decision.keep:
    return feature_cache.feed(task, params, source, split, decision)
  return feeds.pixels(source, spec.augment, spec.model.preprocessing)


def _forward(
    setting: settings.Setting, task: task_lib.Task, params: params_lib.Params
) -> Callable[[int], None]:
  images, _ = settings.pixels(setting)
  feed = feeds.pixels(
      pixel_sources.of_arrays(),
      task.spec.augment,
      task.spec.model.preprocessing,
  )
  step, batch = steps_lib.compile_predict(task.model, feed), jnp.array(images)

  def repeat(steps: int) -> None:
    for _ in range(steps):
      logits = step(params, None, batch)
    logits.block_until_ready()

  return repeat


def _train(
    setting: settings.Setting, task: task_lib.Task, params: params_lib.Params
) -> Callable[[int], None]:
  images, labels = settings.pixels(setting)
  feed = _feed(task, params, images)
  step = steps_lib.compile_steps(task, feed).train
  given = next(
      dispatch.training(
          feed,
          labels,
          np.arange(len(images))[None],
          np.ones((1, len(images)), np.float32),
          'warming up',
      )
  )
  state, key = _state(task, params), devices.key(0)

  def repeat(steps: int) -> None:
    nonlocal state
    for _ in range(steps):
      state, _ = step(state, feed.stored, *given, key)
    jax.block_until_ready(state.params)

  return repeat


def _epochs(
    setting: settings.Setting, task: task_lib.Task, params: params_lib.Params
) -> Callable[[int], None]:
  """Whole epochs, from files to parameters; compiled once, as in a run."""
  # Loads TensorFlow, which the other modes do without.
  from medxfer.data import pipeline

  examples = folders.read(pathlib.Path(setting.folder), on_bad_image='fail')
  step = None

  def repeat(steps: int) -> None:
    nonlocal step
    del steps
    # Nothing of the repeat before is used: pixels and prefix are made anew.
    decoded = pipeline.decode(examples, task.spec.data.image_size)
    assert decoded.pixels is not None  # Kept, as nothing else was asked for.
    feed = _feed(task, params, decoded.pixels)
    step = step or steps_lib.compile_steps(task, feed).train
    state = _state(task, jax.tree.map(jnp.copy, params))
    key = devices.key(0)
    for epoch in range(1, settings.EPOCHS + 1):
      batches, weights = batching.batched(
          batching.shuffled(np.arange(len(examples)), seed=0, epoch=epoch),
          setting.batch_size,
      )
      for given in dispatch.training(
          feed, examples.labels, batches, weights, f'epoch {epoch}'
      ):
        state, _ = step(state, feed.stored, *given, key)
    jax.block_until_ready(state.params)

  return repeat


def _state(task: task_lib.Task, params: params_lib.Params) -> states.TrainState:
  return devices.replicate(states.create(params, task.tx), donate=True)


def _peak_bytes() -> Callable[[], int] | None:
  device = jax.local_devices()[0]
  if not device.memory_stats():
    return None
  return lambda: device.memory_stats()['peak_bytes_in_use']
