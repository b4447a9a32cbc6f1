"""What all tests share: quiet libraries, phantoms, and the real things."""

import os
import pathlib

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('KERAS_BACKEND', 'tensorflow')

import pytest  # pylint: disable=wrong-import-position

from medxfer import errors  # pylint: disable=wrong-import-position
from medxfer.data import phantom  # pylint: disable=wrong-import-position
from medxfer.model import weights  # pylint: disable=wrong-import-position


@pytest.fixture(scope='session')
def phantoms(tmp_path_factory) -> pathlib.Path:
  """The smallest phantom HAM10000; tests may read it, never change it."""
  folder = tmp_path_factory.mktemp('data') / 'ham10000'
  phantom.write_ham10000(
      folder, images=phantom.smallest_ham10000(), size=(48, 36))
  return folder


@pytest.fixture(scope='session')
def real_ham() -> pathlib.Path:
  """The real HAM10000, where $MEDXFER_DATA has it."""
  root = os.environ.get('MEDXFER_DATA')
  if not root or not (pathlib.Path(root) / 'ham10000').is_dir():
    pytest.skip('the real HAM10000 is not in $MEDXFER_DATA/ham10000')
  return pathlib.Path(root) / 'ham10000'


@pytest.fixture(scope='session')
def real_weights() -> weights.Weights:
  """The real ImageNet weights, from $MEDXFER_WEIGHTS or a package."""
  try:
    path = weights.locate(None)
  except errors.DataError as error:
    pytest.skip(f'the real ImageNet weights are not here: {error}')
  return weights.read(path)
