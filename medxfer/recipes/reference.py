"""What `--help` says of recipes, arms, modifiers and keys.

The meaning of a key is its comment in `defaults.DEFAULT`, its allowed values
are those of its annotation in `medxfer.spec`; arms and modifiers are explained
by `MEANINGS`.
"""

import ast
from collections.abc import Iterator
from collections.abc import Mapping
import importlib
import inspect
import io
import textwrap
import tokenize
import types
import typing
from typing import Any
from typing import Literal

from medxfer import config_flag
from medxfer import errors
from medxfer import spec as specs
from medxfer.model import architectures
from medxfer.recipes import common
from medxfer.recipes import defaults
from medxfer.recipes import studies
from medxfer.study import layer_arms

_WIDTH = 80
_KINDS = {
    bool: 'True or False.',
    int: 'A whole number.',
    float: 'A number.',
    tuple[int, int]: 'Two whole numbers.',
}

# What `--help` says of arms and modifiers.
MEANINGS = {
    'all': 'everything trains, from ImageNet weights',
    'last_block': 'the last block trains, and the head',
    'first_block': 'the first block trains, and the head',
    'first_last': 'the first and the last block train, and the head',
    'head': 'the head alone trains',
    **{f'block{i}': f'block {i} trains, and the head' for i in range(1, 6)},
    'lp_ft': 'the head trains, then everything from its best epoch',
    'gradual': 'the head trains, then one block more in each of three stages',
    'layer_decay': 'everything trains, each block at half the rate of the next',
    'auto_rgn': 'everything trains, each layer at a rate by its relative '
    'gradient',
    'imagenet': 'everything trains, from ImageNet weights',
    'random': 'everything trains, from random weights',
    'ham': 'everything trains, from a finished run on HAM10000: '
    '--config.model.init_from=WORKDIR',
    'decision_tree': 'a decision tree on the pixels, no network',
    'random_forest': 'a hundred trees on the pixels, no network',
    'thesis': 'the recipe of the thesis, which is the default: SGD 1e-4, '
    '[-1, 1] pixels, split by image',
    'tuned': 'AdamW, cosine schedule, weighted classes, pixels as in '
    'pretraining',
    'grouped': 'all images of a lesion or patient are in one subset',
    'official': 'the published test set; with grouped, validation by group',
    'caffe': 'pixels as in the pretraining of VGG',
    'phantom': 'procedural images in place of real ones',
    'cpu': '64x64 pixels and six epochs, for two cores',
    **{
        name: f'{architecture.title} in place of the default network'
        for name, architecture in architectures.BY_NAME.items()
        if name in common.MODIFIERS
    },
}


def of_runs() -> str:
  """Returns the help of recipes of one run, and of every key."""
  return '\n'.join(
      [
          '\nRecipes, given as NAME:ARM[,MODIFIER...]:\n',
          *_recipes(),
          '\nArms and modifiers:\n',
          *_meanings(),
          '\nKeys, changed by --config.KEY=VALUE, with their defaults:\n',
          *_keys(),
      ]
  )


def of_studies() -> str:
  """Returns the help of recipes of studies, and of every key."""
  return '\n'.join(
      [
          '\nRecipes, given as NAME[:PRESET,...]:\n',
          *_studies(),
          '\nArms and presets:\n',
          *_meanings(),
          '\nKeys of the study:\n',
          *_study_keys(),
          '\nKeys of every run; recipes change these defaults:\n',
          *_keys(),
      ]
  )


