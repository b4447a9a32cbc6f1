"""Locks a workdir: one process uses it at a time."""

from collections.abc import Iterator
import contextlib
import fcntl
import io
import os
import pathlib
import socket
import tempfile

from medxfer import errors
from medxfer import files

_LOCK = '.lock'


@contextlib.contextmanager
def locked(path: pathlib.Path) -> Iterator[None]:
  """Holds a workdir for this process, creating it if it is absent.

  The operating system drops the lock when its holder dies, however it dies,
  so none is ever stale; what it was writing is removed. So is, in the end, a
  folder that was created and stayed empty: a refused run leaves nothing.

  Args:
    path: the workdir.

  Raises:
    UsageError: it is no folder, not writable, or in use (says by whom).
  """
  if path.exists() and not path.is_dir():
    raise errors.UsageError(f'{path}: not a folder; give another --workdir')
  created = [p for p in (path, *path.parents) if not p.exists()]
  try:
    path.mkdir(parents=True, exist_ok=True)
    file = _lock(path)
  except OSError as error:
    raise errors.UsageError(
        f'{path}: cannot be written ({error.strerror}); give another '
        '--workdir'
    ) from error
  with file:
    try:
      files.sweep(path)
      yield
    finally:
      (path / _LOCK).unlink()
      for folder in created:
        if not any(folder.iterdir()):
          folder.rmdir()


@contextlib.contextmanager
def shared(path: pathlib.Path, *, first: bool) -> Iterator[pathlib.Path]:
  """Yields the folder that one of a run's processes writes its files to.

  They all write the same. The first holds the workdir; what the others write
  goes to a folder that is removed at the end.

  Args:
    path: the workdir.
    first: whether this is the first of the processes.

  Raises:
    UsageError: see `locked`.
  """
  if first:
    with locked(path):
      yield path
  else:
    with tempfile.TemporaryDirectory(prefix='medxfer-') as folder:
      yield pathlib.Path(folder)


def _lock(path: pathlib.Path) -> io.TextIOWrapper:
  """Returns the lock's file, held, with this process' name in it."""
  while True:
    file = (path / _LOCK).open('a+', encoding='utf-8')
    try:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
      file.seek(0)
      holder = file.read().strip() or 'another process'
      file.close()
      raise errors.UsageError(
          f'{path}: in use by {holder}; wait for it to end, or give another '
          '--workdir'
      ) from error
    if _is_at(file, path / _LOCK):
      break
    # Its holder ended, and removed it, while this process was opening it.
    file.close()
  file.seek(0)
  file.truncate()
  file.write(f'process {os.getpid()} on {socket.gethostname()}\n')
  file.flush()
  return file


def _is_at(file: io.TextIOWrapper, path: pathlib.Path) -> bool:
  try:
    return os.path.samestat(os.fstat(file.fileno()), path.stat())
  except FileNotFoundError:
    return False
