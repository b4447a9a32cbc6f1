"""Protects several devices and processes: the results of one."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
from typing import Any

import jax
import numpy as np
import pytest

from medxfer import errors
from medxfer import spec as specs
from medxfer.model.weights import metadata as contracts
from medxfer.recipes import common
from medxfer.runs import device_errors
from medxfer.training import checkpoints
from medxfer.training import devices
from medxfer.training import processes

_ROOT = pathlib.Path(__file__).parents[2]
_VARIABLES = ('JAX_COORDINATOR_ADDRESS', 'JAX_NUM_PROCESSES', 'JAX_PROCESS_ID')


def _start(
    phantoms: pathlib.Path, workdir: Any, **environment: Any
) -> subprocess.Popen:
  """Starts a run whose last batch is smaller than the others."""
  keys = {
      'data.dir': phantoms,
      'data.phantom': 0,
      'data.image_size': '32,32',
      'model.init_from': 'random',
      'model.head_units': '16,16',
      'optimizer.name': 'momentum',
      'optimizer.learning_rate': 1e-3,
      'training.batch_size': 8,
      'training.epochs': 3,
      'training.patience': 0,
      'evaluation.batch_size': 8,
      'evaluation.resamples': 20,
  }
  return subprocess.Popen(
      [
          sys.executable,
          '-m',
          'medxfer.main',
          f'--workdir={workdir}',
          '--config=configs/ham.py:first_last,phantom,tiny',
          *(f'--config.{key}={value}' for key, value in keys.items()),
      ],
      cwd=_ROOT,
      env=os.environ | environment,
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
      text=True,
  )


def _start_two(phantoms: pathlib.Path, workdir: Any) -> list[subprocess.Popen]:
  with socket.socket() as free:
    free.bind(('localhost', 0))
    port = free.getsockname()[1]
  return [
      _start(
          phantoms,
          workdir,
          **dict(zip(_VARIABLES, (f'localhost:{port}', '2', str(i)))),
      )
      for i in range(2)
  ]


def _finish(*runs: Any) -> list[str]:
  said = [run.communicate(timeout=900) for run in runs]
  for run, (_, err) in zip(runs, said):
    assert run.returncode == 0, err
  return [out for out, _ in said]


@pytest.fixture(scope='module')
def alone(
    phantoms: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> Any:
  """The workdir of a run on one device in one process."""
  workdir = tmp_path_factory.mktemp('alone') / 'run'
  _finish(_start(phantoms, workdir))
  return workdir


def _assert_same(workdir: Any, alone: Any) -> None:
  """Parameters and losses to float32 rounding; every image scored once."""
  both = [
      contracts.flatten(checkpoints.export(w).params) for w in (workdir, alone)
  ]
  for name, value in both[1].items():
    np.testing.assert_allclose(both[0][name], value, atol=2e-6, err_msg=name)
  histories = [
      [
          json.loads(line)['train_loss']
          for line in (w / 'metrics.jsonl').read_text().splitlines()
      ]
      for w in (workdir, alone)
  ]
  np.testing.assert_allclose(*histories, rtol=1e-5)
  tables = [
      (w / 'predictions_test.csv').read_text().splitlines()
      for w in (workdir, alone)
  ]
  assert [line.split(',')[0] for line in tables[0]] == [
      line.split(',')[0] for line in tables[1]
  ]


@pytest.mark.slow
def test_four_devices_give_the_parameters_of_one(
    phantoms: pathlib.Path, tmp_path: pathlib.Path, alone: Any
) -> None:
  """A batch is cut over them; the last one, uneven, is padded."""
  _finish(
      _start(
          phantoms,
          tmp_path / 'run',
          XLA_FLAGS='--xla_force_host_platform_device_count=4',
      )
  )
  _assert_same(tmp_path / 'run', alone)


@pytest.mark.slow
def test_two_processes_give_the_parameters_of_one(
    phantoms: pathlib.Path, tmp_path: pathlib.Path, alone: Any
) -> None:
  """Each reads its slice; only the first speaks and writes."""
  out = _finish(*_start_two(phantoms, tmp_path / 'run'))
  assert '\n    3  ' in out[0] and 'epoch' not in out[1]
  _assert_same(tmp_path / 'run', alone)
  assert {p.name for p in (tmp_path / 'run').iterdir()} == {
      p.name for p in alone.iterdir()
  }


@pytest.mark.slow
def test_a_killed_process_ends_the_other_and_a_new_start_goes_on(
    phantoms: pathlib.Path, tmp_path: pathlib.Path, alone: Any
) -> None:
  """Nobody waits for ever for a process that is gone."""
  workdir = tmp_path / 'run'
  first, second = _start_two(phantoms, workdir)
  while not (workdir / 'checkpoints' / '1').exists():
    assert first.poll() is None, first.stderr.read()
    time.sleep(0.01)
  second.send_signal(signal.SIGKILL)
  _, err = first.communicate(timeout=300)
  assert first.returncode == 1
  assert err.count('error: another process of this run has ended') == 1
  assert 'Traceback' not in err
  out = _finish(*_start_two(phantoms, workdir))
  assert 'resumes after epoch' in out[0]
  _assert_same(workdir, alone)


def test_a_process_whose_fellows_never_come_says_so() -> None:
  """With a message and a status, not a stack trace after five minutes."""
  run = subprocess.run(
      [
          sys.executable,
          '-c',
          'from medxfer.training import processes\n'
          'with processes.together(2): pass',
      ],
      cwd=_ROOT,
      capture_output=True,
      text=True,
      timeout=120,
      env=os.environ | dict(zip(_VARIABLES, ('localhost:1', '2', '1'))),
  )
  assert run.returncode == 1
  assert 'error: the other processes of this job did not come' in run.stderr


def _together(**environment: Any) -> subprocess.Popen:
  return subprocess.Popen(
      [
          sys.executable,
          '-c',
          'import jax\n'
          'from medxfer.training import processes\n'
          'with processes.together():\n'
          '  print(jax.process_count(), flush=True)',
      ],
      cwd=_ROOT,
      env=os.environ | environment,
      stdin=subprocess.DEVNULL,
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
      text=True,
  )


@pytest.mark.slow
def test_processes_that_slurm_has_started_meet() -> None:
  """By its variables alone, as `srun` sets them; one that is left does not."""
  step = {
      'SLURM_JOB_ID': str(os.getpid()),
      'SLURM_STEP_ID': '0',
      'SLURM_STEP_NODELIST': 'localhost',
      'SLURM_STEP_NUM_TASKS': '2',
      'SLURM_NTASKS': '2',
  }
  ranks = [{'SLURM_PROCID': str(i), 'SLURM_LOCALID': str(i)} for i in range(2)]
  both = [_together(**step, **rank) for rank in ranks]
  first, second = _finish(*both)
  assert first.splitlines()[-1] == '2' and '2' not in second.splitlines()
  alone = _together(**step, **ranks[0])
  out, err = alone.communicate(timeout=60)
  assert (alone.returncode, out) == (0, '1\n')
  assert 'note: SLURM_STEP_NUM_TASKS=2 speaks of 2 processes' in err


@pytest.mark.parametrize(
    'values, message',
    [
        (('localhost:1', '2', ''), 'needs JAX_PROCESS_ID beside'),
        (('', '2', ''), 'needs JAX_COORDINATOR_ADDRESS, JAX_PROCESS_ID beside'),
        (('localhost:1', 'two', '0'), 'JAX_NUM_PROCESSES=two'),
    ],
)
def test_an_environment_that_says_half_is_refused(
    monkeypatch: pytest.MonkeyPatch, values: tuple, message: str
) -> None:
  """A run on one of eight machines would look like a run on all."""
  for name, value in zip(_VARIABLES, values):
    monkeypatch.setenv(name, value)
  with pytest.raises(errors.UsageError, match=message):
    with processes.together():
      pass


@pytest.mark.parametrize(
    'count, size, way',
    [(4, 30, '32 or 28'), (4, 3, 'give 4$'), (3, 32, '33 or 30')],
)
def test_a_batch_that_cannot_be_cut_evenly_is_refused(
    monkeypatch: pytest.MonkeyPatch, count: int, size: int, way: str
) -> None:
  """The message says which sizes can."""
  monkeypatch.setattr(jax, 'device_count', lambda: count)
  with pytest.raises(errors.UsageError, match=way):
    devices.check_batch_size('training.batch_size', size)
  devices.check_batch_size('training.batch_size', 2 * count)


def test_a_device_without_room_says_what_to_lower() -> None:
  """And by how much; nothing else that XLA raises is swallowed."""
  spec = specs.from_config(common.default())
  with pytest.raises(errors.DataError, match='training.batch_size=16'):
    with device_errors.explained(spec):
      raise jax.errors.JaxRuntimeError('RESOURCE_EXHAUSTED: 3 GiB')
  with pytest.raises(jax.errors.JaxRuntimeError, match='INTERNAL'):
    with device_errors.explained(spec):
      raise jax.errors.JaxRuntimeError('INTERNAL: what else')
