"""Runs an advice study until its budget is spent or all is known."""

from collections.abc import Mapping
from collections.abc import Sequence
import functools
import pathlib
import shutil
import time
from typing import Any

from medxfer import console
from medxfer import errors
from medxfer import files
from medxfer import progress
from medxfer import spec as specs
from medxfer.data import augment
from medxfer.data import datasets
from medxfer.data import planted_mark
from medxfer.data import splits
from medxfer.runs import backbone
from medxfer.runs import workdir
from medxfer.study import child_process
from medxfer.study import execute
from medxfer.study import plan
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
from medxfer.training import strategy

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
        arm: self.cost[grids.Cell(size, arm, grids.MIDDLE, self.grid.seeds[0])]
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
    problem = execute.attempt(
        self.grid.spec(cell), folder, max(self.clock.hard_end, 1.0)
    )
    # An interrupted run goes on where it was.
    took = time.monotonic() - began + self.record.partial.pop(cell.name, 0.0)
    if problem == child_process.OUT_OF_TIME:
      console.line(f'{cell.name}: {problem}')
      self.record.partial[cell.name] = took
    else:
      execute.keep_failure(self.path, cell.name, problem)
    if problem:
      self.failed[cell] = problem
    else:
      self.record.add(workdir.Workdir(folder), took)
    self.record.save(self.clock.spent)
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
        self.grid,
        self.results,
        self.choose,
        self.mine(self.left()) and self.left(),
        self.took(),
    )
    found |= after
    found['sentences'] = sentence.sentences(found)
    files.write_json(self.path / grids.ADVICE, found)
    return found


def run(study: Study) -> dict[str, Any]:
  """Trains what the budget allows, and returns the advice.

  Raises:
    UsageError: the budget does not hold a single run, or the folder holds
      something else.
    DataError: weights are missing, or no run was finished.
  """
  execute.write_study(
      plan.Study(study.grid.name, study.grid.title, ()), study.path
  )
  backbone.check(study.grid.spec(next(study.grid.cells())).model)
  _refuse_small(study)
  while (cell := study.next()) and not study.is_hopeless():
    console.line(f'\n{_state(study)}\nnow: {cell.name}')
    study.attempt(cell)
    found = study.choose(0)
    if found:
      console.line(sentence.so_far(study.grid, found))
  if not study.results:
    why = '; '.join(dict.fromkeys(study.failed.values()))
    raise errors.DataError(
        f'{study.path}: no run was finished: {why or "the budget is spent"}'
    )
  console.line(f'\n{_state(study)}')
  return study.write(study.after())


def dry_run(study: Study) -> None:
  """Prints what is planned by what is known, and about how long it takes."""
  console.line(f'{study.grid.title}, in {study.path}\n{_state(study)}')
  for cell in study.mine(study.left()):
    console.line(
        f'{cell.name}  about {progress.duration(study.seconds([cell]))}'
    )
  console.line(
      'runs that validation images make superfluous will be left out; dry run: '
      'nothing was trained or written'
  )


def _refuse_small(study: Study) -> None:
  """Refuses a budget that is too small for a first run."""
  cells = study.mine(study.left())
  if study.results or not cells or study.next():
    return
  needed = min(study.seconds([cell]) for cell in cells)
  raise errors.UsageError(
      f'--budget: {progress.duration(max(study.clock.left, 0.0))} are left, '
      f'and one run takes about {progress.duration(needed)}; give '
      f'--budget={int((needed / 0.7 + study.clock.spent) // 60) + 1}m or more'
  )


def _state(study: Study) -> str:
  """Returns how far a study is."""
  cells = study.left()
  clock = study.clock
  return (
      f'[{len(study.results)} runs are finished, up to {len(cells)} more would '
      f'take about {progress.duration(study.seconds(cells))}; '
      f'{progress.duration(clock.spent)} of {progress.duration(clock.budget)} '
      'are spent]'
  )


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

  def is_cached(stage: specs.RunSpec) -> bool:
    return (
        stage.training.feature_cache != 'off'
        and strategy.resolve(stage).entry is not None
        and augment.has_only_views(spec.augment)
        and views <= stage.training.epochs
    )

  return costs.of_training(spec, images, views, is_cached)
