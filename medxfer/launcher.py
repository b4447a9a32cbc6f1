"""What every command shares: flags in, one call, errors as one line.

Nothing heavy is imported here, so that `--help` and a refused flag answer
before TensorFlow and JAX are loaded.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import os
import pathlib
import re
import sys
import traceback
import types
from typing import Any

from absl import flags

from medxfer import config_flag
from medxfer import default_workdir
from medxfer import errors
from medxfer import flag_names
from medxfer import paths as paths_lib
from medxfer import startup
from medxfer import stopping

_FAILED = errors.DataError.exit_status
# As shells report signals: 128 + SIGINT, 128 + SIGPIPE.
_INTERRUPTED, _NO_READER = 130, 141
# What absl says of a flag that is required.
_MISSING = re.compile(r'Flag (--\w+) must have a value')


def run(command: types.ModuleType) -> None:
  """Parses the command line, calls the `main` of a command and exits.

  Args:
    command: defines flags; its docstring is its help; its `main` takes what is
      left of the command line after the flags, without the program's name.
      Its `details`, if it has any, returns more of its help. Its `CALLS`, if
      it has any: key of a run, or 'workdir' -> this command's flag for it.
      Keys that are not named are flags as they stand where the command has a
      configuration that holds them.

  Exit status: 0 done; 1 data, weights or files; 2 usage or configuration;
  130 interrupted by Ctrl-C, 143 by SIGTERM; 141 if nobody reads what the
  command prints.
  """
  startup.open_streams()
  stopping.install()
  status = _status(command, sys.argv)
  try:
    sys.stdout.flush()
  except OSError as error:
    status = status or report(error)
  if status:
    # Threads of libraries may keep an interpreter from ending, or have more
    # to say of what has been reported.
    os._exit(status)
  sys.exit(status)


def path(flag: flags.FlagHolder[str | None]) -> pathlib.Path | None:
  """Returns the path that a flag names; None if it names none.

  Raises:
    UsageError: as `paths.read`.
  """
  return paths_lib.read(flag.value, f'--{flag.name}') if flag.value else None


def required_path(flag: flags.FlagHolder[str | None]) -> pathlib.Path:
  """Returns the path that a flag names.

  Raises:
    UsageError: it names none, or as `paths.read`.
  """
  require([], flag)
  return paths_lib.read(flag.value or '', f'--{flag.name}')


def workdirs(flag: flags.FlagHolder[list[str] | None]) -> list[pathlib.Path]:
  """Returns the workdirs that a flag names, which may be given several times.

  Raises:
    UsageError: it names none, or as `paths.read`.
  """
  values = flag.value or ()
  if not values or '' in values:
    raise default_workdir.missing()
  return [paths_lib.read(value, f'--{flag.name}') for value in values]


def paths(argv: Sequence[str]) -> list[pathlib.Path]:
  """Returns the paths that words of a command line name.

  Raises:
    UsageError: as `paths.read`.
  """
  return [paths_lib.read(word) for word in argv]


def require(argv: Sequence[str], *needed: flags.FlagHolder) -> None:
  """Refuses words that are no flags, and flags that are missing.

  Args:
    argv: what is left of the command line after the flags.
    *needed: flags that must have a value.

  Raises:
    UsageError: there is a word, or one of the flags has no value.
  """
  if argv:
    raise errors.UsageError(f'unexpected argument {argv[0]!r} (see --help)')
  for flag in needed:
    if not flag.value and flag.name == 'workdir':
      raise default_workdir.missing()
    if not flag.value:
      raise errors.UsageError(f'--{flag.name} is required (see --help)')


def keys(config: Mapping[str, Any], above: str = '') -> Iterator[str]:
  """Yields the keys of a configuration, as in 'data.dir'."""
  for key, value in config.items():
    if hasattr(value, 'items'):
      yield from keys(value, f'{above}{key}.')
    else:
      yield above + key


def report(error: BaseException) -> int:
  """Tells a person what has ended the command, and returns its status.

  Args:
    error: a MedxferError, KeyboardInterrupt or OSError, or what `startup`
      explains; anything else is ours, and comes with a traceback.
  """
  if isinstance(error, KeyboardInterrupt):
    _say(f'{error}' or 'interrupted')
    return getattr(error, 'exit_status', _INTERRUPTED)
  if isinstance(error, BrokenPipeError):
    return _NO_READER
  error = startup.explained(error) or error
  if isinstance(error, errors.MedxferError):
    text, status = str(error), error.exit_status
  elif isinstance(error, OSError):
    # A full disk or a read-only folder may turn up in any write.
    where = f'{error.filename}: ' if error.filename else ''
    text, status = f'{where}{error.strerror or error}', _FAILED
  else:
    text, status = ''.join(traceback.format_exception(error)), _FAILED
  _say(f'error: {text}')
  return status


def _say(text: str) -> None:
  # Nobody may be listening, which is no other error.
  with contextlib.suppress(OSError):
    print(text, file=sys.stderr, flush=True)


def _status(command: types.ModuleType, argv: Sequence[str]) -> int:
  if any(arg in ('-h', '-help', '--help') for arg in argv[1:]):
    print(_help(command))
    return 0
  try:
    _check_folder()
    startup.prepare()
    rest = _parse(argv)
    config = flags.FLAGS['config'].value if 'config' in flags.FLAGS else None
    flag_names.use(
        (getattr(command, 'CALLS', {}), frozenset(keys(config or {})))
    )
    startup.check_flags()
    command.main(rest)
  except (errors.MedxferError, KeyboardInterrupt, OSError) as error:
    return report(error)
  except (AssertionError, RuntimeError, ValueError) as error:
    if startup.explained(error) is None:
      raise
    return report(error)
  return 0


def _help(command: types.ModuleType) -> str:
  """Returns what a command does, its flags, and what else it explains."""
  its_own = (
      flags.FLAGS.main_module_help()
      if command.__name__ == '__main__'
      else flags.FLAGS.module_help(command.__name__)
  )
  # Less the name of the module, and defaults that are none.
  lines = [
      line
      for line in its_own.splitlines()
      if line.startswith(' ') and line.strip() != "(default: 'None')"
  ]
  details = getattr(command, 'details', str)()
  return '\n'.join(
      [command.__doc__ or '', 'Flags:\n', *lines, *filter(None, [details])]
  )


def _check_folder() -> None:
  """Refuses to work in a folder that is gone: no relative path leads on."""
  try:
    os.getcwd()
  except FileNotFoundError as error:
    raise errors.UsageError(
        'the current folder has been removed; go to another one (cd)'
    ) from error


def _parse(argv: Sequence[str]) -> list[str]:
  """Parses flags; whatever is wrong with them becomes a UsageError."""
  has_config = 'config' in flags.FLAGS
  if has_config:
    # ml_collections reads the keys from there.
    sys.argv = [argv[0], *config_flag.first(argv[1:])]
    argv = list(sys.argv)
    for i, word in enumerate(argv):
      if word.startswith(config_flag.FLAG):
        named = config_flag.found(word.removeprefix(config_flag.FLAG))
        argv[i] = f'{config_flag.FLAG}{named}'
        config_flag.load(named)  # For messages of our own.
  try:
    return flags.FLAGS(argv)[1:]
  except flags.Error as error:
    missing = _MISSING.findall(f'{error}')
    raise errors.UsageError(
        f'{" and ".join(missing)} {"are" if missing[1:] else "is"} required '
        '(see --help)'
        if missing
        else f'{error} (see --help)'
    ) from error
  except (AttributeError, KeyError) as error:
    # How ml_collections reports a key that the locked configuration lacks.
    raise errors.UsageError(
        f'unknown configuration key {_innermost(error)}; --help explains '
        'every key'
    ) from error


def _innermost(error: BaseException) -> str:
  """Returns the message inside errors that were wrapped in one another."""
  while error.args and isinstance(error.args[0], BaseException):
    error = error.args[0]
  return '. '.join(str(error.args[0]).splitlines()) if error.args else ''
