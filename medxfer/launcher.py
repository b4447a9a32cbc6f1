"""What every command shares: flags in, one call, errors as one line.

Nothing heavy is imported here, so that `--help` and a refused flag answer
before TensorFlow and JAX are loaded.
"""

from collections.abc import Callable
from collections.abc import Sequence
import os
import sys
import traceback

from absl import app
from absl import flags
from absl import logging

from medxfer import errors
from medxfer import stopping

_FAILED = errors.DataError.exit_status
_INTERRUPTED = 130  # 128 + SIGINT, as shells report it.


def run(main: Callable[[list[str]], None]) -> None:
  """Parses the command line, calls `main` and exits.

  Args:
    main: takes what is left of the command line after the flags, without the
      program's name.

  Exit status: 0 done; 1 data, weights or files; 2 usage or configuration;
  130 interrupted by Ctrl-C, 143 by SIGTERM.
  """
  quieten()
  stopping.install()
  status = _status(main, sys.argv)
  if status:
    # Threads of libraries may keep an interpreter from ending, or have more
    # to say of what has been reported.
    sys.stdout.flush()
    os._exit(status)
  sys.exit(status)


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
    if not flag.value:
      raise errors.UsageError(f'--{flag.name} is required (see --help)')


def quieten() -> None:
  """Silences libraries that narrate; call it before they are imported."""
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
  # On some CPUs TensorFlow says so even then that it uses oneDNN. Here it
  # decodes and resizes images, which oneDNN has no part in.
  os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '0')
  os.environ.setdefault('GRPC_VERBOSITY', 'ERROR')
  # Orbax tells of every file, and raises what it calls an error.
  logging.set_verbosity(logging.FATAL)


def report(error: BaseException) -> int:
  """Tells a person what has ended the command, and returns its status.

  Args:
    error: a MedxferError, KeyboardInterrupt or OSError; anything else is
      ours, and comes with a traceback.
  """
  if isinstance(error, KeyboardInterrupt):
    print(f'{error}' or 'interrupted', file=sys.stderr, flush=True)
    return getattr(error, 'exit_status', _INTERRUPTED)
  if isinstance(error, errors.MedxferError):
    text, status = str(error), error.exit_status
  elif isinstance(error, OSError):
    # A full disk or a read-only folder may turn up in any write.
    where = f'{error.filename}: ' if error.filename else ''
    text, status = f'{where}{error.strerror or error}', _FAILED
  else:
    text, status = ''.join(traceback.format_exception(error)), _FAILED
  print(f'error: {text}', file=sys.stderr, flush=True)
  return status


def _status(main: Callable[[list[str]], None], argv: Sequence[str]) -> int:
  if any(arg in ('-h', '-help', '--help') for arg in argv[1:]):
    app.usage(shorthelp=True, writeto_stdout=True)
    return 0
  try:
    main(_parse(argv))
  except (errors.MedxferError, KeyboardInterrupt, OSError) as error:
    return report(error)
  return 0


def _parse(argv: Sequence[str]) -> list[str]:
  """Parses flags; whatever is wrong with them becomes a UsageError."""
  try:
    rest = flags.FLAGS(argv)[1:]
    if 'config' in flags.FLAGS and flags.FLAGS['config'].value is not None:
      # A file that is missing is reported when its content is first asked
      # for.
      flags.FLAGS['config'].value.items()
    return rest
  except OSError as error:
    raise errors.UsageError(
        f'--config: {error.args[-1].strip().splitlines()[-1].strip()}; '
        'give FILE:ARM, such as configs/ham.py:all') from error
  except flags.Error as error:
    raise errors.UsageError(f'{error} (see --help)') from error
  except (AttributeError, KeyError) as error:
    # How ml_collections reports a key that the locked configuration lacks.
    raise errors.UsageError(
        f'unknown configuration key {_innermost(error)}; configs/common.py '
        'explains every key') from error


def _innermost(error: BaseException) -> str:
  """Returns the message inside errors that were wrapped in one another."""
  while error.args and isinstance(error.args[0], BaseException):
    error = error.args[0]
  return '. '.join(str(error.args[0]).splitlines()) if error.args else ''
