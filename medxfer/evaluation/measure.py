"""A metric with its interval: checked, in words, and compared."""

from collections.abc import Mapping
import math
from typing import Any
from typing import NamedTuple

from medxfer.evaluation import intervals


class Measure(NamedTuple):
  """A metric and its interval; None where it is undefined."""

  value: float | None
  interval: intervals.Interval

  @classmethod
  def read(cls, value: Any, interval: Any) -> 'Measure':
    """Returns what JSON gives back.

    Raises:
      TypeError, ValueError: they are no number and no interval.
    """
    numbers = [value] * (value is not None) + list(interval or ())
    sound = interval is None or len(interval) == 2
    if not sound or not all(map(is_number, numbers)):
      raise ValueError(f'{value!r} with the interval {interval!r}')
    return cls(value, interval)

  @classmethod
  def among(cls, found: Mapping[str, Any], key: str) -> 'Measure':
    """Reads one of several metrics, whose intervals stand in `intervals`."""
    return cls.read(found[key], found['intervals'][key])

  def text(self, *, signed: bool = False) -> str:
    """Returns '0.123 (0.100-0.150)', or 'undefined'."""
    if self.value is None:
      return 'undefined'
    text = f'{self.value:{"+" if signed else ""}.3f}'
    if not self.interval:
      return text
    low, high = self.interval
    return f'{text} ({low:.3f}{" to " if signed else "-"}{high:.3f})'


def difference(a: Measure, b: Measure) -> dict[str, Any]:
  """Returns a minus b, measured on images of other groups, ready for JSON.

  The interval combines those of both sides (Zou and Donner, 'Construction of
  confidence limits about effect measures: a general approach', Statistics in
  Medicine 27(10), 2008).

  Returns:
    `value` and `interval`; None where one of the two is undefined.
  """
  if a.value is None or b.value is None:
    return {'value': None, 'interval': None}
  value = a.value - b.value
  if a.interval is None or b.interval is None:
    return {'value': value, 'interval': None}
  (a_low, a_high), (b_low, b_high) = a.interval, b.interval
  down = math.hypot(max(a.value - a_low, 0), max(b_high - b.value, 0))
  up = math.hypot(max(a_high - a.value, 0), max(b.value - b_low, 0))
  return {'value': value, 'interval': [value - down, value + up]}


def is_number(value: Any) -> bool:
  """Whether a value of JSON is a finite number."""
  return (
      isinstance(value, (int, float))
      and not isinstance(value, bool)
      and math.isfinite(value)
  )
