"""A number with what is known of its spread."""

from collections.abc import Sequence
import dataclasses
import functools
import math
from typing import Any

from scipy import stats

from medxfer.evaluation import across_seeds as seeds_lib
from medxfer.report.read import settings as settings_lib

_LEVEL = 0.95
ALPHA = 1 - _LEVEL
NOTHING = '–'


@dataclasses.dataclass(frozen=True)
class Estimate:
  """A metric of one run, or the mean of several seeds, with its interval.

  Attributes:
    value: of the run, or the mean.
    low: lower end of the 95 % interval; None where it is not known.
    high: its upper end.
    sd: standard deviation over the seeds; None with one.
    seeds: how many.
  """

  value: float
  low: float | None = None
  high: float | None = None
  sd: float | None = None
  seeds: int = 1

  @property
  def interval(self) -> tuple[float, float] | None:
    """Both ends, or None where they are not known."""
    if self.low is None or self.high is None:
      return None
    return self.low, self.high

  @property
  def is_clear(self) -> bool:
    """Whether the interval of a difference leaves out zero."""
    ends = self.interval
    return ends is not None and not ends[0] <= 0 <= ends[1]

  def p_value(self, null: float = 0.0) -> float | None:
    """Returns how likely a value so far from `null` is by chance.

    Two-sided, from the interval: below .05 where it leaves `null` out, and
    only there. As if the estimate were normal, with the standard error that
    the end of the interval that faces `null` tells; over few seeds as if it
    followed Student's distribution with a degree of freedom less than seeds,
    which is cautious.

    Args:
      null: what is compared with.

    Returns:
      The p-value; None without an interval.
    """
    if not self.interval:
      return None
    low, high = self.interval
    gap = self.value - null
    if low <= null <= high and not gap:
      return 1.0
    reach = self.value - low if gap > 0 else high - self.value
    if reach <= 0:  # No width is no certainty.
      return 1.0
    freedom = self.seeds - 1 or math.inf
    standard_error = reach / stats.t.isf(ALPHA / 2, freedom)
    return float(2 * stats.t.sf(abs(gap) / standard_error, freedom))

  def text(self, digits: int = 3, *, signed: bool = False) -> str:
    """Returns the value with its spread in words."""
    show = functools.partial(number, digits=digits, signed=signed)
    if self.low is not None:
      dash = ' to ' if signed else '–'
      return f'{show(self.value)} ({show(self.low)}{dash}{show(self.high)})'
    if self.sd is not None:
      return f'{show(self.value)} ± {number(self.sd, digits)}'
    return show(self.value)


def number(
    value: float | None, digits: int = 3, *, signed: bool = False
) -> str:
  """Returns a number in words, with a true minus; '–' for None."""
  if value is None:
    return NOTHING
  text = format(value, f'{"+" if signed else ""}.{digits}f')
  if float(text) == 0:
    text = text.lstrip('+-')
  return text.replace('-', '−')


def estimate(column: settings_lib.Column, *keys: str) -> Estimate | None:
  """Returns a metric of the test subset; None where it is undefined.

  Args:
    column: one or more runs.
    keys: the path in `summary['test']`, such as 'f1_per_class', 'nv'.
  """
  tests = [run.summary['test'] for run in column.runs]
  return over_seeds(
      [_at(test, keys) for test in tests],
      [_at(test['intervals'], keys, None) for test in tests],
  )


def f1_macro(column: settings_lib.Column) -> Estimate:
  """Returns the macro F1 of the test subset, which every run has."""
  return _of_every_run(column, 'f1_macro')


def accuracy(column: settings_lib.Column) -> Estimate:
  """Returns the accuracy of the test subset, which every run has."""
  return _of_every_run(column, 'accuracy')


def over_seeds(
    values: Sequence[float | None],
    ranges: Sequence[Sequence[float] | None],
    *,
    bounds: tuple[float, float] | None = (0.0, 1.0),
) -> Estimate | None:
  """Returns what several seeds say together of one number.

  Args:
    values: one per seed; None where it is undefined.
    ranges: the 95 % interval of each, or None.
    bounds: of the number, which the interval does not leave.

  Returns:
    The estimate (see `medxfer.evaluation.across_seeds`), of one seed as it is;
    None if a value is undefined.
  """
  known = [value for value in values if value is not None]
  if len(known) < len(values):
    return None
  if len(known) == 1:
    low, high = ranges[0] or (None, None)
    return Estimate(known[0], low, high)
  found = seeds_lib.estimate(known, ranges, level=_LEVEL, bounds=bounds)
  low, high = found['interval'] or (None, None)
  return Estimate(found['value'], low, high, found['sd'], found['seeds'])


def _of_every_run(column: settings_lib.Column, key: str) -> Estimate:
  found = estimate(column, key)
  assert found is not None  # `checks.summary` has seen it.
  return found


def _at(tree: Any, keys: tuple[str, ...], *missing: Any) -> Any:
  """Returns what stands at the end of a path of keys, or what is `missing`."""
  for key in keys:
    if missing and key not in tree:
      return missing[0]
    tree = tree[key]
  return tree
