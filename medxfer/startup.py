"""What a process does before it loads a library, wherever it was started.

Notebooks, schedulers, containers and other programs leave variables behind.
Those that only the libraries below read are set here to what medxfer needs,
so that the same command gives the same files everywhere.
"""

import codecs
import importlib.util
import os
import pathlib
import subprocess
import sys

from absl import logging

from medxfer import console
from medxfer import errors
from medxfer import files
from medxfer import user_folders

# Beginnings of variables that change what is computed, how fast by orders of
# magnitude, or what JAX forbids. A run says its types itself: `model.dtype`.
_SET_ASIDE = (
    'JAX_ENABLE_X64',
    'JAX_DISABLE_JIT',
    'JAX_DEFAULT_DTYPE_BITS',
    'JAX_NUMPY_RANK_PROMOTION',
    'JAX_NUMPY_DTYPE_PROMOTION',
    'JAX_TRANSFER_GUARD',
)
_ESCAPES = 'medxfer_escapes'  # A handler of what a stream cannot take.
_XLA_FLAGS = 'XLA_FLAGS'
# XLA ends the process where it reads its flags: here, that of a small one.
_READ_FLAGS = 'from jaxlib import xla_client; xla_client.CompileOptions()'
_PLATFORMS = ('JAX_PLATFORMS', 'JAX_PLATFORM_NAME', 'CUDA_VISIBLE_DEVICES')
_NO_BACKEND = (
    'Unable to initialize backend',
    'Unknown backend',
    'no platforms that are instances of',
)


def prepare() -> None:
  """Sets the streams and the variables of this process."""
  open_streams()
  quieten()
  # Orbax tells of every file, and raises what it calls an error.
  logging.set_verbosity(logging.FATAL)
  _draw_without_display()
  _find_a_place()
  for name in [n for n in os.environ if n.startswith(_SET_ASIDE)]:
    if os.environ.pop(name):
      console.note(f'${name} is left out of account')


def open_streams() -> None:
  """Makes the standard streams take any text, and be there.

  What a stream's encoding lacks is written with escapes, such as \\xfc.
  """
  # A file that is opened later must not get the number of a closed stream:
  # libraries would write their messages into it.
  while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
    pass
  os.close(number)
  for name in ('stdout', 'stderr'):
    stream = getattr(sys, name)
    if stream is None:
      setattr(sys, name, open(os.devnull, 'w', encoding='utf-8'))
    elif hasattr(stream, 'reconfigure'):
      stream.reconfigure(errors=_ESCAPES)


def _escaped(error: UnicodeEncodeError) -> tuple[str, int]:
  """Encodes what a stream cannot take, as codecs ask it of a handler."""
  text = files.text_of(error.object[error.start : error.end])
  return text.encode('ascii', 'backslashreplace').decode(), error.end


codecs.register_error(_ESCAPES, _escaped)  # pyright: ignore[reportArgumentType]


def check_flags() -> None:
  """Refuses flags at which XLA would end this process.

  Raises:
    UsageError: says what XLA says.
  """
  if not os.environ.get(_XLA_FLAGS):
    return
  tried = subprocess.run(
      [sys.executable, '-c', _READ_FLAGS],
      capture_output=True,
      text=True,
      errors='replace',
      check=False,
  )
  said = [line for line in tried.stderr.splitlines() if _XLA_FLAGS in line]
  if tried.returncode and said:
    reason = said[0].partition('] ')[2]
    raise errors.UsageError(
        f'${_XLA_FLAGS}={os.environ[_XLA_FLAGS]}: {reason}; correct or unset '
        'it'
    )


def explained(error: BaseException) -> errors.MedxferError | None:
  """Returns what an error says of this machine or of a variable of JAX.

  Args:
    error: any.

  Returns:
    What to tell a person; None if it speaks of something else.
  """
  text = str(error)
  if isinstance(error, (AssertionError, RuntimeError)) and (
      any(part in text for part in _NO_BACKEND)
      or _raised_in(error, 'xla_bridge.py')
  ):
    given = _given(_PLATFORMS)
    return errors.UsageError(
        f'JAX finds no device of the kind that is asked for '
        f'({" ".join(text.split()) or "none of that name"})'
        + (
            f': {given}; unset that, and the devices that are there are taken'
            if given
            else ''
        )
    )
  if isinstance(error, ValueError) and _raised_in(error, 'config.py'):
    given = _given(n for n in os.environ if n.startswith('JAX_'))
    return errors.UsageError(
        f'JAX refuses one of its variables ({text}): {given}; correct or '
        'unset it'
    )
  return None


def _raised_in(error: BaseException, name: str) -> bool:
  frame = error.__traceback__
  while frame and frame.tb_next:
    frame = frame.tb_next
  return frame is not None and pathlib.Path(
      frame.tb_frame.f_code.co_filename
  ).parts[-3:] == ('jax', '_src', name)


def _given(names) -> str:
  return ', '.join(
      f'${name}={os.environ[name]}' for name in names if os.environ.get(name)
  )


def quieten() -> None:
  """Silences TensorFlow and gRPC; before they are loaded."""
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
  # On some CPUs TensorFlow says so even then that it uses oneDNN. Here it
  # decodes and resizes images, which oneDNN has no part in.
  os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '0')
  os.environ.setdefault('GRPC_VERBOSITY', 'ERROR')


def _draw_without_display() -> None:
  """Has Matplotlib draw into memory, in its own style, for every user."""
  os.environ['MPLBACKEND'] = 'agg'
  found = importlib.util.find_spec('matplotlib')
  if found and found.submodule_search_locations:
    folder = pathlib.Path(found.submodule_search_locations[0], 'mpl-data')
    os.environ['MATPLOTLIBRC'] = os.fspath(folder / 'matplotlibrc')


def _find_a_place() -> None:
  """Gives libraries that keep something a folder, where the home is none."""
  if os.environ.get('HOME') == '':  # `~` would be the root of the disk.
    del os.environ['HOME']
  if 'MPLCONFIGDIR' not in os.environ and not user_folders.cache_folder(
      'matplotlib'
  ):
    os.environ['MPLCONFIGDIR'] = os.fspath(
        user_folders.temporary_folder() / 'matplotlib'
    )
