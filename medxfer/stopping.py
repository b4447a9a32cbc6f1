"""Ctrl-C and SIGTERM: a command saves what it has, and ends soon.

A signal raises `Interrupted` in the main thread, at once or, if that is inside
`held`, at its end: temporary files are removed on the way out, and a training
saves the steps of its epoch. Where this takes longer than `GRACE` seconds, as
in the middle of a compilation, the process ends without it. What was saved
before is whole in any case. A second Ctrl-C ends the process at once.
"""

from collections.abc import Iterator
import contextlib
import os
import signal
import threading
import time
from typing import Any

GRACE = 9.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
  """Somebody wants the command to end.

  Attributes:
    exit_status: 130 after Ctrl-C, 143 after SIGTERM, as shells report them.
  """

  def __init__(self, number: int):
    super().__init__(f'interrupted by {signal.Signals(number).name}')
    self.exit_status = _status(number)


class _Stop:
  """What signals have asked this process for."""

  def __init__(self):
    self.number: int | None = None
    self.is_held = False

  def ask(self, number: int, _: Any) -> None:
    if self.number is not None:
      if number == signal.SIGINT:
        os._exit(_status(number))
      return  # A scheduler repeats itself.
    self.number = number
    if not self.is_held:
      raise Interrupted(number)


_stop = _Stop()


def install() -> None:
  """Handles the signals from here on; for the main thread of a command."""
  # The handlers run between two lines of Python. A compilation is one of
  # them, and may take a minute: the clock runs in a thread.
  receiving, sending = os.pipe()
  os.set_blocking(sending, False)
  signal.set_wakeup_fd(sending, warn_on_full_buffer=False)
  threading.Thread(target=_watch, args=(receiving,), daemon=True).start()
  for number in _SIGNALS:
    signal.signal(number, _stop.ask)


@contextlib.contextmanager
def held() -> Iterator[None]:
  """Makes signals wait until what is inside is whole.

  Raises:
    Interrupted: at the end, if there was one.
  """
  was_held, _stop.is_held = _stop.is_held, True
  try:
    yield
  finally:
    _stop.is_held = was_held
  if _stop.number is not None and not was_held:
    raise Interrupted(_stop.number)


def _watch(receiving: int) -> None:
  while (number := os.read(receiving, 1)[0]) not in _SIGNALS:
    pass
  time.sleep(GRACE)
  os._exit(_status(number))


def _status(number: int) -> int:
  return 128 + number
