"""Epochs: steps, validation, early stopping, checkpoints.

Everything random is a function of (seed, epoch, step), so a run that resumes
from a checkpoint takes the very steps it would have taken undisturbed.
"""

from collections.abc import Callable
from collections.abc import Sequence
import math
import time
from typing import Any

import jax
import numpy as np
import optax

from medxfer import console
from medxfer import spec as specs
from medxfer import stopping
from medxfer.data import batching
from medxfer.evaluation import metrics
from medxfer.model import optimizer
from medxfer.model import params as params_lib
from medxfer.model.weights import metadata as contracts
from medxfer.training import checkpoint_io
from medxfer.training import checkpoints as checkpoints_lib
from medxfer.training import compiled
from medxfer.training import dispatch
from medxfer.training import epoch_steps
from medxfer.training import feeds
from medxfer.training import memory
from medxfer.training import steps as steps_lib
from medxfer.training import task as task_lib

Record = checkpoint_io.Record


def train(
    task: task_lib.Task,
    data: epoch_steps.Data,
    start: checkpoint_io.Checkpoint,
    checkpoints: checkpoints_lib.Checkpoints,
    on_epoch: Callable[[Sequence[Record]], None],
    watch: epoch_steps.Watch = iter,
) -> checkpoint_io.Checkpoint:
  """Trains a stage until its last epoch or the end of patience.

  Args:
    task: network, optimizer, mask and recipe; its specification is the
      stage's.
    data: the images.
    start: where to resume from; its memory is reused.
    checkpoints: where each epoch is saved.
    on_epoch: called with the history after each epoch.
    watch: through which the batches of each epoch go.

  Returns:
    Where it ended.

  Raises:
    DataError: a loss or a gradient is not finite, or nothing can be saved.
    Interrupted: somebody stopped the run; the steps of its epoch are saved.
  """
  rate = _rate(task, data)
  progress = epoch_steps.Progress(start, rate, checkpoints.safe)

  def save() -> None:
    checkpoints.save(
        _checkpoint(task, progress), _contract(task, data, progress)
    )

  steps = steps_lib.compile_steps(task, data.feed)
  try:
    while not is_over(progress.history[task.before :], task.spec.training):
      record = {
          **_epoch(task, steps, data, progress, watch),
          'learning_rate': float(
              np.asarray(rate(int(progress.state.step) - 1))
          ),
      }
      with stopping.held():
        progress.next_epoch(record)
        save()
        on_epoch(progress.history)
  except stopping.Interrupted:
    # Of several processes one may have been a step ahead of another.
    if progress.is_beyond(start) and jax.process_count() == 1:
      save()
    console.line(f'{checkpoints.safe()}; the same command resumes from there')
    raise
  return _checkpoint(task, progress)


def best_epoch(history: Sequence[Record], spec: specs.TrainingSpec) -> int:
  """Returns the first epoch that is the best in what `spec` monitors."""
  sign = -1 if spec.monitor == 'loss' else 1
  best = max(
      history,
      key=lambda record: (
          sign * record[f'val_{spec.monitor}'],
          -record['epoch'],
      ),
  )
  return best['epoch']


def is_over(history: Sequence[Record], spec: specs.TrainingSpec) -> bool:
  """Whether the last epoch or the end of patience is reached.

  Args:
    history: of a run of one stage, or of the stage alone.
    spec: of the run or the stage.
  """
  if len(history) >= spec.epochs:
    return True
  waited = history[-1]['epoch'] - best_epoch(history, spec) if history else 0
  return 0 < spec.patience <= waited


def stage(
    history: Sequence[Record], stages: Sequence[specs.RunSpec]
) -> tuple[int, int]:
  """Returns which stage a run is in, and how many epochs were before it.

  Args:
    history: of the run.
    stages: see `strategy.stages`.

  Returns:
    The number of the stage, that of all stages once the last is over.
  """
  before = 0
  for number, spec in enumerate(stages):
    end = before
    while not is_over(history[before:end], spec.training):
      if end == len(history):
        return number, before
      end += 1
    before = end
  return len(stages), before


