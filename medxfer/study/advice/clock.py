"""The time that an advice study may take, and what its runs are likely to.

A shard has a budget of its own; what it has spent stands in its record, so that
a study which is stopped and started again keeps to the budget of its command.
"""

from collections.abc import Mapping
import re
import time

from medxfer import errors
from medxfer.study.advice import grid as grids

_UNITS = {'s': 1.0, 'm': 60.0, 'h': 3600.0}
_BUDGET = re.compile(r'(\d+(?:\.\d+)?)([smh])')
# What a run takes besides its operations, and operations a second, before any
# run has told better.
_START_UP = 12.0
_SPEED = 1e11
# Of its budget, when a study stops a run that is not finished.
_OVERTIME = 1.05


def parse(text: str) -> float:
  """Returns the seconds of a budget, such as 60m, 1.5h or 900s.

  Raises:
    UsageError: it is none.
  """
  match = _BUDGET.fullmatch(text.strip())
  if not match or not float(match[1]):
    raise errors.UsageError(
        f'--budget={text}: give a time, such as 45m, 1.5h or 900s'
    )
  return float(match[1]) * _UNITS[match[2]]


class Clock:
  """The time of one shard.

  Attributes:
    budget: in seconds.
  """

  def __init__(self, budget: float, spent: float):
    """Starts.

    Args:
      budget: in seconds.
      spent: by earlier starts of the command.
    """
    self.budget, self._before = budget, spent
    self._began = time.monotonic()

  @property
  def spent(self) -> float:
    """Seconds, earlier starts of the command included."""
    return self._before + time.monotonic() - self._began

  @property
  def left(self) -> float:
    """Seconds of the budget that are left."""
    return self.budget - self.spent

  @property
  def hard_end(self) -> float:
    """Seconds until a run is stopped though it is not finished."""
    return _OVERTIME * self.budget - self.spent


class Estimates:
  """How long runs are likely to take."""

  def __init__(
      self, took: Mapping[str, float], cost: Mapping[grids.Cell, float]
  ):
    """Learns from the runs that are finished.

    Args:
      took: cell's name -> seconds; more may be added later.
      cost: cell -> operations, of all cells.
    """
    self._took, self._cost = took, cost

  def seconds(self, cell: grids.Cell) -> float:
    """Returns about how long a run takes.

    An arm is as fast as its own slowest run; one without a run is as fast as
    the slowest arm.
    """
    pace = self._paces().get(cell.arm) or self.pace()
    return _START_UP + self._cost[cell] * pace

  def pace(self) -> float:
    """Returns seconds per operation of the slowest arm."""
    return max(self._paces().values(), default=1 / _SPEED)

  def _paces(self) -> dict[str, float]:
    found: dict[str, float] = {}
    for cell, cost in self._cost.items():
      if cell.name in self._took:
        pace = max(self._took[cell.name] - _START_UP, 1.0) / cost
        found[cell.arm] = max(pace, found.get(cell.arm, 0.0))
    return found
