"""Where this user may write, with or without a home."""

import os
import pathlib
import stat
import tempfile

from medxfer import errors


def cache_folder(name: str) -> pathlib.Path | None:
  """Returns NAME in the user's cache folder; None if it cannot be written.

  That is $XDG_CACHE_HOME, else ~/.cache.
  """
  base = os.environ.get('XDG_CACHE_HOME') or '~/.cache'
  try:
    folder = pathlib.Path(base).expanduser() / name
  except RuntimeError:
    return None
  return folder if _may_be_made(folder) else None


def temporary_folder() -> pathlib.Path:
  """Returns a folder among the system's temporary ones, this user's alone.

  Raises:
    DataError: it cannot be made, or another user has made it.
  """
  try:
    folder = pathlib.Path(tempfile.gettempdir(), f'medxfer-{os.getuid()}')
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
  except OSError as error:
    raise errors.DataError(
        f'{error.filename or "the temporary folder"}: cannot be written '
        f'({error.strerror}); set $TMPDIR to a folder that can'
    ) from error
  # Whoever comes first may make it: what lies there would be read as ours.
  if (
      found.st_uid != os.getuid()
      or not stat.S_ISDIR(found.st_mode)
      or found.st_mode & 0o077
  ):
    raise errors.DataError(
        f'{folder}: others may write it; remove it, or set $TMPDIR to another '
        'folder'
    )
  return folder


def _may_be_made(folder: pathlib.Path) -> bool:
  above = (folder, *folder.parents)
  there = next((p for p in above if os.path.exists(p)), folder)
  return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
