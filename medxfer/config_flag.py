"""The configuration on the command line: which word names it, and its file."""

from collections.abc import Iterator
from collections.abc import Sequence
import itertools
import os
import pathlib
import traceback
import types

from absl import flags
import ml_collections

from medxfer import errors
from medxfer import paths
from medxfer import spec as specs

_CONFIG = ('--config', '-config')
FLAG = '--config='
_RECIPES = pathlib.Path(__file__).parent / 'recipes'


def first(argv: Sequence[str]) -> list[str]:
  """Returns a command line that begins with its configuration.

  The first word that is no flag, as in `train ham:all`, means --config=WORD.
  The configuration comes first because ml_collections accepts --config.KEY
  only after it.

  Args:
    argv: the words after the program's name; the flags are defined.

  Raises:
    UsageError: the configuration is given in both ways.
  """
  config, others, plain = [], [], []
  words = iter(argv)
  for word in words:
    if word == '--':
      others += [word, *words]
    elif not word.startswith('-'):
      plain.append(word)
    elif word.partition('=')[0] in _CONFIG:
      _, equals, named = word.partition('=')
      given = [named] if equals else list(itertools.islice(words, 1))
      config += given
      others += [] if given else [word]  # It lacks its value.
    else:
      others += [_renamed(word), *_value(word, words)]
  if config and plain:
    raise errors.UsageError(
        f'unexpected argument {plain[0]!r}: --config={config[-1]} names the '
        'configuration already (see --help)'
    )
  config += plain[:1]
  return [*(f'{FLAG}{named}' for named in config), *others, *plain[1:]]


def _renamed(flag: str) -> str:
  """Returns a flag with the name that its key has today."""
  name, equals, value = flag.partition('=')
  dashes, found, key = name.partition('config.')
  return f'{dashes}{found}{specs.RENAMED_KEYS.get(key, key)}{equals}{value}'


def _value(flag: str, words: Iterator[str]) -> Iterator[str]:
  """Returns the word after a flag, if that is the flag's value."""
  name = flag.lstrip('-')
  known = flags.FLAGS[name] if name in flags.FLAGS else None
  alone = '=' in flag or (
      name.startswith('no') if known is None else known.boolean
  )
  return itertools.islice(words, 0 if alone else 1)


def recipes() -> list[str]:
  """Returns the names of the configurations that medxfer brings along."""
  return sorted(
      path.stem
      for path in _RECIPES.glob('*.py')
      if '\ndef get_config(' in path.read_text('utf-8')
  )


def found(named: str) -> str:
  """Returns a configuration, FILE[:ARGUMENT], with the place of its file.

  `~` is somebody's home; configs/NAME.py that is not there, NAME.py and NAME
  are those of `medxfer/recipes/`.

  Args:
    named: what --config names.

  Raises:
    UsageError: nobody has the home that it names.
  """
  if named.startswith('~'):
    return f'{paths.read(named, "--config")}'
  file, colon, argument = named.partition(':')
  path = pathlib.Path(file)
  own = _RECIPES / f'{path.stem}.py'
  if (
      file
      and not path.exists()
      and own.is_file()
      and f'{path.parent}' in ('.', 'configs')
      and path.suffix in ('', '.py')
  ):
    file = f'{own}'
  return f'{file}{colon}{argument}'


def load(named: str) -> ml_collections.ConfigDict:
  """Returns a configuration.

  Args:
    named: FILE[:ARGUMENT], as `found` returns it.

  Raises:
    UsageError: there is no such file, or it fails, with the line that failed.
  """
  file, colon, argument = named.partition(':')
  module = types.ModuleType('medxfer_config')
  module.__file__ = file
  try:
    code = compile(pathlib.Path(file).read_bytes(), file, 'exec')
    exec(code, module.__dict__)
    config = module.get_config(*[argument] if colon else [])
  except errors.MedxferError:
    raise
  except Exception as error:
    raise _refusal(file, _reason(file, error)) from error
  if not isinstance(config, ml_collections.ConfigDict):
    raise _refusal(
        file, f'get_config returned {type(config).__name__}, not a ConfigDict'
    )
  return config


def _reason(file: str, error: Exception) -> str:
  """Returns why a configuration cannot be read, with the line."""
  if isinstance(error, OSError) and error.filename == file:
    return 'is a folder' if os.path.isdir(file) else 'no such file'
  if isinstance(error, SyntaxError):
    return f'line {error.lineno}: {error.msg}'
  lines = [
      frame.lineno
      for frame in traceback.extract_tb(error.__traceback__)
      if frame.filename == file
  ]
  if isinstance(error, AttributeError) and not lines:
    return 'defines no get_config'
  where = f'line {lines[-1]}: ' if lines else ''
  return f'{where}{type(error).__name__}: {error}'


def _refusal(file: str, reason: str) -> errors.UsageError:
  return errors.UsageError(
      f'{FLAG}{file}: {reason}; give a Python file that defines get_config, '
      f'or the name of a recipe of medxfer: {", ".join(recipes())}'
  )
