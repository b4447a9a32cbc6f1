"""Columns of two settings that are alike but for one thing."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
import dataclasses
import itertools

from medxfer import spec as specs
from medxfer.report.read import finished_run
from medxfer.report.read import settings as settings_lib


@dataclasses.dataclass(frozen=True, eq=False)
class Place:
  """A column, and the setting of its table."""

  setting: settings_lib.Setting
  column: settings_lib.Column


def by_split(
    settings: Iterable[settings_lib.Setting],
) -> Iterator[tuple[Place, Place]]:
  """Yields (split by image, another split) of one specification."""
  yield from _pairs(
      settings,
      lambda spec: dataclasses.replace(
          spec, data=dataclasses.replace(spec.data, split='by_image')
      ),
      lambda spec: spec.data.split == 'by_image',
  )


def by_preprocessing(
    settings: Iterable[settings_lib.Setting],
) -> Iterator[tuple[Place, Place]]:
  """Yields ([-1, 1] pixels, caffe) of one specification; trees have none."""
  yield from _pairs(
      settings,
      lambda spec: dataclasses.replace(
          spec, model=dataclasses.replace(spec.model, preprocessing='tf')
      ),
      lambda spec: spec.model.preprocessing == 'tf',
  )


def _pairs(
    settings: Iterable[settings_lib.Setting],
    alike: Callable[[specs.RunSpec], specs.RunSpec],
    is_first: Callable[[specs.RunSpec], bool],
) -> Iterator[tuple[Place, Place]]:
  """Yields each pair once, though a tree is in several tables.

  Args:
    settings: in the order in which pairs are wanted.
    alike: takes the one thing out of a specification.
    is_first: whether a specification is the first of its pair.
  """
  places: dict[
      tuple[finished_run.Dataset, specs.RunSpec], dict[specs.RunSpec, Place]
  ] = {}
  for setting in settings:
    for column in setting.columns:
      identity = column.first.identity
      found = places.setdefault((setting.dataset, alike(identity)), {})
      found.setdefault(identity, Place(setting, column))
  for found in places.values():
    for (spec, first), (_, second) in itertools.permutations(found.items(), 2):
      if is_first(spec):
        yield first, second
