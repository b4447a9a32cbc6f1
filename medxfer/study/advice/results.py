"""What the finished runs of an advice study have come to."""

import dataclasses
import functools
import pathlib

import numpy as np

from medxfer import errors
from medxfer import spec as specs
from medxfer.evaluation import metrics
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import selection_stability
from medxfer.runs import resume
from medxfer.runs import workdir
from medxfer.study import plan
from medxfer.study.advice import grid as grids
from medxfer.study.advice import record as records

RESAMPLES = 1000
_SEED = 0  # Of the draws, which all runs share.


@dataclasses.dataclass(frozen=True, eq=False)
class Result:
  """A finished run.

  Attributes:
    cell: which.
    entry: what the record of the study has of it.
  """

  cell: grids.Cell
  entry: records.Entry

  @property
  def val(self) -> predictions_lib.Predictions:
    """Its decisions on validation images."""
    return self.entry.tables['val']

  @property
  def test(self) -> predictions_lib.Predictions:
    """Its decisions on test images."""
    return self.entry.tables['test']

  @functools.cached_property
  def on_val(self) -> float:
    """Macro F1 on validation images."""
    return f1_macro(self.val)

  @functools.cached_property
  def on_test(self) -> float:
    """Macro F1 on test images."""
    return f1_macro(self.test)

  @functools.cached_property
  def val_draws(self) -> np.ndarray:
    """Macro F1 on resampled validation images, [RESAMPLES]."""
    return selection_stability.scores(self.val, resamples=RESAMPLES, seed=_SEED)

  @functools.cached_property
  def test_draws(self) -> np.ndarray:
    """Macro F1 on resampled test images, [RESAMPLES]."""
    return selection_stability.scores(
        self.test, resamples=RESAMPLES, seed=_SEED
    )


class Results(dict[grids.Cell, Result]):
  """The finished runs of a study; `refresh` reads those that are new."""

  def __init__(
      self, grid: grids.Grid, path: pathlib.Path, record: records.Record
  ):
    super().__init__()
    self._grid, self._path, self._record = grid, path, record
    self.refresh()

  def refresh(self) -> None:
    """Reads what has been finished since, by this process or another.

    Raises:
      UsageError: a run was made by another configuration.
      DataError: a finished run is damaged, or has other images than the rest.
    """
    self._record.refresh()
    first = next(iter(self.values()), None)
    for cell in self._grid.cells():
      folder = workdir.Workdir(self._path / plan.RUNS / cell.name)
      entry = self._record.entries.get(cell.name)
      if cell in self or not (entry or folder.is_finished):
        continue
      if entry is None:
        # It ended, and the study before it could write that down.
        self._record.add(folder, None)
        entry = self._record.entries[cell.name]
      # Read, because a key that is younger than the run has a default there.
      made = specs.from_config(entry.spec).to_json()
      resume.refuse_difference(
          folder.path, made, self._grid.spec(cell), as_long=True
      )
      first = first or Result(cell, entry)
      for subset in records.SUBSETS:
        mine, theirs = entry.tables[subset], first.entry.tables[subset]
        if mine.image_ids != theirs.image_ids:
          raise errors.DataError(
              f'{folder.path}: its {subset} images are not those of '
              f'{first.cell.name}; give another --workdir'
          )
      self[cell] = Result(cell, entry)

  def at(self, size: int) -> dict[grids.Cell, Result]:
    """Returns the runs of one number of training images."""
    return {cell: one for cell, one in self.items() if cell.size == size}


def f1_macro(table: predictions_lib.Predictions) -> float:
  """Returns the macro F1 over all classes."""
  found = metrics.confusion(
      table.labels, table.predicted, len(table.class_names)
  )
  return float(metrics.f1_per_class(found).mean())
