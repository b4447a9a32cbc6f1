"""The specification of a run: frozen, hashable, validated once.

`from_config` is the only reader of configuration keys. Everything after it
takes one of these dataclasses, so a misspelt key cannot survive the launcher
and two equal specifications are equal values.
"""

from collections.abc import Mapping
import dataclasses
import math
import types
import typing
from typing import Any
from typing import Literal

from medxfer import errors

ClassWeights = tuple[tuple[str, float], ...]
# A class of n images weighs n to the minus this power: balanced classes weigh
# all the same in an epoch's loss, sqrt_balanced is halfway there.
CLASS_WEIGHT_POWERS = types.MappingProxyType(
    {'balanced': 1.0, 'sqrt_balanced': 0.5})


@dataclasses.dataclass(frozen=True)
class DataSpec:
  """Which images, how large, and who stands on which side."""

  name: Literal['ham10000', 'chest_xray', 'folder']
  dir: str  # '' is $MEDXFER_DATA/<name>.
  groups: str  # CSV file `image,group` beside a class folder; '' is none.
  phantom: int  # Number of procedural images; 0 means the real ones.
  image_size: tuple[int, int]  # (height, width) in pixels.
  split: Literal['thesis', 'grouped', 'official']
  on_bad_image: Literal['fail', 'skip']
  cache: Literal['device', 'host', 'none']


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

  name: Literal['vgg16', 'decision_tree', 'random_forest']
  init_from: str  # 'imagenet', 'random', or the workdir of a finished run.
  weights: str  # File of the ImageNet weights; '' looks in the usual places.
  preprocessing: Literal['thesis', 'caffe']
  trainable: str  # See `medxfer.model.trainable`.
  head_units: tuple[int, int]
  dropout: float
  initializer: Literal['glorot_uniform', 'he_normal']  # Of random kernels.
  dtype: Literal['float32', 'bfloat16']


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


@dataclasses.dataclass(frozen=True)
class TrainingSpec:
  """The loss and how long to minimise it."""

  batch_size: int
  epochs: int
  monitor: Literal['accuracy', 'f1_macro', 'loss']  # Of the best epoch.
  patience: int  # Epochs without a better one; 0 is never.
  class_weights: Literal['none', 'balanced', 'sqrt_balanced'] | ClassWeights
  label_smoothing: float
  prefix_cache: Literal['auto', 'off']  # See `training.prefix`.


@dataclasses.dataclass(frozen=True)
class EvaluationSpec:
  """How the numbers are computed."""

  batch_size: int
  resamples: int  # Bootstrap resamples of each 95 % interval.


