"""Compiled programs: kept on disk; the time and memory they took to make."""

import functools
import pathlib

import jax

from medxfer.training import room

_FOLDER = 'compiled'
_WORTH = 1.0  # Seconds of compilation that are worth a file.
_EVENTS = '/jax/core/compile/'
_COMPILED = f'{_EVENTS}backend_compile_duration'


def keep(where: pathlib.Path | None) -> None:
  """Lets JAX keep what it compiles from now on, but not the memory it took.

  A folder that JAX was given already, as by $JAX_COMPILATION_CACHE_DIR, stays.

  Args:
    where: folder of the cache; None to keep nothing.
  """
  _spent()
  if where is None or jax.config.jax_compilation_cache_dir:
    return
  jax.config.update('jax_compilation_cache_dir', str(where / _FOLDER))
  jax.config.update('jax_persistent_cache_min_compile_time_secs', _WORTH)


def seconds() -> float:
  """Returns how long this process has traced and compiled since it asked."""
  return sum(_spent())


@functools.cache
def _spent() -> list[float]:
  spent: list[float] = []

  def listen(event: str, duration: float, **_: object) -> None:
    if event.startswith(_EVENTS):
      spent.append(duration)
    if event == _COMPILED and duration > _WORTH:
      room.give_back()  # Before the program asks for its own.

  jax.monitoring.register_event_duration_secs_listener(listen)
  return spent
