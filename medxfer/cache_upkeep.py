"""What the cache holds, by kind and last use, and how it is kept small.

Only what medxfer wrote there is counted and removed, by its name; what a
process is making at the moment stays. Whoever reads an entry that is removed
goes on reading it: its file lasts until that process closes it.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
import contextlib
import dataclasses
import errno
import fcntl
import math
import os
import pathlib
import re
import shutil

from medxfer import console
from medxfer import errors

LIMIT = 'MEDXFER_CACHE_LIMIT'  # The variable.
_USUAL = 50e9
_UNITS = {'': 1.0, 'K': 1e3, 'M': 1e6, 'G': 1e9, 'T': 1e12}
_SIZE = re.compile(r'(\d+(?:\.\d+)?)\s*([KMGT]?)I?B?', re.IGNORECASE)
_ENTRY = re.compile(r'([a-z]+)-[0-9a-f]{20}\.(?:npy|json)')
_FEATURES = re.compile(r'prefix-[0-9a-f]{20}')
_PHANTOMS = re.compile(r'\w+_phantom_v\d+_n\d+')
_PHANTOM_KIND = 'phantoms'
_COMPILED = 'compiled'
_PROGRAM = re.compile(r'\w+-[0-9a-f]{64}-(?:cache|atime)')
_LOCK = 'lock'  # Of features; it stays, for others may be waiting for it.


@dataclasses.dataclass(frozen=True)
class Item:
  """One thing that may be removed.

  Attributes:
    kind: such as 'features' or 'pixels'.
    paths: files and folders that belong to it.
    lock: held by who makes it, if anybody may.
    size: bytes on disk.
    used: when it was used last, in seconds since 1970.
  """

  kind: str
  paths: tuple[pathlib.Path, ...]
  lock: pathlib.Path | None
  size: int
  used: float


def parse_size(text: str, name: str) -> float:
  """Returns the bytes of a size, such as 20GB or 500MB; 0 is none.

  Args:
    text: the size.
    name: of the flag or variable, for the message.

  Raises:
    UsageError: it is none.
  """
  match = _SIZE.fullmatch(text.strip())
  if not match:
    raise errors.UsageError(f'{name}={text}: give a size, such as 20GB')
  return float(match[1]) * _UNITS[match[2].upper()]


def limit() -> float:
  """Returns how many bytes the cache may take: $MEDXFER_CACHE_LIMIT or 50 GB.

  Raises:
    UsageError: the variable holds something else.
  """
  text = os.environ.get(LIMIT, '')
  return parse_size(text, f'${LIMIT}') if text else _USUAL


def size(count: float) -> str:
  """Returns a number of bytes in words."""
  for unit in ('GB', 'MB', 'kB'):
    one = {'GB': 1e9, 'MB': 1e6, 'kB': 1e3}[unit]
    if count >= one:
      return f'{count / one:.1f} {unit}'
  return f'{count:.0f} bytes'


def items(where: pathlib.Path) -> list[Item]:
  """Returns what a cache holds, the least recently used first."""
  found = []
  for kind, paths, lock in _groups(where):
    states = [state for path in paths for state in _states(path)]
    if states:
      found.append(
          Item(
              kind,
              tuple(paths),
              lock,
              sum(state.st_blocks * 512 for state in states),
              max(max(state.st_mtime, state.st_atime) for state in states),
          )
      )
  return sorted(found, key=lambda item: item.used)


def _groups(
    where: pathlib.Path,
) -> Iterator[tuple[str, list[pathlib.Path], pathlib.Path | None]]:
  """Yields kind, files and lock of each thing."""
  if not where.is_dir():
    return
  entries: dict[str, list[pathlib.Path]] = {}
  for path in sorted(where.iterdir()):
    if _ENTRY.fullmatch(path.name):
      entries.setdefault(path.stem, []).append(path)
    elif not path.is_dir() or path.is_symlink():
      continue
    elif _FEATURES.fullmatch(path.name):
      files = [file for file in path.iterdir() if file.name != _LOCK]
      yield 'features', files, path / _LOCK
    elif _PHANTOMS.fullmatch(path.name):
      yield _PHANTOM_KIND, [path], None
    elif path.name == _COMPILED:
      for file in sorted(path.iterdir()):
        if _PROGRAM.fullmatch(file.name):
          yield 'compiled programs', [file], None
  for stem, paths in entries.items():
    yield stem.partition('-')[0], paths, where / f'{stem}.lock'


def _states(path: pathlib.Path) -> Iterator[os.stat_result]:
  """Yields what the system knows of a file, or of the files of a folder."""
  # Another process may remove it at this moment.
  with contextlib.suppress(FileNotFoundError):
    if path.is_dir() and not path.is_symlink():
      for inner in path.iterdir():
        yield from _states(inner)
    else:
      yield path.lstat()


def trim(
    where: pathlib.Path, most: float, spare: Collection[str] = ()
) -> list[Item]:
  """Removes the least recently used, until the rest takes no more than `most`.

  Args:
    where: folder of the cache.
    most: in bytes.
    spare: kinds that stay.

  Returns:
    What was removed.
  """
  held = items(where)
  left, removed = sum(item.size for item in held), []
  for item in held:
    if left <= most:
      break
    if item.kind not in spare and _remove(item):
      left -= item.size
      removed.append(item)
  return removed


def make_room(where: pathlib.Path, needed: float) -> None:
  """Removes what was not used for the longest time, for something new.

  Args:
    where: folder of the cache.
    needed: bytes of what is about to be written, whose lock is held.

  Raises:
    OSError: it is larger than the whole cache may be.
    UsageError: as `limit`.
  """
  most = limit()
  if needed > most:
    raise OSError(
        errno.EDQUOT,
        f'{size(needed)} are more than its limit of {size(most)}; '
        f'${LIMIT} names another',
    )
  # A run reads phantoms as files, while it trains.
  removed = trim(where, most - needed, (_PHANTOM_KIND,))
  if removed:
    console.line(
        f'cache: {size(sum(item.size for item in removed))} that were not '
        f'used for the longest time were removed: {where} may take '
        f'{size(most)} (${LIMIT} names another limit)'
    )


def _remove(item: Item) -> bool:
  """Removes an item; False if a process is making it, or it cannot be."""
  with contextlib.ExitStack() as stack:
    try:
      if item.lock and item.lock.exists():
        lock = stack.enter_context(item.lock.open('a'))
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
      # What says that an entry is whole goes first.
      for path in sorted(item.paths, key=lambda path: path.suffix != '.json'):
        if path.is_dir():
          shutil.rmtree(path)
        else:
          path.unlink(missing_ok=True)
    except OSError:
      return False
  return True


def by_kind(found: Iterable[Item]) -> dict[str, tuple[int, int, float]]:
  """Returns kind -> number of items, bytes, last use; the largest first."""
  kinds: dict[str, tuple[int, int, float]] = {}
  for item in found:
    count, total, used = kinds.get(item.kind, (0, 0, -math.inf))
    kinds[item.kind] = (count + 1, total + item.size, max(used, item.used))
  return dict(sorted(kinds.items(), key=lambda pair: -pair[1][1]))
