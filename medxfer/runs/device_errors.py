"""Explains errors of a device."""

from collections.abc import Iterator
import contextlib

import jax

from medxfer import errors
from medxfer import spec as specs
from medxfer.training import processes

_NO_ROOM = 'RESOURCE_EXHAUSTED'


@contextlib.contextmanager
def explained(spec: specs.RunSpec) -> Iterator[None]:
  """Turns errors of XLA into a message that says what to do.

  Args:
    spec: of the run inside.

  Raises:
    DataError: the device has no room, or another process has ended.
  """
  try:
    yield
  except errors.MedxferError:
    raise
  except (jax.errors.JaxRuntimeError, ValueError) as error:
    if _NO_ROOM in str(error):
      raise _no_room(error, spec) from error
    lost = processes.lost(error)
    if lost is None:
      raise
    raise lost from error


def _no_room(error: Exception, spec: specs.RunSpec) -> errors.DataError:
  half = max(1, spec.training.batch_size // 2)
  ways = [
      f'--config.training.batch_size={half}',
      f'--config.evaluation.batch_size='
      f'{max(1, spec.evaluation.batch_size // 2)}',
  ]
  if spec.data.cache == 'device':
    ways.append('--config.data.cache=host')
  first = str(error).splitlines()[0]
  return errors.DataError(
      f'the device has no room for the run ({first}); give a new --workdir '
      f'and half of what a step takes, {" and ".join(ways[:2])}'
      + (f', or keep the images off the device, {ways[2]}' * bool(ways[2:]))
  )
