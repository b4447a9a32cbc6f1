"""A JAX trace of a few steps, to see where their time goes."""

from collections.abc import Iterator
import contextlib
import pathlib
from typing import TypeVar

import jax
import jax.numpy as jnp

from medxfer import console
from medxfer import files

# The first step compiles, the second may still fill a queue.
_FIRST, _LAST = 2, 7

T = TypeVar('T')


class Profiler:
  """Traces some steps of the first epoch that it watches.

  The trace is for TensorBoard's profiler and for https://ui.perfetto.dev.
  """

  def __init__(self, folder: pathlib.Path):
    """Writes to `folder`."""
    self._folder = folder
    self._done = False
    self._named = contextlib.ExitStack()

  def __call__(self, batches: Iterator[T]) -> Iterator[T]:
    """Yields an epoch's batches as they are."""
    if self._done:
      yield from batches
      return
    self._done, tracing = True, False
    try:
      for i, batch in enumerate(batches):
        if i == _FIRST:
          jax.profiler.start_trace(
              self._named.enter_context(
                  files.plainly_named(self._folder.absolute())
              ),
              create_perfetto_trace=True,
          )
          tracing = True
        elif i > _LAST and tracing:
          tracing = self._stop()
        yield batch
    finally:
      if tracing:
        self._stop()
    if not self._folder.exists():
      console.line(f'no trace: an epoch needs more than {_FIRST} steps')

  def _stop(self) -> bool:
    # Devices work in order: by then the traced steps are done.
    jnp.zeros(()).block_until_ready()
    with self._named:
      jax.profiler.stop_trace()
    console.line(f'trace of {_LAST - _FIRST + 1} steps: {self._folder}')
    return False
