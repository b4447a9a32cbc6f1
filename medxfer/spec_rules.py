"""What the values of a specification must satisfy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from medxfer import typed
from medxfer.data import registry
from medxfer.model import architectures

if TYPE_CHECKING:
  from medxfer import spec as specs

# Classifiers of pixels, which have no layers.
TREES = ('decision_tree', 'random_forest')


def check(spec: specs.RunSpec) -> None:
  """Checks ranges, and what one key demands of another.

  Raises:
    UsageError: names the key, its value and what is allowed.
  """
  positive = {
      'baseline.trees': spec.baseline.trees,
      'training.batch_size': spec.training.batch_size,
      'training.epochs': spec.training.epochs,
      'training.passes': spec.training.passes,
      'evaluation.batch_size': spec.evaluation.batch_size,
      'evaluation.resamples': spec.evaluation.resamples,
      'optimizer.learning_rate': spec.optimizer.learning_rate,
      'optimizer.backbone_factor': spec.optimizer.backbone_factor,
      'optimizer.layer_decay': spec.optimizer.layer_decay,
      'model.head_units': min(spec.model.head_units),
  }
  for key, value in positive.items():
    typed.require(value > 0, key, value, 'a value above 0')
  at_least_zero = {
      'seed': spec.seed,
      'data.phantom': spec.data.phantom,
      'data.limit': spec.data.limit,
      'data.train_images': spec.data.train_images,
      'training.patience': spec.training.patience,
      'optimizer.weight_decay': spec.optimizer.weight_decay,
      'optimizer.gradient_clip': spec.optimizer.gradient_clip,
      'evaluation.reference_images': spec.evaluation.reference_images,
  }
  for key, value in at_least_zero.items():
    typed.require(value >= 0, key, value, '0 or more')
  fractions = {
      'augment.zoom': spec.augment.zoom,
      'augment.brightness': spec.augment.brightness,
      'model.dropout': spec.model.dropout,
      'optimizer.momentum': spec.optimizer.momentum,
      'training.label_smoothing': spec.training.label_smoothing,
  }
  for key, value in fractions.items():
    typed.require(0 <= value < 1, key, value, 'a share in [0, 1)')
  typed.require(
      not spec.data.planted_mark
      or (spec.model.name not in TREES and spec.data.cache != 'none'),
      'data.planted_mark',
      spec.data.planted_mark,
      "'' with a tree, and with data.cache=none",
  )
  _check_data(spec.data)
  _check_model(spec.model, spec.data.image_size)
  height, width = spec.data.image_size
  typed.require(
      height == width or not spec.augment.quarter_turns,
      'augment.quarter_turns',
      True,
      'False, or a square data.image_size',
  )


def value_range(text: str) -> tuple[float, float] | None:
  """Returns the numbers of `data.value_range`; None of ''.

  Raises:
    UsageError: it is no pair of numbers that rise.
  """
  if not text.strip():
    return None
  try:
    low, high = map(float, text.split(','))
  except ValueError:
    low = high = math.nan
  typed.require(
      math.isfinite(high - low) and low < high,
      'data.value_range',
      text,
      "the values of black and white, such as '0,4095', or '' to find them",
  )
  return low, high


def published_subsets(text: str) -> dict[str, str]:
  """Returns folder -> subset of `data.subsets`, such as 'train=A,test=B'.

  Raises:
    UsageError: a subset or a folder is named twice, or the text says neither.
  """
  pairs = [
      [part.strip() for part in pair.split('=')]
      for pair in text.split(',')
      if text
  ]
  typed.require(
      all(
          len(pair) == 2 and pair[0] in ('train', 'val', 'test') and pair[1]
          for pair in pairs
      ),
      'data.subsets',
      text,
      "folders of train, val and test, such as 'train=Learning,test=Exam'",
  )
  found = {folder.strip('/'): subset for subset, folder in pairs}
  subsets = [subset for subset, _ in pairs]
  for names in (subsets, [folder.strip('/') for _, folder in pairs]):
    typed.require(
        len(set(names)) == len(names),
        'data.subsets',
        text,
        'each subset and each folder once',
    )
  return found


def _check_model(model: specs.ModelSpec, image_size: tuple[int, int]) -> None:
  known = (*architectures.BY_NAME, *TREES)
  typed.require(
      model.name in known,
      'model.name',
      model.name,
      f'one of {", ".join(known)}',
  )
  typed.require(
      model.init_from.strip(),
      'model.init_from',
      '',
      'imagenet, random, or the workdir of a finished run',
  )
  for key, value, default in (
      ('transferred', model.transferred, 'all'),
      ('inherit', model.inherit, 'weights'),
  ):
    typed.require(
        value == default or model.init_from != 'random',
        f'model.{key}',
        value,
        f'{default}, or a model.init_from that is not random',
    )
  architecture = architectures.BY_NAME.get(
      model.name, architectures.BY_NAME['vgg16']
  )
  smallest = architecture.smallest_side
  typed.require(
      min(image_size) >= smallest,
      'data.image_size',
      image_size,
      f'sides of at least {smallest} pixels: {architecture.title} halves them '
      f'{len(architecture.blocks)} times',
  )


def _check_data(data: specs.DataSpec) -> None:
  value_range(data.value_range)
  typed.require(
      data.split_seed >= -1,
      'data.split_seed',
      data.split_seed,
      '0 or more, or -1 for the seed of the run',
  )
  typed.require(
      data.name in registry.NAMES,
      'data.name',
      data.name,
      f'one of {", ".join(registry.NAMES)}',
  )
  known = registry.get(data.name)
  typed.require(
      known.phantom or not data.phantom,
      'data.phantom',
      data.phantom,
      f'0: there are no phantoms of {data.name}',
  )
  if known.user_folder:
    typed.require(
        data.dir, 'data.dir', data.dir, 'a folder that holds a folder per class'
    )
    published_subsets(data.subsets)
  else:
    typed.require(
        not data.subsets,
        'data.subsets',
        data.subsets,
        f"'': {data.name} says itself how it was published",
    )
    typed.require(
        not data.groups,
        'data.groups',
        data.groups,
        f"'': {data.name} says itself what belongs together",
    )
  typed.require(
      not (data.phantom and data.dir),
      'data.dir',
      data.dir,
      "'' with phantom images, which lie elsewhere",
  )
  _check_split(data, known)


def _check_split(data: specs.DataSpec, known: registry.Dataset) -> None:
  dealt = data.split in ('by_image', 'grouped')
  typed.require(
      data.folds >= 3 and (dealt or data.folds == 5),
      'data.folds',
      data.folds,
      '3 or more' if dealt else f'5 with data.split={data.split}',
  )
  typed.require(
      0 <= data.fold < data.folds and (dealt or not data.fold),
      'data.fold',
      data.fold,
      f'0 to {data.folds - 1}' if dealt else f'0 with data.split={data.split}',
  )
  typed.require(
      bool(data.test_source) == (data.split == 'source'),
      'data.test_source',
      data.test_source,
      'the source that tests (any other name lists the sources)'
      if data.split == 'source'
      else f"'' with data.split={data.split}; data.split=source tests on it",
  )
  typed.require(
      known.published_split or not data.split.startswith('official'),
      'data.split',
      data.split,
      f'by_image or grouped: {known.title} was published unsplit',
  )
