"""The specification of a run: frozen, hashable, validated once.

`from_config` is the only reader of configuration keys. Everything after it
takes one of these dataclasses, so a misspelt key cannot survive the launcher
and two equal specifications are equal values.
"""

from collections.abc import Mapping
import dataclasses
import math
import types
from typing import Any
from typing import Literal

from medxfer import spec_rules
from medxfer import typed

ClassWeights = tuple[tuple[str, float], ...]
# A class of n images weighs n to the minus this power: balanced classes weigh
# all the same in an epoch's loss, sqrt_balanced is halfway there.
CLASS_WEIGHT_POWERS = types.MappingProxyType(
    {'balanced': 1.0, 'sqrt_balanced': 0.5}
)
# Key of version 0.1 -> its name today.
RENAMED_KEYS: Mapping[str, str] = types.MappingProxyType(
    {
        'data.sides': 'data.subsets',
        'training.prefix_cache': 'training.feature_cache',
    }
)
# Key -> value of version 0.1 -> its name today.
RENAMED: Mapping[str, Mapping[str, str]] = types.MappingProxyType(
    {
        'data.split': {'thesis': 'by_image'},
        'model.preprocessing': {'thesis': 'tf'},
    }
)


@dataclasses.dataclass(frozen=True)
class DataSpec:
  """Which images, how large, and who stands in which subset."""

  name: str  # See `medxfer.data.registry`.
  dir: str  # '' is $MEDXFER_DATA/<name>.
  groups: str  # CSV file `image,group` beside a class folder; '' is none.
  phantom: int  # Number of procedural images; 0 means the real ones.
  image_size: tuple[int, int]  # (height, width) in pixels.
  # `auto`: as published where the folder holds subsets, else by image;
  # `official_grouped`: test as published, validation cut by group.
  split: Literal[
      'auto', 'by_image', 'grouped', 'official', 'official_grouped', 'source'
  ]
  on_bad_image: Literal['fail', 'skip']
  cache: Literal['device', 'host', 'none']
  # Train and validate on so many images; 0 is all. Older runs lack this key
  # and those below it; their defaults are what those runs did.
  limit: int = dataclasses.field(default=0, kw_only=True)
  copies: Literal['group', 'drop', 'keep'] = dataclasses.field(
      default='keep', kw_only=True
  )  # See `medxfer.data.copies`.
  # Names of the published subsets: 'train=Learning,test=Exam'; '' knows usual
  # ones.
  subsets: str = dataclasses.field(default='', kw_only=True)
  # What the folders of a tree mean, subsets aside; see `data.layouts`.
  levels: Literal[
      'auto',
      'class',
      'class/group',
      'group/class',
      'source/class',
      'source/class/group',
      'source/group/class',
      'class/source',
      'class/source/group',
  ] = dataclasses.field(default='class', kw_only=True)
  # Darkest and brightest value of deep grey images: '0,4095'; '' finds it.
  value_range: str = dataclasses.field(default='', kw_only=True)
  # Into how many folds images are dealt, and which of them tests.
  folds: int = dataclasses.field(default=5, kw_only=True)
  fold: int = dataclasses.field(default=0, kw_only=True)
  # The source (clinic) that tests, with `split='source'`; else ''.
  test_source: str = dataclasses.field(default='', kw_only=True)
  # See `medxfer.data.fewer_images`, `split_seed` and `planted_mark`.
  train_images: int = dataclasses.field(default=0, kw_only=True)
  split_seed: int = dataclasses.field(default=-1, kw_only=True)
  planted_mark: str = dataclasses.field(default='', kw_only=True)


@dataclasses.dataclass(frozen=True)
class AugmentSpec:
  """Random changes of training images; each off at False or 0."""

  horizontal_flip: bool
  vertical_flip: bool
  quarter_turns: bool
  zoom: float  # Largest relative change of scale, in [0, 1).
  brightness: float  # Largest relative change of brightness, in [0, 1).


@dataclasses.dataclass(frozen=True)
class ModelSpec:
  """What classifies; where the network starts, which of its layers move."""

  name: str  # An architecture (`model.architectures`), or a tree.
  init_from: str  # 'imagenet', 'random', or the workdir of a finished run.
  weights: str  # File of the ImageNet weights; '' looks in the usual places.
  preprocessing: Literal['tf', 'caffe', 'rescale']
  trainable: str  # See `medxfer.model.trainable`.
  head_units: tuple[int, int]
  dropout: float
  initializer: Literal['glorot_uniform', 'he_normal']  # Of random kernels.
  dtype: Literal['float32', 'tf32', 'bfloat16']  # Of the computation.
  # Which convolutions start from `init_from`, as `trainable` names them; the
  # others are drawn. Runs made before there was a choice lack both keys.
  transferred: str = dataclasses.field(default='all', kw_only=True)
  # Their weights, or draws of the same mean and variance, layer by layer.
  inherit: Literal['weights', 'statistics'] = dataclasses.field(
      default='weights', kw_only=True
  )


@dataclasses.dataclass(frozen=True)
class BaselineSpec:
  """What decision trees and random forests see; see `medxfer.baselines`."""

  pixels: Literal['raw', 'normalized', 'rescaled']
  trees: int  # Of a random forest.


@dataclasses.dataclass(frozen=True)
class OptimizerSpec:
  """Update rule and learning rate."""

  name: Literal['sgd', 'momentum', 'adam', 'adamw']
  learning_rate: float
  backbone_factor: float  # Of the learning rate of convolutions.
  momentum: float
  weight_decay: float
  schedule: Literal['constant', 'cosine']
  gradient_clip: float  # Largest global norm of the gradient; 0 is off.
  layer_decay: float = dataclasses.field(default=1.0, kw_only=True)
  # See `medxfer.model.relative_gradient`.
  relative_gradient: bool = dataclasses.field(default=False, kw_only=True)


