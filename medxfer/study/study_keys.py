"""What the keys of `study` ask for; wrong values are refused."""

from collections.abc import Mapping
import math
from typing import Any

from medxfer import errors
from medxfer.study import rates as rates_lib

_ALL = 'all'


def arms(study: Mapping[str, Any]) -> list[str]:
  """Returns the names of the arms, in order.

  Args:
    study: the keys of `study`.

  Raises:
    UsageError: a name is unknown, or stands there twice.
  """
  found = [arm.strip() for arm in study['arms'].split(',')]
  if len(set(found)) < len(found) or not set(found) <= set(study['changes']):
    raise errors.UsageError(
        f'study.arms={study["arms"]!r} is not allowed: give different names '
        f'among {", ".join(study["changes"])}'
    )
  return found


def seeds(asked: Any) -> tuple[int, ...]:
  """Returns the seeds, in order.

  Args:
    asked: `study.seeds`, a number or several.

  Raises:
    UsageError: they are no different whole numbers, 0 or more.
  """
  found = (asked,) if isinstance(asked, int) else tuple(asked)
  if (
      not found
      or len(set(found)) < len(found)
      or not all(isinstance(seed, int) and seed >= 0 for seed in found)
  ):
    raise errors.UsageError(
        f'study.seeds={asked!r} is not allowed: give different whole numbers, '
        '0 or more, such as 0,1,2'
    )
  return found


def sizes(asked: Any) -> tuple[int, ...]:
  """Returns numbers of training images, ascending, 0 for all at the end.

  Args:
    asked: `study.sizes`, such as '250,1000,all'; '' is all.

  Raises:
    UsageError: they are no different numbers.
  """
  words = [word.strip() for word in str(asked or _ALL).split(',')]
  try:
    found = [0 if word == _ALL else int(word) for word in words]
    sound = len(set(found)) == len(found) and min(found) >= 0
  except ValueError:
    sound = False
  if not sound:
    raise errors.UsageError(
        f'study.sizes={asked!r} is not allowed: give different numbers of '
        f'training images, such as 250,1000,{_ALL}, or nothing'
    )
  return (*sorted(filter(None, found)), *(0 for size in found if not size))


def rates(asked: Any) -> tuple[float, ...]:
  """Returns the factors of the learning rate, ascending.

  Args:
    asked: `study.rates`, a number or several.

  Raises:
    UsageError: they are no different numbers above 0 with 1 among them.
  """
  found = (asked,) if isinstance(asked, (int, float)) else tuple(asked)
  sound = all(
      isinstance(rate, (int, float)) and 0 < rate < math.inf for rate in found
  )
  if not sound or len(set(found)) < len(found) or rates_lib.MIDDLE not in found:
    raise errors.UsageError(
        f'study.rates={asked!r} is not allowed: give different factors of the '
        'learning rate with 1 among them, such as 0.3,1,3'
    )
  return tuple(sorted(map(float, found)))
