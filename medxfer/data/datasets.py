"""Data sets by name: where they lie, and their tables.

A new data set is a module with `read(folder, on_bad_image=...)`, a line in
`_READERS` and in `_ORIGINS`, and a configuration.
"""

from collections.abc import Callable
from collections.abc import Mapping
import os
import pathlib

from medxfer import cache
from medxfer import errors
from medxfer import paths
from medxfer import spec as specs
from medxfer import spec_rules
from medxfer.data import chest_xray
from medxfer.data import examples as examples_lib
from medxfer.data import folders
from medxfer.data import ham10000
from medxfer.data import phantom

ENVIRONMENT = 'MEDXFER_DATA'

_READERS: Mapping[str, Callable[..., examples_lib.Examples]] = {
    ham10000.NAME: ham10000.read,
    chest_xray.NAME: chest_xray.read,
    folders.NAME: folders.read,
}
# How public data is had.
_ORIGINS = {
    ham10000.NAME: '`python -m medxfer download --dataset=ham10000` fetches it',
    chest_xray.NAME: chest_xray.ORIGIN,
}


def read(spec: specs.DataSpec) -> examples_lib.Examples:
  """Reads the table of the data set that a specification names.

  Raises:
    DataError: the data set is missing or wrong.
    UsageError: too few phantom images are asked for.
  """
  options = {'on_bad_image': spec.on_bad_image}
  if spec.name == folders.NAME:
    options.update(
        sides=spec_rules.published_sides(spec.sides), levels=spec.levels)
  if spec.groups:
    options['groups'] = paths.read(spec.groups, '--config.data.groups')
  return _READERS[spec.name](folder(spec), **options)


def folder(spec: specs.DataSpec) -> pathlib.Path:
  """Returns the data set's folder; phantoms are painted at the first call.

  Raises:
    DataError: nothing says where the data set is.
    UsageError: too few phantom images are asked for.
  """
  if spec.phantom:
    return _phantoms(spec)
  if spec.dir:
    return paths.read(spec.dir, '--config.data.dir')
  if os.environ.get(ENVIRONMENT):
    return paths.read(os.environ[ENVIRONMENT], f'${ENVIRONMENT}') / spec.name
  raise errors.DataError(
      f'nothing says where {spec.name} is: give --config.data.dir=DIR, or set '
      f'{ENVIRONMENT} to the folder that holds {spec.name}/; '
      f'{_ORIGINS[spec.name]}, and the modifier `phantom` runs without it')


def _phantoms(spec: specs.DataSpec) -> pathlib.Path:
  kind = phantom.KINDS[spec.name]
  if spec.phantom < kind.smallest():
    raise errors.UsageError(
        f'data.phantom={spec.phantom} is too few for a split of the classes '
        f'of {spec.name}; give at least {kind.smallest()}')
  return phantom.cached(spec.name, cache.home(), images=spec.phantom)
