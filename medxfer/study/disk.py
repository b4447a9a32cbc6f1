"""What a study will keep on disk, said before it starts.

Without JAX: a process that only waits for its runs must not hold a device.
"""

from collections.abc import Iterable
from collections.abc import Sequence
import pathlib
import shutil
from typing import Any

from medxfer import baselines
from medxfer import cache
from medxfer import cache_upkeep
from medxfer import console
from medxfer import spec as specs
from medxfer.data import augment
from medxfer.data import datasets
from medxfer.model import architectures
from medxfer.model import operations
from medxfer.training import kept_features
from medxfer.training import strategy


def announce(
    networks: Sequence[specs.RunSpec],
    others: Iterable[specs.RunSpec],
    path: pathlib.Path,
) -> None:
  """Says how much networks and the cache may take, and what is free.

  Says nothing where no network is trained: trees take no room to speak of.

  Args:
    networks: the runs that keep their parameters.
    others: those that leave nothing but what frozen layers make.
    path: the study's folder.

  Raises:
    DataError: a data set is missing or wrong.
  """
  read: dict[Any, tuple[int, int]] = {}
  kept, features, where = 0, {}, None
  for number, spec in enumerate([*networks, *others]):
    if spec.model.name in baselines.NAMES:
      continue
    source = (spec.data.name, spec.data.dir, spec.data.phantom)
    if source not in read:
      examples = datasets.read(spec.data)
      read[source] = len(examples), len(examples.class_names)
    images, classes = read[source]
    where = cache.folder(spec.cache_dir)
    if number < len(networks):
      kept += _network(spec, classes)
    for stage in strategy.stages(spec):
      if not kept_features.obstacle(stage):
        views = images * augment.view_count(stage.augment)
        features[_prefix(stage)] = views * kept_features.bytes_of_view(stage)
  if not kept:
    return
  text = f'disk: up to {cache_upkeep.size(kept)} of networks in {path}'
  if where and features:
    text += (
        f', and {cache_upkeep.size(sum(features.values()))} of what frozen '
        f'layers make in {where}, which takes '
        f'{cache_upkeep.size(cache_upkeep.limit())} at most'
    )
  free = shutil.disk_usage(_existing(path.absolute())).free
  console.line(f'{text}; {cache_upkeep.size(free)} are free')


def _existing(path: pathlib.Path) -> pathlib.Path:
  return next(one for one in (path, *path.parents) if one.exists())


def _prefix(stage: specs.RunSpec) -> Any:
  """Returns what runs have in common that share what frozen layers make."""
  model = stage.model
  return (
      stage.data.name,
      stage.data.dir,
      stage.data.image_size,
      stage.augment,
      model.name,
      model.init_from,
      model.preprocessing,
      strategy.resolve(stage).entry,
      # Others draw their layers by the seed, or are trained by it.
      None if model.init_from == 'imagenet' else stage.seed,
  )


def _network(spec: specs.RunSpec, classes: int) -> int:
  """Returns the bytes of a network's parameters."""
  model = spec.model
  return 4 * operations.parameters(
      architectures.BY_NAME[model.name],
      spec.data.image_size,
      model.head_units,
      classes,
  )
