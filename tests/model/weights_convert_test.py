"""Protects the command convert_weights."""

import pathlib
import subprocess
import sys
from typing import Any

import h5py
import pytest

from medxfer import errors
from medxfer.commands import convert_weights
from medxfer.model import architectures
from medxfer.model import weights
from medxfer.model.weights import metadata

_TINY = architectures.BY_NAME['tiny']
_ROOT = pathlib.Path(__file__).parents[2]


def _run(*flags: Any) -> subprocess.CompletedProcess:
  return subprocess.run(
      [sys.executable, '-m', 'tools.convert_weights', *flags],
      cwd=_ROOT,
      capture_output=True,
      text=True,
      check=False,
  )


@pytest.fixture(scope='module')
def nameless(
    fabricated: metadata.Weights, tmp_path_factory: pytest.TempPathFactory
) -> pathlib.Path:
  """A Keras file that does not say its preprocessing."""
  path = tmp_path_factory.mktemp('weights') / 'theirs.h5'
  weights.write(fabricated, path)
  with h5py.File(path, 'r+') as root:
    root.attrs.clear()
  return path


def test_command_converts_and_reports(
    nameless: pathlib.Path, fabricated: metadata.Weights, tmp_path: pathlib.Path
) -> None:
  """The report says what was read, what it is, and where it went."""
  output = tmp_path / 'a.npz'
  done = _run(
      f'--source={nameless}', f'--output={output}', '--preprocessing=tf'
  )
  assert done.returncode == 0, done.stderr
  for said in (
      nameless.name,
      'not the official ImageNet weights',
      'architecture   Tiny VGG',
      'tensors        6',
      'preprocessing  tf',
      fabricated.contract.digest,
      str(output),
  ):
    assert said in done.stdout
  assert (
      weights.read(output, _TINY).contract.digest == fabricated.contract.digest
  )


@pytest.mark.parametrize(
    'flags, status, said',
    [
        (['--output=OUT/a.npz'], 1, '--preprocessing'),
        (['--output=OUT/a.bin'], 2, 'NAME.npz'),
        (['--output=OUT/a.npz', '--to=keras'], 2, '--to=keras'),
        (['--output=OUT/a.npz', '--to=torch'], 2, 'torch'),
        (['--output=OUT/a.npz', '--preprocessing=torch'], 2, 'torch'),
        (['--output=OUT/no/a.npz'], 2, 'folder'),
        (['--output=OUT/a.npz', 'more'], 2, 'more'),
        ([], 2, 'output'),
    ],
)
def test_command_refuses(
    nameless: pathlib.Path,
    tmp_path: pathlib.Path,
    flags: list,
    status: int,
    said: str,
) -> None:
  """A wrong flag fails in one line, and nothing is written."""
  flags = [flag.replace('OUT', str(tmp_path)) for flag in flags]
  done = _run(f'--source={nameless}', *flags)
  assert done.returncode == status
  assert said in done.stderr and 'Traceback' not in done.stderr
  assert list(tmp_path.iterdir()) == []


def test_conversion_there_and_back(
    fabricated: metadata.Weights, nameless: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """From Keras to medxfer and back to both kinds of Keras' files."""
  native = tmp_path / 'a.npz'
  convert_weights.convert(nameless, native, preprocessing='tf')
  for name in ('b.h5', 'b.weights.h5'):
    convert_weights.convert(native, tmp_path / name, to='keras')
    again = weights.read(tmp_path / name, _TINY)
    assert again.contract.digest == fabricated.contract.digest
    assert again.contract.preprocessing == 'tf'


def test_output_is_replaced_only_when_asked(
    nameless: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """A file that is there stays, unless --overwrite says otherwise."""
  output = tmp_path / 'a.npz'
  output.write_text('precious')
  with pytest.raises(errors.UsageError, match='overwrite'):
    convert_weights.convert(nameless, output, preprocessing='tf')
  assert output.read_text() == 'precious'
  convert_weights.convert(nameless, output, preprocessing='tf', overwrite=True)
  assert weights.read(output, _TINY).contract.preprocessing == 'tf'


def test_official_weights_are_announced(
    real_weights: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """ImageNet's weights need no flag and are called by their name."""
  lines = convert_weights.convert(real_weights, tmp_path / 'a.weights.h5')
  assert any('26 of 26 tensors, bit for bit' in line for line in lines)
  assert 'preprocessing  caffe' in lines