@dataclasses.dataclass(frozen=True)
class RunSpec:
  """Everything that decides the result of a run."""

  arm: str
  modifiers: tuple[str, ...]
  seed: int
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

  Raises:
    UsageError: a key is missing, unknown or has a value that is not allowed.
  """
  spec = _build(RunSpec, config, '')
  _check(spec)
  return spec


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


def _build(cls: type, config: Any, prefix: str) -> Any:
  if not hasattr(config, 'items'):
    raise errors.UsageError(f'{prefix[:-1]} must be a group of keys')
  given, hints = dict(config.items()), typing.get_type_hints(cls)
  for key in given.keys() - hints.keys():
    raise errors.UsageError(
        f'unknown configuration key {prefix}{key}; allowed here: '
        f'{", ".join(hints)}')
  for key in hints.keys() - given.keys():
    raise errors.UsageError(f'configuration key {prefix}{key} is missing')
  return cls(**{
      key: _build(hint, given[key], f'{prefix}{key}.')
      if dataclasses.is_dataclass(hint)
      else _value(hint, given[key], prefix + key)
      for key, hint in hints.items()
  })


def _value(hint: Any, value: Any, key: str) -> Any:
  """Returns `value` as the annotated type of `key`, or says what is allowed."""
  origin = typing.get_origin(hint)
  if origin is Literal:
    _require(value in typing.get_args(hint), key, value,
             'one of ' + ', '.join(typing.get_args(hint)))
  elif origin in (types.UnionType, typing.Union):
    return _class_weights(value, key)
  elif origin is tuple:
    return _tuple(hint, value, key)
  elif hint is float:
    _require(isinstance(value, (int, float)) and not isinstance(value, bool)
             and math.isfinite(value), key, value, 'a finite number')
    return float(value)
  else:
    _require(type(value) is hint, key, value, hint.__name__)
  return value


def _tuple(hint: Any, value: Any, key: str) -> tuple[Any, ...]:
  kinds = typing.get_args(hint)
  if len(kinds) == 2 and kinds[1] is Ellipsis:
    kinds = (kinds[0],) * len(value)
  _require(isinstance(value, (list, tuple)) and len(value) == len(kinds),
           key, value, f'{len(kinds)} values')
  return tuple(_value(kind, item, key) for kind, item in zip(kinds, value))


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
  _require(pairs and all(0 < w < math.inf for _, w in pairs), key, value,
           f"{', '.join(named)}, or positive weights such as 'mel=3,bcc=2'")
  return pairs


def _require(holds: Any, key: str, value: Any, allowed: str) -> None:
  if not holds:
    raise errors.UsageError(f'{key}={value!r} is not allowed: give {allowed}')


def _check(spec: RunSpec) -> None:
  """Checks ranges, and what one key demands of another."""
  positive = {
      'baseline.trees': spec.baseline.trees,
      'training.batch_size': spec.training.batch_size,
      'training.epochs': spec.training.epochs,
      'evaluation.batch_size': spec.evaluation.batch_size,
      'evaluation.resamples': spec.evaluation.resamples,
      'optimizer.learning_rate': spec.optimizer.learning_rate,
      'optimizer.backbone_factor': spec.optimizer.backbone_factor,
      'model.head_units': min(spec.model.head_units),
  }
  for key, value in positive.items():
    _require(value > 0, key, value, 'a value above 0')
  at_least_zero = {
      'seed': spec.seed,
      'data.phantom': spec.data.phantom,
      'training.patience': spec.training.patience,
      'optimizer.weight_decay': spec.optimizer.weight_decay,
      'optimizer.gradient_clip': spec.optimizer.gradient_clip,
  }
  for key, value in at_least_zero.items():
    _require(value >= 0, key, value, '0 or more')
  fractions = {
      'augment.zoom': spec.augment.zoom,
      'augment.brightness': spec.augment.brightness,
      'model.dropout': spec.model.dropout,
      'optimizer.momentum': spec.optimizer.momentum,
      'training.label_smoothing': spec.training.label_smoothing,
  }
  for key, value in fractions.items():
    _require(0 <= value < 1, key, value, 'a share in [0, 1)')
  _check_data(spec.data)
  _require(spec.model.init_from.strip(), 'model.init_from', '',
           'imagenet, random, or the workdir of a finished run')
  height, width = spec.data.image_size
  _require(min(height, width) >= 32, 'data.image_size', (height, width),
           'sides of at least 32 pixels: VGG-16 halves them five times')
  _require(height == width or not spec.augment.quarter_turns,
           'augment.quarter_turns', True,
           'False, or a square data.image_size')


def _check_data(data: DataSpec) -> None:
  if data.name == 'folder':
    _require(not data.phantom, 'data.phantom', data.phantom,
             '0: a folder of your own has no procedural look-alike')
    _require(data.dir, 'data.dir', data.dir,
             'the folder that holds a folder a class')
    _require(data.groups or data.split != 'grouped', 'data.split', data.split,
             'data.groups too, a CSV file that says which images belong '
             'together')
  else:
    _require(not data.groups, 'data.groups', data.groups,
             f"'': {data.name} says itself what belongs together")
  _require(not (data.phantom and data.dir), 'data.dir', data.dir,
           "'' with phantom images, which lie elsewhere")
  _require(data.split != 'official' or data.name != 'ham10000', 'data.split',
           data.split, 'thesis or grouped: HAM10000 was published unsplit')


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
