"""Orbax without what it prints of its own."""

import functools
import sys
from typing import Any

import orbax.checkpoint as ocp


def checkpointer() -> ocp.Checkpointer:
  """Returns what saves and restores a checkpoint of several items."""
  _silence_the_rest()
  return ocp.Checkpointer(ocp.CompositeCheckpointHandler())


@functools.cache
def _silence_the_rest() -> None:
  """Keeps coroutines of Orbax' from printing tracebacks of their own.

  Of those that read or write one checkpoint, the first that fails is reported;
  the others fail when they are destroyed, or when a thread of TensorStore's
  wants to tell them something, which may be much later.
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
