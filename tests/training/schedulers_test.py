"""Protects single processes from what a job scheduler has left behind."""

from collections.abc import Callable
from collections.abc import Iterator
import os
import pathlib
import subprocess
import sys
import time
from typing import Any

import pytest

from medxfer import errors
from medxfer.training import processes
from medxfer.training import schedulers

_SLURM = {
    'SLURM_JOB_ID': '4077',
    'SLURM_STEP_ID': '0',
    'SLURM_STEP_NODELIST': '127.0.0.1',
    'SLURM_STEP_NUM_TASKS': '4',
    'SLURM_NTASKS': '4',
    'SLURM_PROCID': '0',
    'SLURM_LOCALID': '0',
}
_MPI = {
    'OMPI_COMM_WORLD_SIZE': '2',
    'OMPI_COMM_WORLD_RANK': '0',
    'OMPI_COMM_WORLD_LOCAL_RANK': '0',
}
_APART = {
    **_SLURM,
    'SLURM_STEP_NUM_NODES': '4',
    'SLURM_STEP_NODELIST': 'node[1-4]',
    'SLURM_STEP_TASKS_PER_NODE': '1(x4)',
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
  monkeypatch.setattr(schedulers, '_PAUSE', 0.01)
  monkeypatch.setattr(sys, 'stdin', None)


@pytest.fixture(name='fellow')
def _fellow() -> Iterator[Callable[..., Any]]:
  """Starts another process with variables of its own, and ends it."""
  started = []

  def start(environ: dict) -> None:
    started.append(
        subprocess.Popen(
            ['sleep', '60'], env={'PATH': os.environ['PATH'], **environ}
        )
    )
    # Its variables are to be seen once it has become `sleep`.
    comm = pathlib.Path('/proc', str(started[-1].pid), 'comm')
    while comm.read_text().strip() != 'sleep':
      time.sleep(0.001)

  yield start
  for process in started:
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    'environ, variable',
    [
        (_SLURM, 'SLURM_STEP_NUM_TASKS=4'),
        (_MPI, 'OMPI_COMM_WORLD_SIZE=2'),
        ({**_APART, 'SLURM_PTY_PORT': '1'}, 'SLURM_STEP_NUM_TASKS=4'),
        ({**_APART, 'SLURM_STEP_TASKS_PER_NODE': '2(x2)'}, 'NUM_TASKS=4'),
        ({'SLURM_STEP_NUM_TASKS': '8'}, 'SLURM_STEP_NUM_TASKS=8'),
        (
            {**_SLURM, 'SLURM_STEP_NUM_TASKS': '2', 'OMPI_COMM_WORLD_SIZE': ''},
            'SLURM_STEP_NUM_TASKS=2',
        ),
    ],
)
def test_variables_without_processes_are_said_and_left(
    environ: dict, variable: str, capsys: pytest.CaptureFixture[str]
) -> None:
  """At once: nobody else will come."""
  assert schedulers.together(environ) == ''
  said = capsys.readouterr().err
  assert variable in said and schedulers.ALONE in said and 'unset' in said


@pytest.mark.parametrize(
    'environ',
    [
        {},
        {'SLURM_JOB_ID': '1', 'SLURM_NTASKS': '4', 'SLURM_PROCID': '0'},
        {**_SLURM, 'SLURM_STEP_NUM_TASKS': '1'},
        {'PMI_SIZE': '4', 'PMI_RANK': '0'},
    ],
)
def test_a_job_or_a_step_of_one_says_nothing(
    environ: dict, capsys: pytest.CaptureFixture[str]
) -> None:
  """An allocation of four tasks is not four processes."""
  assert schedulers.together(environ) == ''
  assert capsys.readouterr().err == ''


@pytest.mark.parametrize(
    'environ, rank', [(_SLURM, 'SLURM_PROCID'), (_MPI, 'OMPI_COMM_WORLD_RANK')]
)
def test_a_fellow_on_this_machine_is_seen(
    fellow: Callable[..., Any], environ: dict, rank: str
) -> None:
  """A true start of several has its others at hand."""
  fellow({**environ, rank: '1'})
  assert schedulers.together(environ).endswith(
      environ.get('SLURM_STEP_NUM_TASKS', '2')
  )


@pytest.mark.parametrize(
    'changes',
    [
        {},
        {'SLURM_STEP_ID': '1', 'SLURM_PROCID': '1'},
        {'SLURM_JOB_ID': '4078', 'SLURM_PROCID': '1'},
    ],
)
def test_a_child_or_another_start_is_no_fellow(
    fellow: Callable[..., Any], changes: dict
) -> None:
  """A shell in a step, or the step beside it, joins nothing."""
  fellow({**_SLURM, **changes})
  assert schedulers.together(_SLURM) == ''


def test_processes_on_other_machines_are_waited_for() -> None:
  """They cannot be seen: Slurm's word is all there is."""
  assert schedulers.together(_APART) == 'SLURM_STEP_NUM_TASKS=4'


def test_a_number_that_is_none_is_named() -> None:
  """With the variable, not a traceback."""
  with pytest.raises(errors.UsageError, match='SLURM_STEP_NUM_TASKS=four'):
    schedulers.together({'SLURM_STEP_NUM_TASKS': 'four'})


def test_one_process_is_what_the_variable_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
  """The way out of every message, whatever else is set."""
  for name, value in (_APART | _MPI | {'JAX_NUM_PROCESSES': '1'}).items():
    monkeypatch.setenv(name, value)
  with processes.together(0.0):
    pass
  assert capsys.readouterr().err == ''
