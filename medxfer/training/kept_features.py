"""Whether what frozen layers make of images is kept, and where."""

import dataclasses
import pathlib

from medxfer import cache_upkeep
from medxfer import spec as specs
from medxfer.data import augment
from medxfer.data import splits
from medxfer.model import architectures
from medxfer.model import operations
from medxfer.training import memory
from medxfer.training import strategy as strategies

_FRACTION = 0.5  # Of what is free.


@dataclasses.dataclass(frozen=True)
class Decision:
  """Whether to keep what the frozen layers compute, where, and why.

  Attributes:
    keep: whether to.
    reason: for a person.
    on_device: whether steps read them from the device, or from the host.
    on_disk: whether they are written where later runs find them.
    in_memory: whether they fit the host's memory.
  """

  keep: bool
  reason: str
  on_device: bool = False
  on_disk: bool = False
  in_memory: bool = False


def obstacle(stage: specs.RunSpec) -> str:
  """Returns why frozen layers compute in each step; '' if once is enough.

  Args:
    stage: one of `strategy.stages`, or a run of one stage.
  """
  strategy, views = strategies.resolve(stage), augment.view_count(stage.augment)
  if stage.training.feature_cache == 'off':
    return 'training.feature_cache is off'
  if strategy.entry is None:
    return f'{strategy.first} trains, nothing is frozen below it'
  if not augment.has_only_views(stage.augment):
    return (
        'augment.zoom and augment.brightness give an image countless '
        'versions; 0 switches them off'
    )
  if views > stage.training.epochs:
    return (
        f'{views} views per image in at most '
        f'{stage.training.epochs} epochs would save nothing'
    )
  return ''


def bytes_of_view(stage: specs.RunSpec) -> int:
  """Returns the bytes of what frozen layers make of one view of an image.

  Args:
    stage: one without an `obstacle`.
  """
  values = operations.activations(
      architectures.BY_NAME[stage.model.name], stage.data.image_size
  )
  width = 2 if stage.model.dtype == 'bfloat16' else 4
  return values[f'{strategies.resolve(stage).entry}'] * width


def decide(
    stage: specs.RunSpec, split: splits.Split, where: pathlib.Path | None = None
) -> Decision:
  """Weighs work, memory and disk.

  Args:
    stage: one of `strategy.stages`, or a run of one stage.
    split: its rows by subset.
    where: folder of the cache; None if nothing is to be left on disk.
  """
  why_not = obstacle(stage)
  if why_not:
    return Decision(False, why_not)
  views, each = augment.view_count(stage.augment), bytes_of_view(stage)
  need = (len(split.train) * views + len(split.val) + len(split.test)) * each
  size = f'{need / 2**20:,.0f} MiB'
  # The device's room, if it has its own; else the host's; a disk.
  own = memory.on_device()
  on_device = own is not None and need <= own * _FRACTION
  in_memory = need <= memory.in_memory() * _FRACTION
  # On disk every image has a place, so that another split finds its own. A
  # device with memory of its own makes them faster than a disk reads them.
  on_disk = (
      where is not None
      and not on_device
      and (own is None or not in_memory)
      and len(split) * views * each
      <= min(memory.on_disk(where) * _FRACTION, cache_upkeep.limit())
  )
  if not (on_device or in_memory or on_disk):
    return Decision(
        False,
        f'{size} are more than half of the free memory'
        + (f', and more than {where} may take' if where else ''),
    )
  host = f'on disk in {where}' if on_disk else 'in memory'
  place = 'on the device' if on_device else host
  return Decision(
      True,
      f'{strategies.resolve(stage).entry} of {views} views per image, {size}, '
      f'{place}',
      on_device,
      on_disk,
      in_memory,
  )
