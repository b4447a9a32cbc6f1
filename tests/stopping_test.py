"""Protects Ctrl-C and SIGTERM: a command leaves no rest, and ends in time."""

import pathlib
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from medxfer import stopping

_ROOT = pathlib.Path(__file__).parents[1]
# What `launcher.run` is given; says when it is ready for a signal.
_HEAD = """
import hashlib, pathlib, sys, time
from medxfer import files, launcher, stopping
def ready():
  print('ready', flush=True)
def main(_):
"""
# A minute in C, like a compilation: no line of Python in between.
_LONG = "hashlib.pbkdf2_hmac('sha256', b'', b'', 10**8)"


def _signalled(body: str, *numbers: Any) -> tuple:
  """Returns what a command does that is sent signals as soon as it is ready."""
  lines = ''.join(f'  {line}\n' for line in body.splitlines())
  process = subprocess.Popen(
      [
          sys.executable,
          '-c',
          f'{_HEAD}{lines}\nlauncher.run(sys.modules[__name__])',
      ],
      cwd=_ROOT,
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
      text=True,
  )
  assert process.stdout.readline() == 'ready\n'
  started = time.monotonic()
  for number in numbers:
    process.send_signal(number)
    time.sleep(0.2)
  out, err = process.communicate(timeout=60)
  return process.returncode, out, err, time.monotonic() - started


@pytest.mark.parametrize(
    'number, status', [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_signal_ends_a_command_and_its_temporary_files(
    tmp_path: pathlib.Path, number: signal.Signals, status: int
) -> None:
  """Nothing half-written, one line, the status that shells know."""
  returned, _, err, _ = _signalled(
      f"""
with files.replacing(pathlib.Path({str(tmp_path)!r}) / 'table') as temporary:
  temporary.write_text('half')
  ready()
  time.sleep(60)""",
      number,
  )
  assert returned == status
  assert err == f'interrupted by {number.name}\n'
  assert list(tmp_path.iterdir()) == []


def test_what_must_not_be_torn_apart_is_finished_first() -> None:
  """A step's state would be neither the old one nor the new one."""
  returned, out, _, _ = _signalled(
      """
with stopping.held():
  with stopping.held():
    ready()
    time.sleep(.5)
  time.sleep(.5)
  print('whole', flush=True)
print('torn')""",
      signal.SIGTERM,
      signal.SIGTERM,
  )
  assert (returned, out) == (143, 'whole\n')


def test_a_command_that_cannot_stop_is_ended() -> None:
  """Schedulers kill after a while; compilations take longer."""
  returned, _, _, seconds = _signalled(
      f"""
stopping.GRACE = 1.0
ready()
{_LONG}""",
      signal.SIGTERM,
  )
  assert returned == 143 and seconds < 10


def test_the_promise_is_ten_seconds() -> None:
  """Ends before most schedulers lose their patience."""
  assert stopping.GRACE < 10


def test_a_second_ctrl_c_ends_at_once() -> None:
  """Somebody who presses it twice means it."""
  returned, _, _, seconds = _signalled(
      """
with stopping.held():
  ready()
  for _ in range(600):
    time.sleep(.1)""",
      signal.SIGINT,
      signal.SIGINT,
  )
  assert returned == 130 and seconds < 5
