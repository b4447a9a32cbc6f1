"""The recipe of a run: its name, and in what two of them differ."""

from collections.abc import Iterable
import functools

from medxfer import spec as specs
from medxfer.model import architectures
from medxfer.report.read import thesis

_SCOPES = (
    'all',
    'last_block',
    'first_block',
    'first_last',
    'head',
    *(f'block{i}' for i in range(1, 6)),
    'lp_ft',
    'gradual',
    'layer_decay',
    'auto_rgn',
)
# What makes an arm, or changes no number: no difference of recipe.
_WHAT = (
    'model.trainable',
    'model.init_from',
    'training.stages',
    'optimizer.layer_decay',
    'optimizer.relative_gradient',
    'baseline',
)
# Modifiers that name the default, the split, the images, the network or what
# trains.
_NOT_RECIPE = (
    'thesis',
    'grouped',
    'official',
    'official_grouped',
    'phantom',
    *_SCOPES,
    *architectures.BY_NAME,
)


def of(spec: specs.RunSpec) -> tuple[str, ...]:
  """Returns the modifiers that are neither split, images nor scope."""
  return tuple(name for name in spec.modifiers if name not in _NOT_RECIPE)


def title(names: tuple[str, ...]) -> str:
  """Returns a recipe in words; the thesis' own has no modifier."""
  return ' + '.join(names) or 'thesis'


def unlike(a: specs.RunSpec, b: specs.RunSpec) -> tuple[str, ...]:
  """Returns the keys in which the recipes of two networks differ.

  Args:
    a: the identity of one, see `finished_run.Run.identity`.
    b: that of the other.
  """
  lines = specs.difference(a.to_json(), b.to_json())
  keys = [line.split(':')[0] for line in lines]
  return tuple(key for key in keys if not key.startswith(_WHAT))


def words(spec: specs.RunSpec, keys: Iterable[str]) -> str:
  """Returns some keys of a network's recipe in words."""
  found = {}
  for key in keys:
    if key == 'model.preprocessing':
      found['pixels'] = thesis.PIXELS[spec.model.preprocessing]
    elif key.startswith('optimizer.'):
      found['optimizer'] = thesis.optimizer(spec.optimizer)
    else:
      found[key] = value_of(spec, key)
  return ', '.join(f'{name} {value}' for name, value in found.items())


def value_of(spec: specs.RunSpec, key: str) -> str:
  """Returns the value of a dotted key in words."""
  value = functools.reduce(getattr, key.split('.'), spec)
  if isinstance(value, tuple):
    return '×'.join(map(str, value))
  return f'{value:g}' if isinstance(value, float) else str(value)
