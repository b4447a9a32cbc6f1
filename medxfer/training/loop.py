"""Epochs: order, steps, validation, early stopping, checkpoints.

Everything random is a function of (seed, epoch, step), so a run that goes on
from a checkpoint takes the very steps it would have taken undisturbed.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
import math
import time
from typing import Any

import jax
import numpy as np
import psutil

from medxfer import errors
from medxfer import spec as specs
from medxfer.data import order
from medxfer.data import sources
from medxfer.data import splits
from medxfer.evaluation import metrics
from medxfer.model import layers
from medxfer.model import optimizer
from medxfer.model.weights import contract as contracts
from medxfer.training import checkpoints as checkpoints_lib
from medxfer.training import compiled
from medxfer.training import devices
from medxfer.training import dispatch
from medxfer.training import feeds
from medxfer.training import room
from medxfer.training import state as states
from medxfer.training import steps as steps_lib

Record = checkpoints_lib.Record
# Yields an epoch's batches as they are, and may look at the clock.
Watch = Callable[[Iterator[dispatch.Batches]], Iterator[dispatch.Batches]]


@dataclasses.dataclass(frozen=True, eq=False)
class Data:
  """Images in reach of the steps.

  Attributes:
    source: their pixels.
    feed: how they reach the network.
    labels: int32 [n].
    split: rows by side.
    class_names: the classes that labels index.
  """

  source: sources.Source
  feed: feeds.Feed
  labels: np.ndarray
  split: splits.Split
  class_names: tuple[str, ...]


def train(
    task: steps_lib.Task,
    data: Data,
    state: states.TrainState,
    history: Sequence[Record],
    checkpoints: checkpoints_lib.Checkpoints,
    on_epoch: Callable[[Sequence[Record]], None],
    watch: Watch = iter,
) -> tuple[Record, ...]:
  """Trains until the last epoch or the end of patience.

  Args:
    task: network, optimizer, mask and recipe.
    data: the images.
    state: to go on from; its memory is reused.
    history: one record for each epoch that led to it.
    checkpoints: where each epoch is saved.
    on_epoch: called with the history after each epoch.
    watch: through which the batches of each epoch go.

  Returns:
    The whole history.

  Raises:
    DataError: the loss is not finite.
  """
  spec = task.spec
  steps = steps_lib.compile_steps(task, data.feed)
  history, done = tuple(history), len(history)
  while not is_over(history, spec.training):
    epoch = len(history) + 1
    state, record = _epoch(
        task, steps, data, state, epoch, watch, is_first=epoch == done + 1)
    _refuse_non_finite(record, spec.optimizer.learning_rate)
    history += (record,)
    checkpoints.save(
        checkpoints_lib.Checkpoint(
            epoch, state, history, _contract(task, data, state, epoch)),
        is_best=best_epoch(history, spec.training) == epoch,
    )
    on_epoch(history)
  return history


def best_epoch(history: Sequence[Record], spec: specs.TrainingSpec) -> int:
  """Returns the first epoch that is the best in what `spec` monitors."""
  sign = -1 if spec.monitor == 'loss' else 1
  best = max(history, key=lambda record: (
      sign * record[f'val_{spec.monitor}'], -record['epoch']))
  return best['epoch']


def is_over(history: Sequence[Record], spec: specs.TrainingSpec) -> bool:
  """Tells whether the last epoch or the end of patience is reached."""
  if len(history) >= spec.epochs:
    return True
  waited = len(history) - best_epoch(history, spec) if history else 0
  return 0 < spec.patience <= waited


def predict(
    step: Callable[[states.Params, Any, feeds.Batch], Any],
    params: states.Params,
    feed: feeds.Feed,
    rows: np.ndarray,
    spec: specs.RunSpec,
    title: str = 'scoring',
) -> Any:
  """Scores every row exactly once.

  Args:
    step: a compiled `predict_step`, or another that returns a tree of arrays
      with a row for each of its batch.
    params: of the network.
    feed: the one that `step` was compiled for.
    rows: int [n].
    spec: the run; takes `evaluation.batch_size` images a step, fewer where
      they would fill the memory. The last batch is padded and cut.
    title: of the progress.

  Returns:
    What the step does, with n rows: logits, float32 [n, classes].
  """
  batch_size, devices_ = spec.evaluation.batch_size, jax.device_count()
  if feed.first == layers.CONVOLUTIONS[0]:
    batch_size = devices_ * room.images_at_once(
        spec.data.image_size, batch_size // devices_)
  batches, _ = order.batched(rows, batch_size, devices_)
  made = [step(params, feed.stored, batch)
          for batch in dispatch.scoring(feed, batches, title)]
  return jax.tree.map(lambda *leaves: np.concatenate(leaves)[:len(rows)],
                      *jax.device_get(made))


def _epoch(
    task: steps_lib.Task,
    steps: steps_lib.Steps,
    data: Data,
    state: states.TrainState,
    epoch: int,
    watch: Watch,
    *,
    is_first: bool,
) -> tuple[states.TrainState, Record]:
  """Takes an epoch's steps; `is_first` of this process."""
  spec, started, compiling = task.spec, time.perf_counter(), compiled.seconds()
  batches, weights = order.batched(
      order.shuffled(data.split.train, seed=spec.seed, epoch=epoch),
      spec.training.batch_size, jax.device_count())
  key = devices.key(spec.seed)
  sums, times = [], {}
  for given in watch(dispatch.training(
      data.feed, data.labels, batches, weights, f'epoch {epoch}')):
    state, step_sums = steps.train(state, data.feed.stored, *given, key)
    if is_first and not sums:
      jax.block_until_ready(step_sums)
      times['seconds_to_first_step'] = _since_command()
    sums.append(step_sums)
  # One wait an epoch: a look at every step's loss would stall the device.
  totals = {name: math.fsum(np.concatenate([s[name] for s in sums]).tolist())
            for name in sums[0]}
  trained = time.perf_counter() - started - (compiled.seconds() - compiling)
  logits = predict(
      steps.predict, state.params, data.feed, data.split.val, spec,
      f'epoch {epoch}, validation')
  rate = optimizer.schedule(
      spec.optimizer, steps=len(batches) * spec.training.epochs)
  return state, {
      'epoch': epoch,
      'train_loss': totals['loss'] / totals['images'],
      'train_accuracy': totals['correct'] / totals['images'],
      **_score(logits, data.labels[data.split.val]),
      'learning_rate': float(rate(int(state.step) - 1)),
      'images_per_second': totals['images'] / trained,
      'compile_seconds': compiled.seconds() - compiling,
      **times,
      'seconds': time.perf_counter() - started,
  }


