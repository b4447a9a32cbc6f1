"""Progress of long work: a bar on a terminal, a line now and then in a log."""

from collections.abc import Iterable
from collections.abc import Iterator
import sys
import time
from typing import TypeVar

import tqdm

_EVERY = 60.0  # Seconds between the lines of a log.

T = TypeVar('T')


def track(
    items: Iterable[T], *, total: int, title: str, unit: str
) -> Iterator[T]:
  """Yields `items` while showing how many are done.

  Args:
    items: what to go through.
    total: how many there are.
    title: what is being done.
    unit: what items are, in the plural.
  """
  if sys.stderr.isatty():
    yield from tqdm.tqdm(items, total=total, desc=title, leave=False,
                         unit=unit)
    return
  told = time.monotonic()
  for done, item in enumerate(items, start=1):
    yield item
    if time.monotonic() - told >= _EVERY:
      told = time.monotonic()
      print(f'  {title}: {done:,} of {total:,} {unit}', flush=True)
