"""Protects against what a run may never do: unpickle, ask the network.

Python announces both to audit hooks, whoever does it: so this holds for the
libraries as well.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import pytest

_ROOT = pathlib.Path(__file__).parents[2]
_WATCHED = """
import json, os, runpy, sys
events = []
def watch(event, args):
  if event in ('pickle.find_class', 'socket.connect', 'socket.getaddrinfo'):
    events.append([event, repr(args[:2])])
  elif event == 'open' and isinstance(args[2], int) and (
      args[2] & (os.O_WRONLY | os.O_RDWR)) and not isinstance(args[0], int):
    events.append(['write', os.fsdecode(args[0])])
sys.addaudithook(watch)
try:
  runpy.run_module('medxfer.main', run_name='__main__', alter_sys=True)
finally:
  print('EVENTS', json.dumps(events))
"""


@pytest.mark.slow
def test_a_run_unpickles_nothing_and_asks_no_network(
    phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """And writes to its workdir, its cache, and the system's temporary files."""
  keys = {
      'data.dir': phantoms,
      'data.phantom': 0,
      'data.image_size': '32,32',
      'model.init_from': 'random',
      'training.epochs': 1,
      'evaluation.resamples': 10,
      'cache_dir': tmp_path / 'cache',
  }
  done = subprocess.run(
      [
          sys.executable,
          '-c',
          _WATCHED,
          f'--workdir={tmp_path / "run"}',
          '--config=configs/ham.py:last_block,phantom',
          *(f'--config.{key}={value}' for key, value in keys.items()),
      ],
      cwd=_ROOT,
      capture_output=True,
      text=True,
      check=False,
  )
  assert done.returncode == 0, done.stderr
  events = json.loads(done.stdout.rpartition('EVENTS ')[2])
  written = [path for event, path in events if event == 'write']
  assert any(path.startswith(str(tmp_path)) for path in written)
  assert not [
      path
      for path in written
      if not path.startswith((str(tmp_path), tempfile.gettempdir(), os.devnull))
  ]
  assert [event for event in events if event[0] != 'write'] == []
