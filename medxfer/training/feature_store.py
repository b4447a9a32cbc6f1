"""Stores the activations of frozen layers, in memory or on disk.

Both kinds are one table [images, views, ...] of which some places are filled.
On disk a journal says which, with a checksum each: a process that is killed
leaves whole places and no others, and the next one goes on from there. Every
process on the same images, weights, layer, pixels and precision finds them.
"""

import abc
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import fcntl
import os
import pathlib
from typing import Any
from typing import BinaryIO
import zlib

import numpy as np

from medxfer import cache
from medxfer import cache_upkeep
from medxfer import files

_RECORD = np.dtype([('place', '<u4'), ('crc32', '<u4')])


class Kept(abc.ABC):
  """Activations [images, views, ...], and which of them are there.

  Attributes:
    shape: of all activations.
    filled: bool [images, views].
  """

  def __init__(self, shape: Sequence[int]):
    self.shape = tuple(shape)
    self.filled = np.zeros(self.shape[:2], bool)

  def missing(self, rows: np.ndarray, views: int) -> np.ndarray:
    """Returns those of `rows` that lack one of their first `views` views."""
    return rows[~self.filled[rows, :views].all(axis=1)]

  def put(self, rows: np.ndarray, view: int, values: np.ndarray) -> None:
    """Keeps `values` [len(rows), ...] of one view."""
    self._write(rows, view, values)
    self.filled[rows, view] = True

  @abc.abstractmethod
  def take(self, rows: np.ndarray) -> np.ndarray:
    """Returns a copy of all views of some images, [len(rows), views, ...].

    Entries that were not filled are undefined.
    """

  @abc.abstractmethod
  def _write(self, rows: np.ndarray, view: int, values: np.ndarray) -> None:
    """Writes `values` [len(rows), ...] to their places."""


class InMemory(Kept):
  """Ends with the process. Places that are never filled take no memory."""

  def __init__(self, shape: Sequence[int], dtype: np.dtype):
    """Makes room for activations [images, views, ...]."""
    super().__init__(shape)
    self._array = np.empty(shape, dtype)

  def take(self, rows: np.ndarray) -> np.ndarray:
    return self._array[rows]

  def _write(self, rows: np.ndarray, view: int, values: np.ndarray) -> None:
    self._array[rows, view] = values


class _OnDisk(Kept):
  """A file, read and written place by place: mapped, it would fill memory."""

  def __init__(
      self, folder: pathlib.Path, shape: Sequence[int], dtype: np.dtype
  ):
    super().__init__(shape)
    self._dtype = np.dtype(dtype)
    self._place_bytes = int(np.prod(self.shape[2:])) * self._dtype.itemsize
    self._file = (folder / 'activations').open('r+b', buffering=0)
    self._journal: BinaryIO | None = None

  def take(self, rows: np.ndarray) -> np.ndarray:
    made = np.empty((len(rows), *self.shape[1:]), self._dtype)
    for row, values in zip(rows.tolist(), made):
      self._read(row * self.shape[1], values)
    return made

  def trust(self, journal: pathlib.Path) -> np.ndarray:
    """Takes for filled what a journal says truly; returns its records."""
    content = journal.read_bytes() if journal.exists() else b''
    whole = len(content) // _RECORD.itemsize * _RECORD.itemsize
    # The last record of a place counts.
    last = {
        int(place): int(crc)
        for place, crc in np.frombuffer(content[:whole], _RECORD)
    }
    values = np.empty(self.shape[2:], self._dtype)
    sound = [
        (place, crc)
        for place, crc in last.items()
        if place < self.filled.size
        and self._read(place, values)
        and _crc(values) == crc
    ]
    self.filled.reshape(-1)[[place for place, _ in sound]] = True
    return np.array(sound, _RECORD)

  @contextlib.contextmanager
  def writing(self, journal: pathlib.Path) -> Iterator[None]:
    """Lets `put` write, and record in `journal` what it wrote."""
    with journal.open('ab') as self._journal:
      yield
      os.fsync(self._file.fileno())

  def _read(self, place: int, into: np.ndarray) -> bool:
    """Whether the file holds a value there."""
    return (
        os.preadv(
            self._file.fileno(), [_as_bytes(into)], place * self._place_bytes
        )
        == into.nbytes
    )

  def _write(self, rows: np.ndarray, view: int, values: np.ndarray) -> None:
    values = np.ascontiguousarray(values, self._dtype)
    places = (rows * self.shape[1] + view).tolist()
    for place, value in zip(places, values):
      # Room for it was allocated, so that it is written whole.
      os.pwrite(
          self._file.fileno(), _as_bytes(value), place * self._place_bytes
      )
    # After the values: a process killed in between forgets, never invents.
    records = [(place, _crc(value)) for place, value in zip(places, values)]
    assert self._journal  # Within `writing`.
    self._journal.write(np.array(records, _RECORD).tobytes())
    self._journal.flush()


@contextlib.contextmanager
def on_disk(
    where: pathlib.Path,
    key: Mapping[str, Any],
    shape: Sequence[int],
    dtype: np.dtype,
) -> Iterator[Kept]:
  """Yields a store on disk that this process alone fills.

  Waits for another process that fills the same. They stay readable after the
  context is left.

  Args:
    where: folder of the cache, made if absent.
    key: everything that decides the activations, as plain values.
    shape: [images, views, ...].
    dtype: of the activations.

  Raises:
    OSError: the folder cannot be written, the disk has no room, or they are
      larger than the cache may be.
  """
  folder = where / f'prefix-{cache.fingerprint(key)}'
  folder.mkdir(parents=True, exist_ok=True)
  with (folder / 'lock').open('a') as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    files.sweep(folder)
    _allocate(folder, int(np.prod(shape)) * np.dtype(dtype).itemsize)
    files.write_json(folder / 'about.json', dict(key))
    store = _OnDisk(folder, shape, dtype)
    sound = store.trust(folder / 'journal')
    # Records of damaged places, and half a record, are written out of it.
    with files.replacing(folder / 'journal') as temporary:
      temporary.write_bytes(sound.tobytes())
    with store.writing(folder / 'journal'):
      yield store


def _allocate(folder: pathlib.Path, size: int) -> None:
  """Gives the file its size, or says at once that there is no room."""
  path = folder / 'activations'
  if not path.exists():
    cache_upkeep.make_room(folder.parent, size)
  with path.open('a+b') as file:
    os.posix_fallocate(file.fileno(), 0, size)
    file.truncate(size)


def _crc(values: np.ndarray) -> int:
  return zlib.crc32(_as_bytes(values))


def _as_bytes(values: np.ndarray) -> memoryview:
  # Files know no bfloat16.
  return values.reshape(-1).view(np.uint8).data
