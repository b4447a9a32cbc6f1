"""Compiled programs: kept on disk; the time and memory they took to make."""

from collections.abc import Callable
import functools
import pathlib
import re
import warnings

import jax

from medxfer import console
from medxfer.training import memory

_FOLDER = 'compiled'
_WORTH = 1.0  # Seconds of compilation that are worth a file.
_UNREADABLE = re.compile(
    r"Error (reading|writing) persistent compilation cache entry for '(\w+)'"
)
_EVENTS = '/jax/core/compile/'
_COMPILED = f'{_EVENTS}backend_compile_duration'


def keep(where: pathlib.Path | None) -> None:
  """Lets JAX keep what it compiles from now on, but not the memory it took.

  A folder that JAX was given already, as by $JAX_COMPILATION_CACHE_DIR, stays.

  Args:
    where: folder of the cache; None to keep nothing.
  """
  _spent()
  if where is None or getattr(jax.config, 'jax_compilation_cache_dir'):
    return
  folder = where / _FOLDER
  jax.config.update('jax_compilation_cache_dir', str(folder))
  jax.config.update('jax_persistent_cache_min_compile_time_secs', _WORTH)
  warnings.showwarning = _mending(folder, warnings.showwarning)


def _mending(
    folder: pathlib.Path, show: Callable[..., None]
) -> Callable[..., None]:
  """Returns a `warnings.showwarning` that removes damaged programs.

  JAX does not write them whole or not at all, and would leave what a killed
  process left: a warning and a compilation for ever after.

  Args:
    folder: of the programs.
    show: for other warnings.
  """

  def show_or_mend(message, *args, **kwargs) -> None:
    found = _UNREADABLE.search(str(message))
    if not found:
      show(message, *args, **kwargs)
      return
    doing, name = found.groups()
    if doing == 'reading':
      for path in folder.glob(f'{name}-*'):
        path.unlink(missing_ok=True)
    else:
      console.line(f'note: {folder}: {name} is not kept ({message})')

  return show_or_mend


def seconds() -> float:
  """Returns how long this process has traced and compiled since it asked."""
  return sum(_spent())


@functools.cache
def _spent() -> list[float]:
  spent: list[float] = []

  def listen(event: str, duration_secs: float, **kwargs: str | int) -> None:
    del kwargs
    if event.startswith(_EVENTS):
      spent.append(duration_secs)
    if event == _COMPILED and duration_secs > _WORTH:
      memory.give_back()  # Before the program asks for its own.

  jax.monitoring.register_event_duration_secs_listener(listen)
  return spent
