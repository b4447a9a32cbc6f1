"""Saves and restores a checkpoint of several items by Orbax.

Failures become one message, and Orbax prints nothing of its own.
"""

from collections.abc import Mapping
import functools
import pathlib
import sys
import textwrap
from typing import Any

import orbax.checkpoint as ocp

from medxfer import errors
from medxfer import files
from medxfer import startup
from medxfer.training import processes


def save(path: pathlib.Path, **items: Any) -> None:
  """Saves items.

  Args:
    path: the folder to make.
    **items: name -> arguments of Orbax to save it.

  Raises:
    DataError: they cannot be saved.
  """
  _silence_coroutines()
  try:
    with _checkpointer() as orbax, files.plainly_named(path) as plain:
      orbax.save(plain, args=ocp.args.Composite(**items))
  except Exception as error:
    # TensorStore raises ValueErrors where the disk is full.
    raise _explained(error, f'{path}: cannot be saved') from error


def restore(path: pathlib.Path, **items: Any) -> Mapping[str, Any]:
  """Returns items by name.

  Args:
    path: the folder.
    **items: name -> arguments of Orbax to restore it.

  Raises:
    DataError: they cannot be restored.
  """
  _silence_coroutines()
  try:
    with _checkpointer() as orbax, files.plainly_named(path) as plain:
      return orbax.restore(plain, args=ocp.args.Composite(**items))
  except Exception as error:
    # TensorStore raises a bare Exception where a file is missing.
    raise _explained(error, f'{path}: cannot be restored') from error


def _checkpointer() -> ocp.Checkpointer:
  return ocp.Checkpointer(ocp.CompositeCheckpointHandler())


def _explained(error: Exception, what: str) -> Exception:
  """Returns what to raise; what is no fault of the checkpoint stays."""
  if processes.is_of_a_device(error) or startup.explained(error):
    return error
  return errors.DataError(f'{what} ({textwrap.shorten(str(error), 160)})')


@functools.cache
def _silence_coroutines() -> None:
  """Keeps coroutines of Orbax from printing tracebacks of their own.

  Of the coroutines that read or write one checkpoint, the first that fails is
  reported. The others fail when they are destroyed, or when a thread of
  TensorStore calls them back, which may be much later.
  """
  show = sys.unraisablehook

  def show_others(args: Any) -> None:
    code = getattr(args.object, 'cr_code', None)
    if (
        'orbax' not in getattr(code, 'co_filename', '')
        and str(args.exc_value) != 'Event loop is closed'
    ):
      show(args)

  sys.unraisablehook = show_others
