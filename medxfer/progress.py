"""Progress of long work: a bar on a terminal, a line now and then in a log."""

from collections.abc import Iterable
from collections.abc import Iterator
import sys
import time
from typing import TypeVar

import tqdm

from medxfer import console

_FIRST = 5.0  # Seconds to the first line of a log about one work,
_EVERY = 60.0  # and between those that follow.

T = TypeVar('T')


def track(
    items: Iterable[T],
    *,
    total: int,
    title: str,
    unit: str,
    announced: bool = False,
    at_once: int = 1,
) -> Iterator[T]:
  """Yields `items` while showing how many are done and how long the rest takes.

  Args:
    items: what to go through.
    total: how many there are.
    title: what is being done.
    unit: what items are, in the plural.
    announced: whether a log knows of the work and how long it takes, as of
      the epochs after the first.
    at_once: items that are taken before any of them is worked on.
  """
  if sys.stderr.isatty():
    yield from tqdm.tqdm(items, total=total, desc=title, leave=False, unit=unit)
    return
  if not announced:
    one = {'batches': 'batch'}.get(unit, unit.removesuffix('s'))
    console.line(f'{title}: {total:,} {one if total == 1 else unit}')
  first = told = time.monotonic()
  wait = _EVERY if announced else _FIRST
  for done, item in enumerate(items, start=1):
    yield item
    now = time.monotonic()
    if done <= at_once:
      first = now  # They have waited for what is compiled or read once.
      continue
    left = (now - first) / (done - at_once) * (total - done)
    if now - told >= wait and left >= _FIRST:
      told, wait = now, _EVERY
      console.line(
          f'  {title}: {done:,} of {total:,} {unit}, about '
          f'{duration(left)} left'
      )


def duration(seconds: float) -> str:
  """Returns a time in words, as exactly as one wants to know it."""
  for unit, length in (('h', 3600), ('min', 60)):
    if seconds >= 1.5 * length:
      return f'{seconds / length:.0f} {unit}'
  return f'{seconds:.0f} s'