def _since_command() -> float:
  return time.time() - psutil.Process().create_time()


def _score(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
  """Returns the mean cross-entropy (nats), the accuracy and the macro F1."""
  logits = logits.astype(np.float64)
  top = logits.max(axis=1)
  total = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
  losses = total - logits[np.arange(len(labels)), labels]
  table = metrics.confusion(labels, logits.argmax(axis=1), logits.shape[1])
  return {
      'val_loss': float(losses.mean()),
      'val_accuracy': float(metrics.accuracy(table)),
      'val_f1_macro': float(metrics.f1_per_class(table).mean()),
  }


def _refuse_non_finite(record: Record, learning_rate: float) -> None:
  bad = [name for name, value in record.items() if not math.isfinite(value)]
  if bad:
    raise errors.DataError(
        f'epoch {record["epoch"]}: {", ".join(bad)} is not finite; training '
        'diverged. Epochs before it are saved as they were. Try a new '
        '--workdir with --config.optimizer.learning_rate below '
        f'{learning_rate:g}, or with --config.optimizer.gradient_clip=1')


def _contract(
    task: steps_lib.Task, data: Data, state: states.TrainState, epoch: int
) -> contracts.Contract:
  spec = task.spec
  images = spec.data.name + (' phantoms' if spec.data.phantom else '')
  return contracts.describe(
      state.params,
      source=f'medxfer run on {images}, arm {spec.arm}, seed {spec.seed}, '
             f'epoch {epoch}, from {task.origin}',
      preprocessing=spec.model.preprocessing,
      classes=data.class_names,
  )
