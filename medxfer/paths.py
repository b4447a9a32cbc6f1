"""Paths as people write them: whole, relative, `~/...`, `~user/...`."""

import os
import pathlib

from medxfer import errors
from medxfer import files


def read(named: str, source: str = '') -> pathlib.Path:
  """Returns the path that a flag, a key or a variable names.

  Args:
    named: what it says; not empty.
    source: the flag, key or variable, as it is to be called in a message;
      '' for a word of the command line.

  Raises:
    UsageError: it begins with the home of somebody who has none, or holds
      bytes that are no text, which libraries refuse once they are needed.
      Images on the command line may.
  """
  found = os.path.expanduser(named)
  if found.startswith('~'):
    user = named.split('/')[0][1:]
    why = (
        f'there is no user {user!r} on this machine'
        if user
        else 'this user has no home folder, and $HOME is not set'
    )
    raise errors.UsageError(
        f'{source}{"=" if source else ""}{named}: {why}; write the whole path'
    )
  if source:
    whole = os.path.abspath(found)
    if files.text_of(whole) != whole:
      raise errors.UsageError(
          f'{source}={named}: {whole} holds bytes that are no text in this '
          'locale; rename it, or, if it is UTF-8, set LC_ALL=C.UTF-8'
      )
  return pathlib.Path(found)
