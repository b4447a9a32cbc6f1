"""Where the data set of a specification is, and its table of images."""

import os
import pathlib
from typing import Any

from medxfer import cache
from medxfer import errors
from medxfer import paths
from medxfer import spec as specs
from medxfer import spec_rules
from medxfer.data import examples as examples_lib
from medxfer.data import phantom
from medxfer.data import registry

ENVIRONMENT = 'MEDXFER_DATA'


def read(spec: specs.DataSpec) -> examples_lib.Examples:
  """Reads the table of the data set that a specification names.

  Raises:
    DataError: the data set is missing or wrong.
    UsageError: too few phantom images are asked for.
  """
  known = registry.get(spec.name)
  options: dict[str, Any] = {'on_bad_image': spec.on_bad_image}
  if known.user_folder:
    options.update(
        subsets=spec_rules.published_subsets(spec.subsets), levels=spec.levels
    )
  if spec.groups:
    options['groups'] = paths.read(spec.groups, '--config.data.groups')
  return known.read(folder(spec), **options)


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
  known = registry.get(spec.name)
  ways = [known.origin] if known.origin else []
  if known.phantom:
    ways.append('the modifier `phantom` runs without it')
  raise errors.DataError(
      f'the folder of {spec.name} is not known: give --config.data.dir=DIR, '
      f'or set {ENVIRONMENT} to the folder that holds {spec.name}/'
      + ''.join(f'; {way}' for way in ways)
  )


def _phantoms(spec: specs.DataSpec) -> pathlib.Path:
  kind = registry.get(spec.name).phantom
  smallest = phantom.KINDS[kind].smallest()
  if spec.phantom < smallest:
    raise errors.UsageError(
        f'data.phantom={spec.phantom} is too few for a split of the classes '
        f'of {spec.name}; give at least {smallest}'
    )
  return phantom.cached(kind, cache.home(), images=spec.phantom)