@dataclasses.dataclass(frozen=True)
class TrainingSpec:
  """The loss and how long to minimise it."""

  batch_size: int
  epochs: int
  monitor: Literal['accuracy', 'f1_macro', 'loss']  # Of the best epoch.
  patience: int  # Epochs without a better one; 0 is never.
  class_weights: Literal['none', 'balanced', 'sqrt_balanced'] | ClassWeights
  label_smoothing: float
  feature_cache: Literal['auto', 'off']  # See `training.feature_cache`.
  # See `training.strategy.stages`; '' is one stage.
  stages: str = dataclasses.field(default='', kw_only=True)
  passes: int = dataclasses.field(default=1, kw_only=True)


@dataclasses.dataclass(frozen=True)
class EvaluationSpec:
  """How the numbers are computed."""

  batch_size: int
  resamples: int  # Draws for tests and for the interval of calibration.
  # The positive class of two; '' chooses. See
  # `medxfer.evaluation.positive_class`.
  positive: str = dataclasses.field(default='', kw_only=True)
  # See `medxfer.evaluation.operating_points`.
  at: str = dataclasses.field(default='', kw_only=True)
  prevalence: str = dataclasses.field(default='', kw_only=True)
  # Columns of the table; see `medxfer.runs.subgroups`.
  subgroups: str = dataclasses.field(default='none', kw_only=True)
  # See `medxfer.evaluation.recalibration`; older runs have none.
  calibration: Literal['none', 'temperature', 'bias_corrected', 'auto'] = (
      dataclasses.field(default='none', kw_only=True)
  )
  # Whether views are averaged (`data.augment`); see `evaluation.neighbours`.
  test_time_views: bool = dataclasses.field(default=False, kw_only=True)
  reference_images: int = dataclasses.field(default=0, kw_only=True)


@dataclasses.dataclass(frozen=True)
class RunSpec:
  """Everything that decides the result of a run."""

  arm: str
  modifiers: tuple[str, ...]
  seed: int
  # Runs made before there were these lack them. See `devices.repeatable`,
  deterministic: bool = dataclasses.field(default=True, kw_only=True)
  # and `medxfer.cache.folder`.
  cache_dir: str = dataclasses.field(default='', kw_only=True)
  data: DataSpec
  augment: AugmentSpec
  model: ModelSpec
  baseline: BaselineSpec
  optimizer: OptimizerSpec
  training: TrainingSpec
  evaluation: EvaluationSpec

  def to_json(self) -> dict[str, Any]:
    """Returns the specification as nested dicts, lists, strings, numbers."""
    return _plain(dataclasses.asdict(self))


def from_config(config: Mapping[str, Any]) -> RunSpec:
  """Reads a configuration (a ConfigDict or what `to_json` returned).

  Keys and values of version 0.1 are read as what they are called today.

  Raises:
    UsageError: a key is missing, unknown or has a value that is not allowed.
  """
  spec = typed.build(RunSpec, _renamed(config), union=_class_weights)
  spec_rules.check(spec)
  return spec


def renamed(key: str, value: Any) -> Any:
  """Returns what a value of a dotted key is called today."""
  names = RENAMED.get(key, {})
  return names.get(value, value) if isinstance(value, str) else value


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
  """Returns a line for each key in which two specifications differ.

  Args:
    old: a specification as `to_json` returns it.
    new: another one.
  """
  before, after = _flatten(old), _flatten(new)
  return [
      f'{key}: {before.get(key, "absent")!r} -> {after.get(key, "absent")!r}'
      for key in sorted({*before, *after})
      if before.get(key) != after.get(key)
  ]


def _renamed(config: Mapping[str, Any]) -> Any:
  """Returns a configuration with the names of today."""
  if not hasattr(config, 'items'):
    return config
  found = {
      group: dict(value.items()) if hasattr(value, 'items') else value
      for group, value in config.items()
  }
  for path, now in RENAMED_KEYS.items():
    group, key = path.split('.')
    if isinstance(found.get(group), dict) and key in found[group]:
      found[group].setdefault(now.split('.')[1], found[group].pop(key))
  for path in RENAMED:
    group, key = path.split('.')
    if isinstance(found.get(group), dict) and key in found[group]:
      found[group][key] = renamed(path, found[group][key])
  return found


def _class_weights(value: Any, key: str) -> str | ClassWeights:
  """Reads a name, 'mel=3,bcc=2' or the same as a mapping."""
  named = ('none', *CLASS_WEIGHT_POWERS)
  if isinstance(value, str) and value in named:
    return value
  try:
    if isinstance(value, str):
      value = [pair.split('=') for pair in value.split(',')]
    elif hasattr(value, 'items'):
      value = list(value.items())
    pairs = tuple(sorted((name.strip(), float(w)) for name, w in value))
  except (AttributeError, TypeError, ValueError):
    pairs = ()
  typed.require(
      pairs and all(0 < w < math.inf for _, w in pairs),
      key,
      value,
      f"{', '.join(named)}, or positive weights such as 'mel=3,bcc=2'",
  )
  return pairs


def _plain(value: Any) -> Any:
  if isinstance(value, dict):
    return {key: _plain(item) for key, item in value.items()}
  if isinstance(value, (list, tuple)):
    return [_plain(item) for item in value]
  return value


def _flatten(tree: Mapping[str, Any], prefix: str = '') -> dict[str, Any]:
  flat = {}
  for key, value in tree.items():
    if isinstance(value, Mapping):
      flat.update(_flatten(value, f'{prefix}{key}.'))
    else:
      flat[prefix + key] = value
  return flat
