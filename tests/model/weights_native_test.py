"""Protects medxfer's own weights file, and the reader from forged ones."""

from collections.abc import Callable
import io
import pathlib
from typing import Any
import zipfile

import numpy as np
import pytest

from medxfer import errors
from medxfer.model import architectures
from medxfer.model import weights
from medxfer.model.weights import metadata


def _refused(path: pathlib.Path, said: str) -> None:
  with pytest.raises(errors.DataError) as caught:
    weights.read(path, architectures.BY_NAME['tiny'])
  assert path.name in str(caught.value) and said in str(caught.value)


def test_native_file_is_deterministic_and_plain(
    fabricated: metadata.Weights, tmp_path: pathlib.Path
) -> None:
  """Equal weights give equal bytes, which NumPy alone can open."""
  one, other = tmp_path / 'a.npz', tmp_path / 'b.npz'
  weights.write(fabricated, one)
  weights.write(fabricated, other)
  assert one.read_bytes() == other.read_bytes()
  with np.load(one) as arrays:
    assert np.array_equal(
        arrays['block1_conv1/kernel'],
        fabricated.params['block1_conv1']['kernel'],
    )


def _rezipped(
    fabricated: metadata.Weights,
    tmp_path: pathlib.Path,
    change: Callable[..., Any],
    compressed: list | tuple = (),
) -> pathlib.Path:
  source, path = tmp_path / 'good.npz', tmp_path / 'bad.npz'
  weights.write(fabricated, source)
  with zipfile.ZipFile(source) as old:
    members = {name: old.read(name) for name in old.namelist()}
  change(members)
  with zipfile.ZipFile(path, 'w') as new:
    for name, data in members.items():
      new.writestr(
          name,
          data,
          zipfile.ZIP_DEFLATED if name in compressed else zipfile.ZIP_STORED,
      )
  return path


def _npy(array: np.ndarray, **kwargs: Any) -> bytes:
  with io.BytesIO() as file:
    np.lib.format.write_array(file, array, **kwargs)
    return file.getvalue()


_BIAS = 'block2_conv1/bias.npy'


@pytest.mark.parametrize(
    'change, said',
    [
        ({_BIAS: None}, "lacks ['block2_conv1/bias.npy']"),
        ({'extra.npy': b''}, "holds ['extra.npy']"),
        ({_BIAS: b'no array'}, 'magic'),
        ({_BIAS: b''}, 'magic'),
        ({_BIAS: _npy(np.array([{}]), allow_pickle=True)}, 'never opened'),
        ({_BIAS: _npy(np.zeros(3, 'f4'))}, '(3,)'),
        ({_BIAS: _npy(np.zeros(8, 'f8'))}, 'float64'),
        ({_BIAS: _npy(np.zeros(8, 'f4'))[:-4]}, '28 bytes'),
        ({_BIAS: _npy(np.zeros(8, 'f4'))}, 'sha256'),
        ({'contract.json': b'{}'}, 'lacks the keys'),
        ({'contract.json': None}, 'contract.json'),
    ],
)
def test_bad_native_file_is_refused(
    fabricated: metadata.Weights,
    tmp_path: pathlib.Path,
    change: dict,
    said: str,
) -> None:
  """A .npz with other arrays than its contract's, or a pickle, is refused."""

  def apply(members: dict) -> None:
    members.update(change)
    for name in [name for name, data in change.items() if data is None]:
      del members[name]

  _refused(_rezipped(fabricated, tmp_path, apply), said)


def test_compressed_native_file_is_refused(
    tmp_path: pathlib.Path, fabricated: metadata.Weights
) -> None:
  """A zip bomb needs compression, which medxfer's files do not have."""
  name = 'block2_conv2/kernel.npy'
  path = _rezipped(
      fabricated,
      tmp_path,
      lambda members: members.update(
          {name: _npy(np.zeros((3, 3, 8, 8), 'f4'))}
      ),
      compressed=[name],
  )
  _refused(path, 'compression')