def comments(module: types.ModuleType, name: str) -> dict[str, str]:
  """Returns the comments of the keys of a dict in a module's source.

  Args:
    module: any.
    name: what the dict is assigned to.

  Returns:
    Dotted key -> the comment on the last line of its value or, without one,
    that on the lines above it; '' if there is neither.
  """
  source = inspect.getsource(module)
  lines = source.splitlines()
  said = {
      token.start[0]: token.string.lstrip('# ')
      for token in tokenize.generate_tokens(io.StringIO(source).readline)
      if token.type == tokenize.COMMENT
  }

  def above(line: int) -> list[str]:
    if not lines[line - 1].lstrip().startswith('#'):
      return []
    return [*above(line - 1), said[line]]

  def walk(node: ast.Dict, before: str) -> Iterator[tuple[str, str]]:
    for key, value in zip(node.keys, node.values):
      if not isinstance(key, ast.Constant):
        continue
      if isinstance(value, ast.Dict) and value.keys:
        yield from walk(value, f'{before}{key.value}.')
      else:
        own = said.get(value.end_lineno or 0)
        yield f'{before}{key.value}', own or ' '.join(above(key.lineno - 1))

  return {
      key: text
      for node in ast.walk(ast.parse(source))
      if isinstance(node, ast.Assign)
      and isinstance(node.value, ast.Dict)
      and ast.unparse(node.targets[0]) == name
      for key, text in walk(node.value, '')
  }


def allowed(hint: Any) -> str:
  """Returns which values an annotation allows; '' if the comment says it."""
  if typing.get_origin(hint) is Literal:
    return f'One of {", ".join(typing.get_args(hint))}.'
  return _KINDS.get(hint, '')


def annotations(
    cls: type = specs.RunSpec, above: str = ''
) -> Iterator[tuple[str, Any]]:
  """Yields the dotted keys of a specification with their annotations."""
  for key, hint in typing.get_type_hints(cls).items():
    if hasattr(hint, '__dataclass_fields__'):
      yield from annotations(hint, f'{above}{key}.')
    else:
      yield above + key, hint


def _modules() -> dict[str, types.ModuleType]:
  return {
      name: importlib.import_module(f'medxfer.recipes.{name}')
      for name in config_flag.recipes()
  }


def _recipes() -> Iterator[str]:
  for name, module in _modules().items():
    if hasattr(module, 'MODIFIERS'):
      yield from _entry(
          name,
          _title(module),
          f'arms: {", ".join(module.ARMS)}',
          f'modifiers: {", ".join(module.MODIFIERS)}',
      )


def _studies() -> Iterator[str]:
  for name, module in _modules().items():
    if hasattr(module, 'MODIFIERS'):
      continue
    try:
      yield from _entry(
          name, _title(module), f'arms: {module.get_config().study.arms}'
      )
    except errors.UsageError as error:
      # It needs a data set.
      if hasattr(module, 'ARMS'):
        arms = f'arms: {", ".join(module.ARMS)}'
        yield from _entry(name, _title(module), f'{error}', arms)
        continue
      # Its arms are families.
      families = (inspect.getdoc(layer_arms) or '').split('\n\n')[1]
      yield from _entry(name, _title(module), f'{error}', 'arms:')
      yield textwrap.indent(families, ' ' * 4)


def _meanings() -> Iterator[str]:
  wide = max(map(len, MEANINGS))
  for name, meaning in MEANINGS.items():
    yield from textwrap.wrap(
        f'{name:<{wide}}  {meaning}',
        _WIDTH,
        initial_indent='  ',
        subsequent_indent=' ' * (wide + 4),
    )


def _study_keys() -> Iterator[str]:
  for key, text in comments(studies, 'config.study').items():
    yield from _entry(f'study.{key}', text)


def _keys() -> Iterator[str]:
  meanings = comments(defaults, 'DEFAULT')
  values = common.default()
  for key, hint in annotations():
    yield from _entry(
        f'{key}={_shown(values, key)}', f'{meanings[key]} {allowed(hint)}'
    )


def _shown(values: Mapping[str, Any], key: str) -> str:
  """Returns a default as it is typed."""
  value: Any = values
  for part in key.split('.'):
    value = value[part]
  return ','.join(map(str, value)) if isinstance(value, tuple) else f'{value}'


def _title(module: types.ModuleType) -> str:
  return (module.__doc__ or '').splitlines()[0]


def _entry(name: str, *paragraphs: str) -> Iterator[str]:
  """Yields a name, and below it what is said of it."""
  yield f'  {name}'
  for text in paragraphs:
    yield from textwrap.wrap(
        text,
        _WIDTH,
        initial_indent='      ',
        subsequent_indent='      ',
        break_on_hyphens=False,
    )
