"""What all tests share: quiet libraries, phantoms, and the real things."""

import atexit
import errno
import os
import pathlib
import shutil
import tempfile
from typing import Any

# Before any library counts the cores: two programs on a core each are done
# sooner than two that share both.
_WORKER = os.environ.get('PYTEST_XDIST_WORKER', '')
if _WORKER and hasattr(os, 'sched_setaffinity'):
  _CORES = sorted(os.sched_getaffinity(0))
  os.sched_setaffinity(0, {_CORES[int(_WORKER[2:]) % len(_CORES)]})
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('KERAS_BACKEND', 'tensorflow')
# Many tests compile the same small network: once is enough, for both workers,
# which inherit the folder. JAX reads these when it is first imported.
_COMPILED = 'MEDXFER_TESTS_COMPILED'
if _COMPILED not in os.environ:
  os.environ[_COMPILED] = tempfile.mkdtemp(prefix='medxfer-tests-')
  atexit.register(shutil.rmtree, os.environ[_COMPILED], ignore_errors=True)
os.environ['JAX_COMPILATION_CACHE_DIR'] = os.environ[_COMPILED]
# No test reads what another has left, unless it says so.
os.environ['MEDXFER_CACHE'] = 'off'
os.environ['JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS'] = '0.2'

import pytest

from medxfer import errors
from medxfer.data import phantom
from medxfer.model import architectures
from medxfer.model import weights


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
  """No file can be given room."""

  def refuse(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

  monkeypatch.setattr(os, 'posix_fallocate', refuse)


@pytest.fixture(scope='session')
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  """The smallest phantom HAM10000; tests may read it, never change it."""
  folder = tmp_path_factory.mktemp('data') / 'ham10000'
  phantom.write_ham10000(
      folder, images=phantom.smallest_ham10000(), size=(48, 36)
  )
  return folder


@pytest.fixture(scope='session')
def chest_phantoms(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  """The smallest phantom chest X-rays; tests may read, never change them."""
  folder = tmp_path_factory.mktemp('data') / 'chest_xray'
  phantom.write_chest_xray(
      folder, images=phantom.smallest_chest_xray(), size=(48, 40)
  )
  return folder


@pytest.fixture(scope='session')
def real_ham() -> pathlib.Path:
  """The real HAM10000, where $MEDXFER_DATA has it."""
  return _real('ham10000')


@pytest.fixture(scope='session')
def real_chest() -> pathlib.Path:
  """The real chest X-rays, where $MEDXFER_DATA has them."""
  return _real('chest_xray')


def _real(name: str) -> pathlib.Path:
  root = os.environ.get('MEDXFER_DATA')
  if not root:
    pytest.skip(f'$MEDXFER_DATA is not set: no real {name}')
  # Set and wrong is a mistake, not a reason to skip.
  assert (pathlib.Path(root) / name).is_dir(), root
  return pathlib.Path(root) / name


@pytest.fixture(scope='session')
def real_weights() -> pathlib.Path:
  """The file of the real weights: $MEDXFER_WEIGHTS, or from a package."""
  try:
    return weights.locate(None, architectures.BY_NAME['vgg16'])
  except errors.DataError as error:
    if os.environ.get('MEDXFER_WEIGHTS'):
      raise
    pytest.skip(f'the real ImageNet weights are not here: {error}')


@pytest.fixture(scope='session')
def finished(
    phantoms: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> pathlib.Path:
  """The workdir of a finished run; tests may read it, never change it."""
  from medxfer import spec as specs
  from medxfer.runs import run
  from tests import tiny

  path = tmp_path_factory.mktemp('runs') / 'finished'
  run.run(specs.from_config(tiny.config(phantoms)), path)
  return path
