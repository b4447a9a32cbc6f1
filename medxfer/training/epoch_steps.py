"""The steps of an epoch: their sums, and checks for divergence."""

from collections.abc import Callable
from collections.abc import Iterator
import dataclasses
import math
import time

import jax
import numpy as np
import optax
import psutil

from medxfer import errors
from medxfer import spec as specs
from medxfer import stopping
from medxfer.data import batching
from medxfer.data import pixel_sources
from medxfer.data import splits
from medxfer.training import checkpoint_io
from medxfer.training import compiled
from medxfer.training import devices
from medxfer.training import dispatch
from medxfer.training import feeds
from medxfer.training import state as states
from medxfer.training import steps as steps_lib
from medxfer.training import task as task_lib

# Yields an epoch's batches as they are, and may look at the clock.
Watch = Callable[[Iterator[dispatch.Batches]], Iterator[dispatch.Batches]]
# So many calls are under way before the first of them is looked at: a look at
# the latest would stall the device. A CPU is its own host: what is under way
# there only delays a stop, by up to three seconds a step at 224 pixels.
_UNDER_WAY = 8
_UNDER_WAY_ON_CPU = 1


@dataclasses.dataclass(frozen=True, eq=False)
class Data:
  """Images in reach of the steps.

  Attributes:
    source: their pixels.
    feed: how they reach the network.
    labels: int32 [n].
    split: rows by subset.
    class_names: the classes that labels index.
  """

  source: pixel_sources.Source
  feed: feeds.Feed
  labels: np.ndarray
  split: splits.Split
  class_names: tuple[str, ...]


def per_epoch(split: splits.Split, spec: specs.TrainingSpec) -> int:
  """Returns the number of steps that an epoch takes."""
  return -(-len(split.train) * spec.passes // spec.batch_size)


class Progress:
  """Where a run stands; every step changes it.

  Attributes:
    state: after the last step.
    history: one record per epoch that is done.
    steps: taken since, in this process or before it.
    seconds: that they took, but for compilation.
    seconds_to_first_step: since the command; None before the first.
  """

  def __init__(
      self,
      start: checkpoint_io.Checkpoint,
      rate: optax.Schedule,
      safe: Callable[[], str],
  ):
    """Resumes from a checkpoint.

    Args:
      start: that checkpoint.
      rate: step of the run -> learning rate.
      safe: says up to where the run is saved.
    """
    self._rate, self._safe = rate, safe
    self.state, self.history = start.state, start.history
    self.steps, self.seconds = start.steps, start.seconds
    self.seconds_to_first_step: float | None = None
    self._sums = {name: list(sums) for name, sums in start.sums.items()}
    self._under_way: list[dict[str, jax.Array]] = []

  @property
  def epoch(self) -> int:
    """The epoch that is under way; 1 for the first."""
    return len(self.history) + 1

  def is_beyond(self, start: checkpoint_io.Checkpoint) -> bool:
    """Whether steps were taken since `start`."""
    return self.steps > (start.steps if self.epoch == start.epoch + 1 else 0)

  def step(self, state: states.TrainState, sums: dict[str, jax.Array]) -> None:
    """Takes what `steps.train_steps` returns.

    Raises:
      DataError: an earlier step has come to what is not finite.
    """
    self.state = state
    self.steps += len(sums['loss'])
    self._under_way.append(sums)
    if self.seconds_to_first_step is None:
      jax.block_until_ready(sums)
      self.seconds_to_first_step = _since_command()
    self._look(
        behind=_UNDER_WAY_ON_CPU
        if jax.default_backend() == 'cpu'
        else _UNDER_WAY
    )

  def sums(self) -> checkpoint_io.Sums:
    """Returns what the steps of this epoch have summed, one number per step.

    Raises:
      DataError: some of them are not finite.
    """
    self._look(behind=0)
    return self._sums

  def diverged(self, names: list[str], step: int) -> errors.DataError:
    """Returns what to say if numbers are not finite.

    Args:
      names: of the numbers.
      step: of the epoch, from 0.
    """
    now = self._rate(int(self.state.step) - self.steps + step)
    rate, first = float(np.asarray(now)), float(np.asarray(self._rate(0)))
    return errors.DataError(
        f'epoch {self.epoch}, step {step + 1}: {" and ".join(names)} not '
        f'finite at learning rate {rate:g}; training diverged. '
        f'{self._safe()}. Try a new --workdir with '
        f'--config.optimizer.learning_rate below {first:g}, or '
        'with --config.optimizer.gradient_clip=1'
    )

  def next_epoch(self, record: checkpoint_io.Record) -> None:
    """Starts the next epoch."""
    self.history = (*self.history, record)
    self._sums, self.steps, self.seconds = {}, 0, 0.0

  def _look(self, behind: int) -> None:
    """Looks at all steps but the latest `behind` calls."""
    while len(self._under_way) > behind:
      values = jax.device_get(self._under_way.pop(0))
      before = len(self._sums.get('loss', ()))
      for name, added in values.items():
        self._sums.setdefault(name, []).extend(added.tolist())
      for i in range(len(values['loss'])):
        bad = [n for n in values if not math.isfinite(values[n][i])]
        if bad:
          raise self.diverged(bad, before + i)


def take(
    task: task_lib.Task,
    steps: steps_lib.Steps,
    data: Data,
    progress: Progress,
    watch: Watch,
) -> None:
  """Takes the steps that are left of an epoch.

  Args:
    task: network, optimizer, mask and recipe.
    steps: compiled.
    data: the images.
    progress: what the steps change.
    watch: through which the batches go.

  Raises:
    DataError: a loss or a gradient is not finite.
    Interrupted: somebody stopped the run, between two steps.
  """
  spec, spent = task.spec, progress.seconds
  started, compiling = time.perf_counter(), compiled.seconds()
  batches, weights = batching.batched(
      batching.shuffled(
          data.split.train,
          seed=spec.seed,
          epoch=progress.epoch,
          passes=spec.training.passes,
      ),
      spec.training.batch_size,
      jax.device_count(),
  )
  key = devices.key(spec.seed)
  try:
    for given in watch(
        dispatch.training(
            data.feed,
            data.labels,
            batches,
            weights,
            f'epoch {progress.epoch}',
            progress.steps,
            announced=progress.seconds_to_first_step is not None,
        )
    ):
      with stopping.held():  # The old state is gone before the new is here.
        progress.step(
            *steps.train(progress.state, data.feed.stored, *given, key)
        )
    progress.sums()  # Waits for the last of them.
  finally:
    progress.seconds = (
        spent
        + (time.perf_counter() - started)
        - (compiled.seconds() - compiling)
    )


def _since_command() -> float:
  return time.time() - psutil.Process().create_time()
