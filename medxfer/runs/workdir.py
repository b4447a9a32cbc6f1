"""A run's folder: its files, one process at a time, one run for ever."""

from collections.abc import Iterator
import contextlib
import fcntl
import io
import os
import pathlib
import shlex
import socket
import tempfile

from medxfer import errors
from medxfer import files
from medxfer import spec as specs

CONFIG = 'config.json'
CONTINUED = 'continued.json'
ENVIRONMENT = 'environment.json'
HISTORY = 'metrics.jsonl'
INPUTS = 'inputs.json'
PARAMETERS = 'parameters.txt'
PROFILE = 'profile'
SKIPPED = 'skipped.csv'
SPLIT = 'split.csv'
SUMMARY = 'summary.json'
_LOCK = '.lock'
# Where things lie, not what they are: digests see to that.
PLACES = ('data.dir', 'data.groups', 'model.init_from', 'model.weights')
# What may differ between two starts of one run: places, what the recipe is
# called, how long the run is and how it is scored (see `resume`).
_MAY_DIFFER = (*PLACES, 'data.cache', 'cache_dir', 'arm', 'modifiers',
               'training.epochs', 'training.patience', 'evaluation.batch_size',
               'evaluation.resamples', 'evaluation.positive')


def predictions(side: str) -> str:
  """Returns the name of the predictions table of 'val' or 'test'."""
  return f'predictions_{side}.csv'


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
        '--workdir') from error
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
          '--workdir') from error
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


def read_spec(path: pathlib.Path) -> specs.RunSpec:
  """Returns the specification of a workdir's run.

  Raises:
    DataError: the folder is no workdir, or its configuration is damaged.
  """
  try:
    return specs.from_config(files.read_json(path / CONFIG))
  except errors.UsageError as error:
    raise errors.DataError(
        f'{path / CONFIG}: not a configuration of this version of medxfer '
        f'({error})') from error


def refuse_other_spec(path: pathlib.Path, spec: specs.RunSpec) -> None:
  """Compares a workdir's configuration with the one that is asked for.

  Raises:
    UsageError: they differ in more than names and places, or the folder
      holds files but is no workdir.
    DataError: its configuration is damaged.
  """
  if not (path / CONFIG).exists():
    strangers = sorted(
        p.name for p in path.iterdir() if not p.name.startswith('.'))
    if strangers:
      raise errors.UsageError(
          f'{path}: holds {strangers[0]} but no {CONFIG}, so it is no workdir '
          'of medxfer; give an empty or new --workdir')
    return
  # Read, because a key that is younger than the run has a default there.
  old = read_spec(path).to_json()
  lines = [line for line in specs.difference(old, spec.to_json())
           if line.split(':')[0] not in _MAY_DIFFER]
  if lines:
    raise errors.UsageError(
        f'{path} belongs to another run: give another --workdir, such as '
        f'--workdir={shlex.quote(f"{path}-2")}, or the old values, each by '
        '--config.KEY=VALUE. Old -> new:\n  ' + '\n  '.join(lines))
