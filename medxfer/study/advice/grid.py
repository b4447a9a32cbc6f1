"""What an advice study may train: strategies, numbers of images, rates, seeds.

    ARM[-nIMAGES]-rateFACTOR-seedSEED

names a run: the strategy, the number of training images (all without one), the
factor of the recipe's learning rate, and the seed.
"""

from collections.abc import Iterator
from collections.abc import Mapping
import dataclasses
import functools
import math
from typing import Any

from medxfer import errors
from medxfer import spec as specs
from medxfer.study import plan
from medxfer.study import study_keys
from medxfer.training import costs

PREFIX = 'advice_'  # Of the name of such a study.
ADVICE = 'advice.json'  # What it has found, in its folder.
CONTROL = 'random'  # The arm that shows what pretrained weights bring.
EVERYTHING, LAST_BLOCK = 'all', 'last_block'
# The simplest rules: one strategy whatever the data.
RULES = (EVERYTHING, LAST_BLOCK)
# Macro F1 that a cheaper arm may lose on validation.
MARGIN = 0.01
# From these fractions of the resamples on, a choice is called so.
SURE, LIKELY = 0.8, 0.5
_FEWEST = 5  # Images of a class, on average.
# Sizes where none are asked for; those well below all images are taken.
_USUAL = (100, 250, 500, 1000, 2500)
_WELL_BELOW = 0.7
# Few images are few steps: an epoch goes through them several times.
_ONE_PASS_FROM = 2500
_MOST_PASSES = 3


@dataclasses.dataclass(frozen=True)
class Cell:
  """One run.

  Attributes:
    size: number of training images; 0 for all.
    arm: the strategy.
    rate: factor of the recipe's learning rate.
    seed: of the run.
  """

  size: int
  arm: str
  rate: float
  seed: int

  @property
  def name(self) -> str:
    """The name of its folder."""
    size = f'-n{self.size}' if self.size else ''
    return f'{self.arm}{size}-rate{self.rate:g}-seed{self.seed}'


@dataclasses.dataclass(frozen=True, eq=False)
class Grid:
  """All runs that a study may need.

  Attributes:
    name: of the study.
    title: one line for its readers.
    arms: strategies, in the order of the recipe.
    sizes: numbers of training images, ascending; the last is 0, all.
    rates: factors of the learning rate that are tried first, ascending.
    seeds: the first is that of the search for rates.
    images: how many there are.
    keys: of every run.
    changes: arm -> keys that make it what it is.
  """

  name: str
  title: str
  arms: tuple[str, ...]
  sizes: tuple[int, ...]
  rates: tuple[float, ...]
  seeds: tuple[int, ...]
  images: costs.Images
  keys: Mapping[str, Any]
  changes: Mapping[str, Mapping[str, Any]]

  def cells(self) -> Iterator[Cell]:
    """Yields every run, in an order that never changes."""
    for size in reversed(self.sizes):
      for arm in self.arms:
        for seed in self.seeds:
          for rate in (*self.rates, *self.further.values()):
            yield Cell(size, arm, rate, seed)

  @property
  def further(self) -> dict[float, float]:
    """The lowest and the highest rate -> the one beyond, a step further."""
    if len(self.rates) < 2:
      return {}
    low, second, *_ = self.rates
    *_, before, high = self.rates
    return {low: low**2 / second, high: high**2 / before}

  def count(self, size: int) -> int:
    """Returns about how many images train."""
    return size or self.images.train

  def spec(self, cell: Cell) -> specs.RunSpec:
    """Returns what a run does."""
    return _spec(self, cell)


@functools.lru_cache(maxsize=4096)
def _spec(grid: Grid, cell: Cell) -> specs.RunSpec:
  keys = plan.merged(grid.keys, grid.changes[cell.arm])
  rate = keys['optimizer']['learning_rate'] * cell.rate
  passes = keys['training']['passes'] * _passes(grid.count(cell.size))
  changes = {
      'seed': cell.seed,
      'data': {'train_images': cell.size},
      'optimizer': {'learning_rate': rate},
      'training': {'passes': passes},
  }
  return specs.from_config(plan.merged(keys, changes))


def first_specs(config: Mapping[str, Any]) -> list[specs.RunSpec]:
  """Returns a run of each arm, to be checked before any image is read.

  Raises:
    UsageError: a key has a value that is not allowed.
  """
  shared, study = _parted(config)
  return [
      specs.from_config(
          plan.merged(
              plan.merged(shared, study['changes'][arm]),
              {'seed': study_keys.seeds(study['seeds'])[0]},
          )
      )
      for arm in _arms(study)
      if study_keys.rates(study['rates'])
  ]


def of_config(config: Mapping[str, Any], images: costs.Images) -> Grid:
  """Returns what a configuration asks for (see `recipes/advice.py`).

  Args:
    config: as the recipe returns it.
    images: of the whole training subset.

  Raises:
    UsageError: a key has a value that is not allowed, such as a size above
      the data.
    DataError: there are too few images for any advice.
  """
  shared, study = _parted(config)
  return Grid(
      name=study['name'],
      title=study['title'],
      arms=_arms(study),
      sizes=_sizes(study['sizes'], images),
      rates=study_keys.rates(study['rates']),
      seeds=tuple(study_keys.seeds(study['seeds'])),
      images=images,
      keys=shared,
      changes=study['changes'],
  )


def _parted(
    config: Mapping[str, Any],
) -> tuple[dict[str, Any], Mapping[str, Any]]:
  shared = dict(config.items())
  return shared, shared.pop('study')


def _arms(study: Mapping[str, Any]) -> tuple[str, ...]:
  arms = tuple(study_keys.arms(study))
  if not set(arms).difference([CONTROL]):
    raise errors.UsageError(
        f'study.arms={study["arms"]!r} is not allowed: name a strategy besides '
        f'{CONTROL}, which shows what pretrained weights bring'
    )
  return arms


def _sizes(asked: Any, images: costs.Images) -> tuple[int, ...]:
  fewest = _FEWEST * images.classes
  if images.train < fewest:
    raise errors.DataError(
        f'{images.train} training images of {images.classes} classes: an '
        f'advice takes {fewest} or more, {_FEWEST} a class; add images'
    )
  if asked == '':
    return (
        *(
            size
            for size in _USUAL
            if fewest <= size <= _WELL_BELOW * images.train
        ),
        0,
    )
  sizes = tuple(filter(None, study_keys.sizes(asked)))
  for size in sizes:
    if size >= images.train:
      raise errors.UsageError(
          f'study.sizes={asked!r}: {size:,} images are asked for, and '
          f'{images.train:,} are there to train on; give fewer, or all'
      )
    if size < fewest:
      raise errors.UsageError(
          f'study.sizes={asked!r}: {size:,} images are too few for '
          f'{images.classes} classes; give {fewest} or more'
      )
  return (*sizes, 0)


def _passes(images: int) -> int:
  return min(max(round(math.sqrt(_ONE_PASS_FROM / images)), 1), _MOST_PASSES)
