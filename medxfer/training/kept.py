"""What frozen layers make of images, kept: in memory, or on disk for later.

Both kinds are one array [images, views, ...] of which some places are filled.
On disk a journal says which, with a checksum each: a process that is killed
leaves whole places and no others, and the next one goes on from there. Every
process on the same images, weights, layer, pixels and precision finds them.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import fcntl
import os
import pathlib
from typing import Any
import zlib

import numpy as np

from medxfer import cache
from medxfer import files

_RECORD = np.dtype([('place', '<u4'), ('crc32', '<u4')])


class Kept:
  """Activations [images, views, ...], and which of them are there.

  Attributes:
    array: the activations.
    filled: bool [images, views].
  """

  def __init__(self, array: np.ndarray, filled: np.ndarray, journal: Any):
    self.array = array
    self.filled = filled
    self._journal = journal

  def missing(self, rows: np.ndarray, views: int) -> np.ndarray:
    """Returns those of `rows` that lack one of their first `views` views."""
    return rows[~self.filled[rows, :views].all(axis=1)]

  def put(self, rows: np.ndarray, view: int, values: np.ndarray) -> None:
    """Keeps `values` [len(rows), ...] of one view."""
    self.array[rows, view] = values
    self.filled[rows, view] = True
    if self._journal is not None:
      # After the values: a process killed in between forgets, never invents.
      self._journal.write(_records(self.array, rows, view).tobytes())
      self._journal.flush()


def in_memory(shape: Sequence[int], dtype: np.dtype) -> Kept:
  """Returns a place for activations that ends with the process.

  Places that are never filled take no memory.

  Args:
    shape: [images, views, ...].
    dtype: of the activations.
  """
  return Kept(np.empty(shape, dtype), np.zeros(shape[:2], bool), None)


@contextlib.contextmanager
def on_disk(
    where: pathlib.Path,
    key: Mapping[str, Any],
    shape: Sequence[int],
    dtype: np.dtype,
) -> Iterator[Kept]:
  """Yields activations on disk, to be filled by this process alone.

  Waits for another process that fills the same. The array stays readable
  after the context is left.

  Args:
    where: folder of the cache, made if absent.
    key: everything that decides the activations, as plain values.
    shape: [images, views, ...].
    dtype: of the activations.

  Raises:
    OSError: the folder cannot be written, or the disk has no room.
  """
  folder = where / f'prefix-{cache.fingerprint(key)}'
  folder.mkdir(parents=True, exist_ok=True)
  with (folder / 'lock').open('a') as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    files.write_json(folder / 'about.json', dict(key))
    array = _array(folder / 'activations', shape, dtype)
    filled, sound = _sound(folder / 'journal', array)
    # Records of damaged places, and half a record, are written out of it.
    with files.replacing(folder / 'journal') as temporary:
      temporary.write_bytes(sound.tobytes())
    with (folder / 'journal').open('ab') as journal:
      yield Kept(array, filled, journal)
    array.flush()


def _array(
    path: pathlib.Path, shape: Sequence[int], dtype: np.dtype
) -> np.memmap:
  """Returns the file as an array, allocated whole."""
  size = int(np.prod(shape)) * np.dtype(dtype).itemsize
  with path.open('a+b') as file:
    # A mapped page for which the disk has no room would kill the process.
    os.posix_fallocate(file.fileno(), 0, size)
    file.truncate(size)
  return np.memmap(path, dtype, mode='r+', shape=tuple(shape))


def _sound(
    path: pathlib.Path, array: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
  """Returns which places hold what the journal says, and their records."""
  filled = np.zeros(array.shape[:2], bool)
  content = path.read_bytes() if path.exists() else b''
  whole = len(content) // _RECORD.itemsize * _RECORD.itemsize
  records = np.frombuffer(content[:whole], _RECORD)
  # The last record of a place counts.
  last = {int(place): int(crc) for place, crc in records}
  sound = [
      (place, crc) for place, crc in last.items()
      if place < filled.size
      and _crc(array[divmod(place, filled.shape[1])]) == crc]
  filled.reshape(-1)[[place for place, _ in sound]] = True
  return filled, np.array(sound, _RECORD)


def _records(array: np.ndarray, rows: np.ndarray, view: int) -> np.ndarray:
  places = rows * array.shape[1] + view
  return np.array(
      [(place, _crc(array[row, view])) for place, row in zip(places, rows)],
      _RECORD)


def _crc(values: np.ndarray) -> int:
  return zlib.crc32(np.ascontiguousarray(values).reshape(-1).view(np.uint8))