def predict(
    step: Callable[[params_lib.Params, Any, feeds.Batch], Any],
    params: params_lib.Params,
    feed: feeds.Feed,
    rows: np.ndarray,
    spec: specs.RunSpec,
    title: str = 'scoring',
    *,
    announced: bool = False,
) -> Any:
  """Scores every row exactly once.

  Args:
    step: a compiled `predict_step`, or another that returns a tree of arrays
      with a row for each of its batch.
    params: of the network.
    feed: the one that `step` was compiled for.
    rows: int [n].
    spec: the run; takes `evaluation.batch_size` images per step, fewer where
      they would fill the memory. The last batch is padded and cut.
    title: of the progress.
    announced: see `progress.track`.

  Returns:
    What the step does, with n rows: logits, float32 [n, classes].
  """
  batch_size, devices_ = spec.evaluation.batch_size, jax.device_count()
  if not feed.first:
    batch_size = devices_ * memory.images_at_once(
        spec.data.image_size, batch_size // devices_
    )
  batches, _ = batching.batched(rows, batch_size, devices_)
  made = [
      step(params, feed.stored, batch)
      for batch in dispatch.scoring(feed, batches, title, announced=announced)
  ]
  return jax.tree.map(
      lambda *leaves: np.concatenate(leaves)[: len(rows)], *jax.device_get(made)
  )


def _epoch(
    task: task_lib.Task,
    steps: steps_lib.Steps,
    data: epoch_steps.Data,
    progress: epoch_steps.Progress,
    watch: epoch_steps.Watch,
) -> Record:
  """Takes what is left of an epoch's steps, and validates."""
  spec, epoch, earlier = task.spec, progress.epoch, progress.seconds
  started, compiling = time.perf_counter(), compiled.seconds()
  is_first = progress.seconds_to_first_step is None
  epoch_steps.take(task, steps, data, progress, watch)
  # Added up at the end: so they do not depend on when a run was interrupted.
  totals = {name: math.fsum(sums) for name, sums in progress.sums().items()}
  logits = predict(
      steps.predict,
      progress.state.params,
      data.feed,
      data.split.val,
      spec,
      f'epoch {epoch}, validation',
      announced=not is_first,
  )
  scores = _score(logits, data.labels[data.split.val])
  if not math.isfinite(scores['val_loss']):
    raise progress.diverged(['val_loss'], progress.steps - 1)
  times = {}
  if is_first and progress.seconds_to_first_step is not None:
    times['seconds_to_first_step'] = progress.seconds_to_first_step
  return {
      'epoch': epoch,
      'train_loss': totals['loss'] / totals['images'],
      'train_accuracy': totals['correct'] / totals['images'],
      **scores,
      'images_per_second': totals['images'] / progress.seconds,
      'compile_seconds': compiled.seconds() - compiling,
      **times,
      'seconds': earlier + time.perf_counter() - started,
  }


def _rate(task: task_lib.Task, data: epoch_steps.Data) -> optax.Schedule:
  """Returns step of the run -> learning rate."""
  spec = task.spec
  steps = epoch_steps.per_epoch(data.split, spec.training)
  scheduled = optimizer.schedule(
      spec.optimizer, steps=steps * spec.training.epochs
  )
  return lambda step: scheduled(step - steps * task.before)


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


def _checkpoint(
    task: task_lib.Task, progress: epoch_steps.Progress
) -> checkpoint_io.Checkpoint:
  history = progress.history
  return checkpoint_io.Checkpoint(
      state=progress.state,
      history=history,
      best=best_epoch(history, task.spec.training) if history else 0,
      sums=progress.sums(),
      seconds=progress.seconds,
  )


def _contract(
    task: task_lib.Task, data: epoch_steps.Data, progress: epoch_steps.Progress
) -> contracts.Contract:
  spec = task.spec
  images = spec.data.name + (' phantoms' if spec.data.phantom else '')
  return contracts.describe(
      progress.state.params,
      architecture=spec.model.name,
      source=f'medxfer run on {images}, arm {spec.arm}, seed {spec.seed}, '
      f'epoch {len(progress.history)}, from {task.origin}',
      preprocessing=spec.model.preprocessing,
      classes=data.class_names,
  )
