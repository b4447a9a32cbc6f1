"""Data sets by name: where they lie, and their tables.

A new data set is a module with `read(folder, on_bad_image=...)`, a line in
`_READERS`, and a configuration.
"""

from collections.abc import Callable
from collections.abc import Mapping
import os
import pathlib

from medxfer import errors
from medxfer import spec as specs
from medxfer.data import examples as examples_lib
from medxfer.data import ham10000
from medxfer.data import phantom

ENVIRONMENT = 'MEDXFER_DATA'
_PHANTOM_SIZE = (150, 112)  # Width, height: HAM10000's proportions.

_READERS: Mapping[str, Callable[..., examples_lib.Examples]] = {
    ham10000.NAME: ham10000.read,
}


def read(spec: specs.DataSpec) -> examples_lib.Examples:
  """Reads the table of the data set that a specification names.

  Raises:
    DataError: the data set is missing or wrong.
    UsageError: too few phantom images are asked for.
  """
  return _READERS[spec.name](folder(spec), on_bad_image=spec.on_bad_image)


def folder(spec: specs.DataSpec) -> pathlib.Path:
  """Returns the data set's folder; phantoms are painted at the first call.

  Raises:
    DataError: nothing says where the data set is.
    UsageError: too few phantom images are asked for.
  """
  if spec.phantom:
    smallest = phantom.smallest_ham10000()
    if spec.phantom < smallest:
      raise errors.UsageError(
          f'data.phantom={spec.phantom} is too few for a split of seven '
          f'classes; give at least {smallest}')
    return phantom.cached_ham10000(
        cache_folder(), images=spec.phantom, seed=0, size=_PHANTOM_SIZE)
  if spec.dir:
    return pathlib.Path(spec.dir).expanduser()
  if os.environ.get(ENVIRONMENT):
    return pathlib.Path(os.environ[ENVIRONMENT]).expanduser() / spec.name
  raise errors.DataError(
      f'nothing says where {spec.name} is: give --config.data.dir=DIR, or set '
      f'{ENVIRONMENT} to the folder that holds {spec.name}/; '
      f'`python -m tools.download --dataset={spec.name}` fetches it, and the '
      'modifier `phantom` runs without it')


def cache_folder() -> pathlib.Path:
  """Returns $MEDXFER_CACHE, else medxfer/ in the user's cache folder."""
  if os.environ.get('MEDXFER_CACHE'):
    return pathlib.Path(os.environ['MEDXFER_CACHE']).expanduser()
  base = os.environ.get('XDG_CACHE_HOME') or '~/.cache'
  return pathlib.Path(base).expanduser() / 'medxfer'
