"""An advice study under way: what is done, and what comes next."""

from collections.abc import Mapping
from collections.abc import Sequence
import functools
import pathlib
import shutil
import time
from typing import Any

from medxfer import console
from medxfer import files
from medxfer.data import augment
from medxfer.data import datasets
from medxfer.data import planted_mark
from medxfer.data import splits
from medxfer.runs import workdir
from medxfer.study import child_process
from medxfer.study import execute
from medxfer.study import plan
from medxfer.study import rates as rates_lib
from medxfer.study.advice import after as after_lib
from medxfer.study.advice import choice as choices
from medxfer.study.advice import clock as clocks
from medxfer.study.advice import findings
from medxfer.study.advice import grid as grids
from medxfer.study.advice import record as records
from medxfer.study.advice import results as results_lib
from medxfer.study.advice import schedule
from medxfer.study.advice import sentence
from medxfer.training import costs
from medxfer.training import kept_features

_FAILURES = 3  # Of first runs, and a study gives up.


class Study:
  """An advice study under way, or one that is only looked at.

  Attributes:
    grid: what may be trained.
    path: its folder.
    clock: its budget.
    results: the finished runs.
    cost: cell -> operations of its training.
    failed: runs that failed since the command began.
  """

  def __init__(
      self,
      config: Mapping[str, Any],
      path: pathlib.Path,
      budget: float,
      shard: tuple[int, int] = (1, 1),
  ):
    """Reads the images' table and what is finished.

    Args:
      config: as `recipes/advice.py` returns it.
      path: the study's folder.
      budget: in seconds.
      shard: (I, N); this process trains the I-th of N parts.

    Raises:
      UsageError: a key has a value that is not allowed.
      DataError: images are missing, or too few.
    """
    self.grid = grids.of_config(config, _images(config))
    self.path, self._shard = path, shard
    self._after = after_lib.After(config, self.grid, path)
    self.record = records.Record(path, shard)
    self.clock = clocks.Clock(budget, self.record.seconds)
    self.results = results_lib.Results(self.grid, path, self.record)
    self.cost = {
        cell: _operations(self.grid, cell) for cell in self.grid.cells()
    }
    self.failed: dict[grids.Cell, str] = {}

  def choose(self, size: int) -> choices.Choice | None:
    """Returns the choice for a number of training images, so far."""
    return self._choose(size, len(self.results.at(size)))

  @functools.lru_cache(maxsize=256)
  def _choose(self, size: int, count: int) -> choices.Choice | None:
    del count  # The choice is as good as the number of its runs.
    arms = {
        arm: self.cost[
            grids.Cell(size, arm, rates_lib.MIDDLE, self.grid.seeds[0])
        ]
        for arm in self.grid.arms
    }
    return choices.choose(list(self.results.at(size).values()), arms)

  def left(self) -> list[grids.Cell]:
    """Returns what is worth training for all shards, the next first."""
    return schedule.left(
        self.grid,
        {*self.results, *self.failed},
        self.choose,
        self.cost.__getitem__,
    )

  def mine(self, cells: Sequence[grids.Cell]) -> list[grids.Cell]:
    """Returns those of this shard."""
    index, count = self._shard
    places = {cell: i for i, cell in enumerate(self.grid.cells())}
    return [cell for cell in cells if places[cell] % count == index - 1]

  def took(self) -> dict[str, float]:
    """Returns the seconds of each finished run, where they are known."""
    return {
        name: entry.took
        for name, entry in self.record.entries.items()
        if entry.took is not None
    }

  def seconds(self, cells: Sequence[grids.Cell]) -> float:
    """Returns about how long runs take."""
    estimates = self._estimates()
    return sum(estimates.seconds(cell) for cell in cells)

  def _estimates(self) -> clocks.Estimates:
    return clocks.Estimates(self.took(), self.cost)

  def next(self) -> grids.Cell | None:
    """Returns the next run that is likely to end within the budget."""
    estimates = self._estimates()
    left = self.clock.left - self._after.reserve(
        estimates.pace(), self.clock.budget
    )
    return next(
        (
            cell
            for cell in self.mine(self.left())
            if estimates.seconds(cell) <= left
        ),
        None,
    )

  def attempt(self, cell: grids.Cell) -> None:
    """Trains one run, or goes on with it, and keeps how long it took."""
    folder = self.path / plan.RUNS / cell.name
    began = time.monotonic()
    # Of a run that goes on where it was.
    earlier = self.record.partial.get(cell.name, 0.0)
    problem = child_process.OUT_OF_TIME
    try:
      problem = execute.attempt(
          self.grid.spec(cell), folder, max(self.clock.hard_end, 1.0)
      )
    finally:
      # Whoever stops the study stops the clock as well.
      took = earlier + time.monotonic() - began
      self.record.partial[cell.name] = took
      if problem != child_process.OUT_OF_TIME:
        del self.record.partial[cell.name]
      if not problem:
        self.record.add(workdir.Workdir(folder), took)
      self.record.save(self.clock.spent)
    if problem == child_process.OUT_OF_TIME:
      console.line(f'{cell.name}: {problem}')
    else:
      execute.keep_failure(self.path, cell.name, problem)
    if problem:
      self.failed[cell] = problem
    if not problem and cell.size:
      # Only networks that saw all images are of use to anybody.
      shutil.rmtree(workdir.Workdir(folder).checkpoints, ignore_errors=True)
    self.results.refresh()

  def is_hopeless(self) -> bool:
    """Whether the first runs failed, so that all others would."""
    return not self.results and len(self.failed) >= _FAILURES

  def after(self) -> dict[str, Any]:
    """Returns what `after.After.run` finds; the first shard alone looks."""
    found = self.choose(0)
    if not found or self._shard[0] != 1:
      return {}
    pace = self._estimates().pace()
    return self._after.run(found, pace, self.clock.hard_end)

  def write(self, after: Mapping[str, Any]) -> dict[str, Any]:
    """Writes `advice.json`, and returns what it holds.

    Args:
      after: see `after`.
    """
    found = findings.of(
        self.grid, self.results, self.choose, self.left(), self.took()
    )
    found |= after
    found['sentences'] = sentence.sentences(found)
    files.write_json(self.path / grids.ADVICE, found)
    return found


def _images(config: Mapping[str, Any]) -> costs.Images:
  """Reads the table of images, and counts."""
  spec = grids.first_specs(config)[0]
  examples = datasets.read(spec.data)
  split = splits.of_run(examples, spec.data, spec.seed)
  planted_mark.check(spec.data.planted_mark, examples)
  return costs.Images(
      len(split.train),
      len(split.val),
      len(split.test),
      len(examples.class_names),
  )


def _operations(grid: grids.Grid, cell: grids.Cell) -> float:
  """Returns the operations of a run."""
  spec = grid.spec(cell)
  images = costs.Images(
      grid.count(cell.size),
      grid.images.val,
      grid.images.test,
      grid.images.classes,
  )
  views = augment.view_count(spec.augment)
  return costs.of_training(
      spec, images, views, lambda stage: not kept_features.obstacle(stage)
  )
