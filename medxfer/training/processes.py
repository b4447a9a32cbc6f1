"""More than one process, as job schedulers start them.

Slurm (`srun`) and Open MPI (`mpirun`) say in the environment how many there
are, and JAX finds each other by that. Elsewhere every process is given three
variables: $JAX_COORDINATOR_ADDRESS (HOST:PORT of the first), $JAX_NUM_PROCESSES
and $JAX_PROCESS_ID.
"""

from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import os
import sys
import threading
from typing import Any

import jax
from jax.experimental import multihost_utils

from medxfer import errors
from medxfer import launcher

_VARIABLES = ('JAX_COORDINATOR_ADDRESS', 'JAX_NUM_PROCESSES', 'JAX_PROCESS_ID')
# How many processes a scheduler has started together, with this one.
_SCHEDULERS = ('SLURM_STEP_NUM_TASKS', 'OMPI_COMM_WORLD_SIZE')
_PATIENCE = 300.0  # Seconds until the last one has to be there.


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
  given = _given()
  if given is None:
    yield
    return
  _meet(given, patience)
  try:
    yield
  except BaseException as error:  # pylint: disable=broad-exception-caught
    _leave(error)


def is_of_a_device(error: Exception) -> bool:
  """Tells whether a device or the line to another process has failed."""
  # Between CPUs, JAX hands on what Gloo says as a ValueError.
  return (isinstance(error, jax.errors.JaxRuntimeError)
          or isinstance(error, ValueError) and 'Gloo' in str(error))


def lost(error: Exception) -> errors.DataError | None:
  """Returns what a failure among several processes means, if it is one."""
  if jax.process_count() == 1 or not is_of_a_device(error):
    return None
  return errors.DataError(
      'another process of this run has ended or cannot be reached '
      f'({str(error).splitlines()[0]}); start all of them again: the run goes '
      'on after its last epoch')


def _meet(given: Mapping[str, Any], patience: float) -> None:
  # JAX itself would end the process with a stack trace.
  alarm = threading.Timer(patience, _leave, (errors.DataError(
      f'the other processes of this job did not come within {patience:.0f} s; '
      'look at what they say, and start all of them together'),))
  alarm.start()
  try:
    jax.distributed.initialize(
        **given, initialization_timeout=int(patience) + 60)
    # Lines between CPUs are laid at their first use, within 30 seconds: now,
    # while no process has anything to compile.
    multihost_utils.sync_global_devices('met')
  except (RuntimeError, TypeError, ValueError) as error:
    raise errors.UsageError(
        f'the processes of this job cannot meet ({error}); set '
        f'{", ".join(_VARIABLES)} in each of them') from error
  finally:
    alarm.cancel()
  if jax.process_index():
    sys.stdout = open(os.devnull, 'w', encoding='utf-8')


def _leave(error: BaseException) -> None:
  status = launcher.report(error)
  sys.stdout.flush()
  os._exit(status)


def _given() -> dict[str, Any] | None:
  """Returns the arguments for JAX; None if this process is alone."""
  values = {name: os.environ.get(name, '') for name in _VARIABLES}
  if not any(values.values()):
    several = any(_number(name, os.environ.get(name, '1')) > 1
                  for name in _SCHEDULERS)
    return {} if several else None
  missing = [name for name, value in values.items() if not value]
  if missing:
    given = [name for name in values if values[name]]
    raise errors.UsageError(
        f'{", ".join(given)} needs {", ".join(missing)} beside it: set all '
        'three for several processes, none for one')
  address, count, process = values.values()
  return {
      'coordinator_address': address,
      'num_processes': _number(_VARIABLES[1], count),
      'process_id': _number(_VARIABLES[2], process),
  }


def _number(name: str, value: str) -> int:
  if not value.isdecimal():
    raise errors.UsageError(f'{name}={value}: give a number')
  return int(value)
