"""Runs of several processes, as job schedulers start them.

Slurm (`srun`) and Open MPI (`mpirun`) say in the environment how many there
are, and JAX finds each other by that. Elsewhere every process is given three
variables: $JAX_COORDINATOR_ADDRESS (HOST:PORT of the first), $JAX_NUM_PROCESSES
and $JAX_PROCESS_ID. $JAX_NUM_PROCESSES=1 alone says that there is no other.
"""

from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import dataclasses
import os
import sys
import threading
from typing import Any

import jax
from jax.experimental import multihost_utils

from medxfer import console
from medxfer import errors
from medxfer import launcher
from medxfer.training import schedulers

_VARIABLES = ('JAX_COORDINATOR_ADDRESS', 'JAX_NUM_PROCESSES', 'JAX_PROCESS_ID')
# Seconds until the last one has to be there: those that a scheduler starts
# are started at the same moment.
_PATIENCE, _SCHEDULED = 300.0, 120.0


@dataclasses.dataclass(frozen=True)
class _Job:
  """What announces the other processes.

  Attributes:
    named: the variable and its value.
    given: arguments for JAX; none if it finds them itself.
    patience: seconds to wait for them.
  """

  named: str
  given: Mapping[str, Any]
  patience: float


@contextlib.contextmanager
def together(patience: float = _PATIENCE) -> Iterator[None]:
  """Works with the other processes, if the environment says there are any.

  The first process alone speaks on standard output. An error of one of
  several ends it at once, as `launcher` would but without taking leave of
  the others, who wait for something else. The same holds if they do not come.

  Args:
    patience: seconds to wait for them.

  Raises:
    UsageError: the environment is incomplete or contradicts itself.
  """
  job = _job(patience)
  if job is None:
    yield
    return
  _meet(job)
  try:
    yield
  except BaseException as error:
    _leave(error)


def is_of_a_device(error: Exception) -> bool:
  """Whether a device or the connection to another process has failed."""
  # Between CPUs, JAX hands on what Gloo says as a ValueError.
  return (
      isinstance(error, jax.errors.JaxRuntimeError)
      or isinstance(error, ValueError)
      and 'Gloo' in str(error)
  )


def lost(error: Exception) -> errors.DataError | None:
  """Returns what a failure among several processes means, if it is one."""
  if jax.process_count() == 1 or not is_of_a_device(error):
    return None
  return errors.DataError(
      'another process of this run has ended or cannot be reached '
      f'({str(error).splitlines()[0]}); start all of them again: the run goes '
      'on after its last epoch'
  )


def _meet(job: _Job) -> None:
  way_out = f'{schedulers.ALONE} runs this one alone'
  console.note(
      f'{job.named} says that there are other processes: waiting up to '
      f'{job.patience:.0f} s for them; {way_out}'
  )
  # JAX itself would end the process with a stack trace.
  alarm = threading.Timer(
      job.patience,
      _leave,
      (
          errors.DataError(
              f'the other processes of this job did not come within '
              f'{job.patience:.0f} s ({job.named}); look at what they say, '
              f'and start all of them together, or {way_out}'
          ),
      ),
  )
  alarm.start()
  try:
    jax.distributed.initialize(
        **job.given, initialization_timeout=int(job.patience) + 60
    )
    # Lines between CPUs are laid at their first use, within 30 seconds: now,
    # while no process has anything to compile.
    multihost_utils.sync_global_devices('met')
  except (RuntimeError, TypeError, ValueError) as error:
    raise errors.UsageError(
        f'{job.named} says that there are other processes, but they cannot '
        f'meet ({error}); set {", ".join(_VARIABLES)} in each of them, or '
        f'{way_out}'
    ) from error
  finally:
    alarm.cancel()
  if jax.process_index():
    sys.stdout = open(os.devnull, 'w', encoding='utf-8')


def _leave(error: BaseException) -> None:
  status = launcher.report(error)
  sys.stdout.flush()
  os._exit(status)


def _job(patience: float) -> _Job | None:
  """Returns what announces other processes; None for a single process."""
  values = {name: os.environ.get(name, '') for name in _VARIABLES}
  if values[_VARIABLES[1]].strip() == '1':
    return None
  if not any(values.values()):
    named = schedulers.together()
    return _Job(named, {}, min(patience, _SCHEDULED)) if named else None
  missing = [name for name, value in values.items() if not value]
  if missing:
    given = [name for name in values if values[name]]
    raise errors.UsageError(
        f'{", ".join(given)} needs {", ".join(missing)} beside it: set all '
        f'three for several processes, none or {schedulers.ALONE} for one'
    )
  address, count, process = values.values()
  return _Job(
      f'{_VARIABLES[1]}={count}',
      {
          'coordinator_address': address,
          'num_processes': schedulers.number(_VARIABLES[1], count),
          'process_id': schedulers.number(_VARIABLES[2], process),
      },
      patience,
  )
