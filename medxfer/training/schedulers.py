"""Whether a job scheduler has started this process together with others.

Slurm and Open MPI say in the environment of each process how many there are.
An interactive session (`salloc`, `srun --pty bash`, a notebook inside a job)
hands the same variables to whatever is started in it, where nobody else comes.
The others of a true start run at the same time: those on this machine can be
seen.
"""

from collections.abc import Callable
from collections.abc import Mapping
import dataclasses
import os
import re
import sys
import time

import psutil

from medxfer import console
from medxfer import errors

ALONE = 'JAX_NUM_PROCESSES=1'  # Takes precedence over all of this.
_LOOKS, _PAUSE = 3, 1.0  # Seconds, for those that are started a little later.


@dataclasses.dataclass(frozen=True)
class _Scheduler:
  """The variables of one scheduler.

  Attributes:
    count: how many processes were started together.
    rank: which of them a process is.
    job: variables that are the same in all of them, where they are set.
    near: tells from the environment whether another one of them must be on
      this machine.
    typed: variables of a process that a person has started in a terminal.
  """

  count: str
  rank: str
  job: tuple[str, ...]
  near: Callable[[Mapping[str, str]], bool]
  typed: tuple[str, ...] = ()


def _near_in_slurm(environ: Mapping[str, str]) -> bool:
  nodes = environ.get('SLURM_STEP_NUM_NODES', '')
  if not nodes and not re.search(
      r'[,\[]', environ.get('SLURM_STEP_NODELIST', '')
  ):
    nodes = '1'
  # Such as 2(x3),1: two on each of three machines, one on a fourth.
  tasks = re.findall(
      r'(?:^|,)(\d+)', environ.get('SLURM_STEP_TASKS_PER_NODE', '')
  )
  return nodes == '1' or bool(tasks) and min(map(int, tasks)) > 1


def _near_in_open_mpi(environ: Mapping[str, str]) -> bool:
  return environ.get('OMPI_COMM_WORLD_LOCAL_SIZE') != '1'


_SCHEDULERS = (
    _Scheduler(
        'SLURM_STEP_NUM_TASKS',
        'SLURM_PROCID',
        ('SLURM_JOB_ID', 'SLURM_STEP_ID'),
        _near_in_slurm,
        ('SLURM_PTY_PORT', 'SLURM_PTY_WIN_ROW'),
    ),
    _Scheduler(
        'OMPI_COMM_WORLD_SIZE',
        'OMPI_COMM_WORLD_RANK',
        ('PMIX_NAMESPACE', 'OMPI_MCA_orte_hnp_uri'),
        _near_in_open_mpi,
    ),
)


def together(environ: Mapping[str, str] = os.environ) -> str:
  """Returns what announces other processes; '' for a single process.

  Says so where a variable speaks of others who are not there.

  Args:
    environ: the environment.

  Raises:
    UsageError: a scheduler's number is none.
  """
  for scheduler in _SCHEDULERS:
    count = number(scheduler.count, environ.get(scheduler.count) or '1')
    if count < 2:
      continue
    named = f'{scheduler.count}={count}'
    if _is_one_of_several(scheduler, environ):
      return named
    console.note(
        f'{named} speaks of {count} processes, but the others do not run: '
        'this one works alone. An interactive session leaves such variables '
        f'behind (unset {scheduler.count}, or set {ALONE}); several processes '
        'that cannot see one another need $JAX_COORDINATOR_ADDRESS, '
        '$JAX_NUM_PROCESSES and $JAX_PROCESS_ID in each'
    )
  return ''


def number(name: str, value: str) -> int:
  """Returns a variable's number.

  Raises:
    UsageError: it is none.
  """
  if not value.isdecimal():
    raise errors.UsageError(f'{name}={value}: give a number, or unset it')
  return int(value)


def _is_one_of_several(
    scheduler: _Scheduler, environ: Mapping[str, str]
) -> bool:
  if not environ.get(scheduler.rank):
    return False
  near = scheduler.near(environ)
  for look in range(_LOOKS):
    if look:
      time.sleep(_PAUSE)
    if _has_fellow(scheduler, environ):
      return True
  typed = (
      any(environ.get(name) for name in scheduler.typed)
      or sys.stdin is not None
      and sys.stdin.isatty()
  )
  return not near and not typed


def _has_fellow(scheduler: _Scheduler, environ: Mapping[str, str]) -> bool:
  """Whether another process of the same job runs on this machine."""
  same = (scheduler.count, *scheduler.job)
  for process in psutil.process_iter():
    try:
      other = process.environ()
    except (psutil.Error, OSError):
      continue  # Another user's, or gone.
    if (
        all(other.get(name) == environ.get(name) for name in same)
        and other.get(scheduler.rank, environ[scheduler.rank])
        != environ[scheduler.rank]
    ):
      return True
  return False
