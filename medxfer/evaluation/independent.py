"""The difference of one metric on two independent sets of images."""

import math
from typing import Any
from typing import NamedTuple

from medxfer.evaluation import intervals


class Measure(NamedTuple):
  """A metric and its interval; None where it is undefined."""

  value: float | None
  interval: intervals.Interval


def difference(a: Measure, b: Measure) -> dict[str, Any]:
  """Returns a minus b, ready for JSON.

  The interval combines those of both sides (Zou and Donner, 'Construction of
  confidence limits about effect measures: a general approach', Statistics in
  Medicine 27(10), 2008).

  Args:
    a: of one set of images.
    b: of another one, of other groups.

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
