"""Protects a study that is stopped: its run saves, and does not live on."""

import pathlib
import signal
import subprocess
import sys
import time
from typing import Any

import psutil
import pytest

from medxfer import spec as specs
from medxfer.runs import workdir
from medxfer.study import child_process
from tests import tiny

_ROOT = pathlib.Path(__file__).parents[2]


def _start(phantoms: pathlib.Path, path: pathlib.Path) -> Any:
  """Starts a study whose one run goes on for an hour, and awaits an epoch."""
  keys = {
      'data.dir': phantoms,
      'data.phantom': 0,
      'data.image_size': '32,32',
      'training.epochs': 10_000,
      'training.batch_size': 4,
      'training.patience': 0,
      'study.arms': 'random',
  }
  process = subprocess.Popen(
      [
          sys.executable,
          '-m',
          'medxfer.study',
          f'--workdir={path}',
          '--config=configs/table_7_1.py:phantom',
          *(f'--config.{key}={value}' for key, value in keys.items()),
      ],
      cwd=_ROOT,
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
      text=True,
  )
  run = path / 'runs' / 'random-seed0'
  while not (run / 'checkpoints' / '2').exists():
    assert process.poll() is None, process.communicate()
    time.sleep(0.05)
  return process, run, psutil.Process(process.pid).children()


@pytest.mark.slow
@pytest.mark.parametrize(
    'number, status', [(signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_a_run_ends_with_its_study(
    phantoms: pathlib.Path, tmp_path: pathlib.Path, number: Any, status: int
) -> None:
  """Else it holds its workdir and the GPU, and nobody knows why."""
  process, run, children = _start(phantoms, tmp_path / 'study')
  assert children
  process.send_signal(number)
  _, err = process.communicate(timeout=60)
  assert process.returncode == status
  gone, alive = psutil.wait_procs(children, timeout=20)
  assert gone and not alive
  # It said goodbye: its lock is gone, and so is everything half-written.
  assert not (run / '.lock').exists()
  assert not [path for path in run.rglob('*') if 'tmp' in path.name]
  if number == signal.SIGTERM:
    assert err == 'interrupted by SIGTERM\n'


@pytest.mark.parametrize(
    'exitcode, said',
    [
        (-9, 'killed, perhaps for want of memory; the same command goes on'),
        (143, 'stopped; the same command goes on'),
        (1, 'an error of medxfer itself, told above'),
    ],
)
def test_why_a_process_ended_is_said(exitcode: int, said: str) -> None:
  """The other runs go on, and this one's line says what happened."""
  assert said in child_process._why(exitcode)


@pytest.mark.slow
def test_a_run_out_of_time_is_stopped_and_goes_on_later(
    phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """A study with a budget ends in time, and loses no epoch."""
  config = tiny.config(phantoms, 'all')
  config.training.update(epochs=2000, patience=0)
  endless = specs.from_config(config)
  begun = time.monotonic()
  problem = child_process.run(endless, tmp_path / 'run', 25)
  assert problem == child_process.OUT_OF_TIME
  assert time.monotonic() - begun < 25 + 15
  folder = workdir.Workdir(tmp_path / 'run')
  done = len(folder.history())
  assert done and not folder.is_finished
  config.training.epochs = done + 1
  assert child_process.run(specs.from_config(config), tmp_path / 'run') == ''
  assert folder.summary()['epochs_run'] == done + 1
