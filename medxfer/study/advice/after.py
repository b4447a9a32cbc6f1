"""What an advice study does after its runs: elsewhere, and truncation."""

from collections.abc import Mapping
import pathlib
from typing import Any

from medxfer import console
from medxfer import errors
from medxfer import files
from medxfer import paths
from medxfer import spec as specs
from medxfer.data import datasets
from medxfer.external import labelled
from medxfer.runs import workdir
from medxfer.study import plan
from medxfer.study.advice import choice as choices
from medxfer.study.advice import elsewhere
from medxfer.study.advice import grid as grids
from medxfer.study.advice import truncation
from medxfer.training import costs

_TRUNCATION = 'truncation.json'
_START = 20.0  # Seconds of a start: reading images, compiling, probes.
_NETWORK = 5.0  # Seconds to load a network.
_MOST = 0.25  # Of the budget.


class After:
  """Both parts, and the time that they take.

  Attributes:
    source: images from elsewhere, or None.
  """

  def __init__(self, config: Mapping[str, Any], grid: grids.Grid, path: Any):
    """Reads which images lie elsewhere.

    Args:
      config: of the study.
      grid: of the study.
      path: its folder.

    Raises:
      DataError: they cannot be read, or have other classes.
      UsageError: the source is no path.
    """
    self._grid, self._path = grid, path
    spec = grid.spec(next(grid.cells()))
    self._whole = costs.of_stage(spec, grid.images.classes, False).whole
    named = config['study']['elsewhere']
    self.source: pathlib.Path | None = None
    self._images = 0
    if named:
      self.source = paths.read(named, 'study.elsewhere')
      self._images = _count(self.source, spec)

  def reserve(self, pace: float, budget: float) -> float:
    """Returns what to keep of a budget, in seconds.

    Args:
      pace: seconds per operation.
      budget: in seconds.
    """
    return min(self._seconds(pace), _MOST * budget)

  def _seconds(self, pace: float) -> float:
    """Returns about how long both parts take."""
    images = self._grid.images
    passes = images.train + images.val + images.test
    total = 0.0
    if not (self._path / _TRUNCATION).is_file():
      total += _START + passes * self._whole * pace
    if self.source:
      # The advised, the next, two rules and the control, at most.
      networks = 5 * len(self._grid.seeds)
      total += _START
      total += networks * (_NETWORK + self._images * self._whole * pace)
    return total

  def run(
      self, choice: choices.Choice, pace: float, left: float
  ) -> dict[str, Any]:
    """Returns `elsewhere` and `truncation`, those that time allows.

    Args:
      choice: among the strategies with all training images.
      pace: seconds per operation.
      left: seconds.
    """
    is_late = self._seconds(pace) > max(left, 0.0)
    if is_late:
      console.line('the budget is spent: nothing is done after the runs')
    answer = {}
    if self.source and not is_late:
      answer['elsewhere'] = elsewhere.score(choice, self._path, self.source)
    cut = self._truncation(choice, is_late)
    return answer | ({'truncation': cut} if cut else {})

  def _truncation(
      self, choice: choices.Choice, is_late: bool
  ) -> dict[str, Any] | None:
    """Returns what `truncation.measure` does, from its file or anew."""
    file = self._path / _TRUNCATION
    if file.is_file():
      return files.read_json(file)
    if is_late:
      return None
    for standing in choice.candidates:
      for run in standing.runs:
        folder = self._path / plan.RUNS / run.cell.name
        if workdir.Workdir(folder).checkpoints.is_dir():
          found = truncation.measure(folder)
          files.write_json(file, found)
          return found
    return None


def _count(source: pathlib.Path, spec: specs.RunSpec) -> int:
  """Returns how many labelled images lie elsewhere; errors as `After`."""
  class_names = datasets.read(spec.data).class_names
  try:
    found = labelled.read(source, class_names, groups=elsewhere.groups(source))
  except errors.MedxferError as error:
    raise errors.DataError(
        f'study.elsewhere: {error} (of medxfer evaluate, which scores a run '
        'on any images; a study takes folders named as its own classes)'
    ) from error
  return len(found.image_ids)
