"""Arrays that are made once and mapped from disk ever after.

An entry is two files in the cache's folder: KIND-HASH.npy, the array, and
KIND-HASH.json, which is written last and says what the array holds, how long
it is and its checksum. HASH stands for everything that decides the content,
so an entry is never out of date, only absent, and any of them may be deleted
at any time. Processes that want the same entry wait for the one that makes
it.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import dataclasses
import fcntl
import functools
import hashlib
import json
import math
import os
import pathlib
from typing import Any
import zlib

import numpy as np
import numpy.typing as npt

from medxfer import cache_upkeep
from medxfer import console
from medxfer import containers
from medxfer import files
from medxfer import paths
from medxfer import user_folders

_VARIABLE = 'MEDXFER_CACHE'
_OFF = 'off'
_CHUNK = 1 << 24  # Bytes of a checksum's step.


@dataclasses.dataclass(frozen=True, eq=False)
class Entry:
  """What a cache holds under one key.

  Attributes:
    array: mapped from the file, read-only.
    about: what its maker said of it.
  """

  array: np.ndarray
  about: Mapping[str, Any]


def folder(named: str = '') -> pathlib.Path | None:
  """Returns the folder of the cache; None where there is to be none.

  Args:
    named: a folder, 'off', or '' for what $MEDXFER_CACHE says, else `home`.
  """
  if named and named != _OFF:
    return paths.read(named, '--config.cache_dir')
  if _OFF in (named, os.environ.get(_VARIABLE, '')):
    return None
  return home()


def home() -> pathlib.Path:
  """Returns $MEDXFER_CACHE, else medxfer/ in the user's cache folder.

  Who has no home, or one that cannot be written, gets a folder of the
  system's temporary ones, which is said once.

  Raises:
    DataError: there is no place that this user alone may write.
  """
  named = os.environ.get(_VARIABLE, '')
  if named and named != _OFF:
    return paths.read(named, f'${_VARIABLE}')
  usual = user_folders.cache_folder('medxfer')
  if usual:
    return usual
  return _without_home()


@functools.cache
def _without_home() -> pathlib.Path:
  folder = user_folders.temporary_folder() / 'cache'
  console.note(
      f'this user has no home folder that can be written: the cache is '
      f'{folder}; ${_VARIABLE}=DIR names another place, and off none'
  )
  return folder


def fingerprint(key: Mapping[str, Any]) -> str:
  """Returns 20 hexadecimal digits that stand for a key of plain values."""
  text = json.dumps(key, sort_keys=True, allow_nan=False)
  return hashlib.sha256(text.encode()).hexdigest()[:20]


@dataclasses.dataclass(frozen=True, eq=False)
class Draft:
  """An entry that is being made.

  Attributes:
    array: to fill; it stays usable after the draft is left.
    commit: makes it an entry; takes what is kept beside it, plain values.
  """

  array: np.ndarray
  commit: Callable[[Mapping[str, Any]], None]


class Slot:
  """The place of one entry, held by this process; see `slot`."""

  def __init__(self, stem: pathlib.Path, key: Mapping[str, Any]):
    self._key = key
    self._array = stem.with_name(f'{stem.name}.npy')
    self._about = stem.with_name(f'{stem.name}.json')

  def read(self) -> Entry | None:
    """Returns the entry; None if there is none.

    Raises:
      OSError: it cannot be read.
      Damaged: it is not what was written; it is removed.
    """
    try:
      written = files.parse_json(self._about.read_bytes())
      crc, about = written['crc32'], written['about']
    except FileNotFoundError:
      return None
    except (KeyError, TypeError, ValueError):
      raise self._damaged('what stands beside it is damaged') from None
    try:
      array = self._map()
    except (FileNotFoundError, OverflowError, ValueError):
      raise self._damaged('the array is missing or cut short') from None
    if _checksum(array) != crc:
      raise self._damaged('its checksum is another')
    with contextlib.suppress(OSError):
      os.utime(self._about)  # Its last use; see `cache_upkeep`.
    return Entry(array, about)

  @contextlib.contextmanager
  def draft(
      self, shape: Sequence[int], dtype: npt.DTypeLike
  ) -> Iterator['Draft']:
    """Yields an entry to fill; without a `commit` nothing of it stays.

    Args:
      shape: of the array.
      dtype: of it.

    Raises:
      OSError: the disk has no room for it, the folder is read-only, or it is
        larger than the cache may be.
    """
    bytes_ = math.prod(shape) * np.dtype(dtype).itemsize
    cache_upkeep.make_room(self._array.parent, bytes_)
    temporary = self._array.with_name(f'.{self._array.name}.{os.getpid()}.tmp')
    try:
      array = np.lib.format.open_memmap(
          temporary, mode='w+', dtype=dtype, shape=tuple(shape)
      )
      with temporary.open('r+b') as file:
        # All of it now: a mapped page for which the disk has no room later
        # would kill the process without a word.
        os.posix_fallocate(file.fileno(), 0, temporary.stat().st_size)
      yield Draft(array, lambda about: self._commit(temporary, array, about))
    finally:
      temporary.unlink(missing_ok=True)

  def _map(self) -> np.memmap:
    with self._array.open('rb') as file:
      shape, fortran, dtype = containers.read_npy_header(file)
      return np.memmap(
          file,
          dtype,
          mode='r',
          offset=file.tell(),
          shape=shape,
          order='F' if fortran else 'C',
      )

  def _commit(
      self, temporary: pathlib.Path, array: np.memmap, about: Mapping[str, Any]
  ) -> None:
    array.flush()
    os.replace(temporary, self._array)
    files.write_json(
        self._about,
        {'key': self._key, 'crc32': _checksum(array), 'about': about},
    )

  def _damaged(self, reason: str) -> 'Damaged':
    self._about.unlink(missing_ok=True)
    self._array.unlink(missing_ok=True)
    return Damaged(f'{self._array}: {reason}; removed')


class Damaged(Exception):
  """An entry is not what was written."""


@contextlib.contextmanager
def slot(
    where: pathlib.Path, kind: str, key: Mapping[str, Any]
) -> Iterator[Slot]:
  """Holds the place of an entry, waiting for another process to let go.

  What a killed process left half-written is removed.

  Args:
    where: the cache's folder, made if absent.
    kind: first word of the files' names.
    key: everything that decides the content, as plain values.

  Raises:
    OSError: the folder cannot be made or written.
  """
  where.mkdir(parents=True, exist_ok=True)
  stem = where / f'{kind}-{fingerprint(key)}'
  with stem.with_name(f'{stem.name}.lock').open('a') as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    for left in where.glob(f'.{stem.name}.*.tmp'):
      left.unlink()
    yield Slot(stem, key)


def _checksum(array: np.ndarray) -> int:
  flat, crc = array.reshape(-1).view(np.uint8), 0
  for start in range(0, len(flat), _CHUNK):
    crc = zlib.crc32(flat[start : start + _CHUNK].data, crc)
  return crc
