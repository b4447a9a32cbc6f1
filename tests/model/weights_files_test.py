"""Protects the reading of weights files, above all of damaged and evil ones."""

from collections.abc import Callable
import pathlib
import pickle
import struct
from typing import Any
import zipfile

import h5py
import numpy as np
import pytest
import safetensors
import safetensors.numpy

from medxfer import errors
from medxfer.model import architectures
from medxfer.model import weights
from medxfer.model.weights import keras_files
from medxfer.model.weights import metadata

_TINY = architectures.BY_NAME['tiny']
_FORMATS = ('a.npz', 'a.safetensors', 'a.h5', 'a.weights.h5')


def _equal(one: metadata.Weights, other: metadata.Weights) -> bool:
  one, other = metadata.flatten(one.params), metadata.flatten(other.params)
  return one.keys() == other.keys() and all(
      np.array_equal(one[k], other[k]) for k in one
  )


def _refused(path: pathlib.Path, *words: Any, **kwargs: Any) -> None:
  with pytest.raises(errors.DataError) as caught:
    weights.read(path, _TINY, **kwargs)
  for word in (path.name, *words):
    assert word in str(caught.value)


@pytest.mark.parametrize('name', _FORMATS)
def test_round_trip(
    fabricated: metadata.Weights, tmp_path: pathlib.Path, name: str
) -> None:
  """What is written is read again bit for bit, with its contract."""
  path = tmp_path / name
  weights.write(fabricated, path)
  again = weights.read(path, _TINY)
  assert _equal(again, fabricated)
  assert again.contract == fabricated.contract
  assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize('name', ['a.npz', 'a.safetensors'])
def test_head_is_kept_by_medxfer_and_has_to_be_named_for_keras(
    fabricated: metadata.Weights, tmp_path: pathlib.Path, name: str
) -> None:
  """A trained head survives conversion, and never vanishes unsaid."""
  params = dict(
      fabricated.params,
      predictions={
          'kernel': np.ones((8, 2), np.float32),
          'bias': np.ones(2, np.float32),
      },
  )
  headed = weights.Weights(
      params,
      weights.describe(
          params,
          architecture='tiny',
          source='a run',
          preprocessing='tf',
          classes=('a', 'b'),
      ),
  )
  weights.write(headed, tmp_path / name)
  again = weights.read(tmp_path / name, _TINY)
  assert _equal(again, headed) and again.contract.classes == ('a', 'b')
  with pytest.raises(errors.DataError, match='predictions'):
    weights.write(headed, tmp_path / 'a.h5')
  assert not (tmp_path / 'a.h5').exists()
  written = weights.write(headed, tmp_path / 'a.h5', drop=['predictions'])
  assert written.dropped == ('predictions',)
  assert _equal(weights.read(tmp_path / 'a.h5', _TINY), fabricated)


def test_write_refuses_before_it_writes(
    fabricated: metadata.Weights, tmp_path: pathlib.Path
) -> None:
  """No file is replaced unasked, and no suffix is guessed."""
  path = tmp_path / 'a.npz'
  path.write_text('precious')
  with pytest.raises(errors.UsageError, match='overwrite'):
    weights.write(fabricated, path)
  assert path.read_text() == 'precious'
  with pytest.raises(errors.UsageError, match='NAME.npz'):
    weights.write(fabricated, tmp_path / 'a.pkl')
  with pytest.raises(errors.UsageError, match='folder'):
    weights.write(fabricated, tmp_path / 'no' / 'a.npz')


def test_foreign_weights_need_their_preprocessing(
    fabricated: metadata.Weights, tmp_path: pathlib.Path
) -> None:
  """Pixels are never guessed: a file that does not say asks for them."""
  path = tmp_path / 'a.h5'
  weights.write(fabricated, path)
  with pytest.raises(errors.UsageError, match='tf'):
    weights.read(path, _TINY, preprocessing='caffe')
  with h5py.File(path, 'r+') as root:
    del root.attrs[keras_files.CONTRACT_ATTRIBUTE]
  _refused(path, '--preprocessing')
  again = weights.read(path, _TINY, preprocessing='caffe')
  assert again.contract.preprocessing == 'caffe'


def test_top_of_the_full_keras_file_is_left_out_and_said(
    fabricated: metadata.Weights, tmp_path: pathlib.Path
) -> None:
  """The classifier of ImageNet's 1000 classes is no part of the backbone."""
  path = tmp_path / 'a.h5'
  weights.write(fabricated, path)
  with h5py.File(path, 'r+') as root:
    root.attrs.clear()
    for layer in ('fc1', 'fc2', 'predictions'):
      root[f'{layer}/{layer}_W_1:0'] = np.zeros((2, 2), 'f4')
  read = weights.read(path, _TINY, preprocessing='caffe')
  assert _equal(read, fabricated)
  assert read.dropped == ('fc1', 'fc2', 'predictions')
  assert 'without its layers fc1, fc2, predictions' in read.contract.source


@pytest.mark.parametrize('name', _FORMATS)
@pytest.mark.parametrize('share', [0.0, 0.001, 0.5, 0.999])
def test_truncated_file_is_refused(
    fabricated: metadata.Weights,
    tmp_path: pathlib.Path,
    name: str,
    share: float,
) -> None:
  """A download that broke off is noticed in every format."""
  path = tmp_path / name
  weights.write(fabricated, path)
  data = path.read_bytes()
  path.write_bytes(data[: int(len(data) * share)])
  _refused(path)


@pytest.mark.parametrize('name', _FORMATS)
def test_flipped_bit_is_refused(
    fabricated: metadata.Weights, tmp_path: pathlib.Path, name: str
) -> None:
  """One wrong bit of a tensor is noticed by the digests."""
  path = tmp_path / name
  weights.write(fabricated, path)
  data = bytearray(path.read_bytes())
  kernel = fabricated.params['block2_conv2']['kernel']
  data[data.index(kernel.tobytes()) + kernel.nbytes // 2] ^= 1
  path.write_bytes(data)
  _refused(path)


def _nan(root: Any) -> None:
  root['block2_conv1/block2_conv1/bias:0'][3] = np.nan


def _missing(root: Any) -> None:
  del root['block2_conv1/block2_conv1/bias:0']


def _replaced(**kwargs: Any) -> Any:
  def change(root: Any) -> None:
    _missing(root)
    root.create_dataset('block2_conv1/block2_conv1/bias:0', **kwargs)

  return change


def _external(root: Any) -> None:
  _missing(root)
  root['block2_conv1/bias:0'] = h5py.ExternalLink('/etc/passwd', '/x')


def _soft(root: Any) -> None:
  _missing(root)
  root['block2_conv1/bias:0'] = h5py.SoftLink('/block2_conv2')


def _twice(root: Any) -> None:
  root.create_dataset('other/block1_conv1/bias:0', data=np.zeros(8, 'f4'))


def _vgg19(root: Any) -> None:
  root.create_dataset('block3_conv4/bias:0', data=np.zeros(256, 'f4'))


def _odd_float(root: Any) -> None:
  """A type that NumPy does not have, as the fuzzer found one."""
  _missing(root)
  odd = h5py.h5t.IEEE_F32LE.copy()
  odd.set_ebias(2**24)
  h5py.h5d.create(
      root['block2_conv1/block2_conv1'].id,
      b'bias:0',
      odd,
      h5py.h5s.create_simple((8,)),
  )


def _contract(root: Any) -> None:
  root.attrs[keras_files.CONTRACT_ATTRIBUTE] = '{}'


@pytest.mark.parametrize(
    'change, said',
    [
        (_nan, 'block2_conv1/bias: 1 of 8 values are NaN'),
        (_missing, '- block2_conv1/bias (8,): missing'),
        (_replaced(data=np.zeros(3, 'f4')), 'shape is (3,), should be (8,)'),
        (_replaced(data=np.zeros(8, 'i4')), 'dtype is int32'),
        (_replaced(data=np.zeros(8, 'f8')), 'dtype is float64'),
        (_replaced(data=b'text'), '~ block2_conv1/bias'),
        (
            _replaced(shape=(2**40, 2**20), dtype='f4', chunks=(64, 64)),
            'shape is (1099511627776, 1048576)',
        ),
        (
            _replaced(
                shape=(8,),
                dtype='f4',
                external=[('/etc/passwd', 0, h5py.h5f.UNLIMITED)],
            ),
            'other files',
        ),
        (_replaced(data=np.ones(8, 'f4')), 'sha256'),
        (_external, 'an external link'),
        (_soft, 'a soft link'),
        (_twice, 'holds block1_conv1/bias twice'),
        (_vgg19, '+ block3_conv4/bias'),
        (_odd_float, 'damaged or truncated HDF5'),
        (_contract, 'lacks the keys'),
    ],
)
def test_bad_hdf5_is_refused(
    fabricated: metadata.Weights,
    tmp_path: pathlib.Path,
    change: Callable[..., Any],
    said: str,
) -> None:
  """No HDF5 file makes medxfer read other files, guess, or fill the memory."""
  path = tmp_path / 'a.h5'
  weights.write(fabricated, path)
  with h5py.File(path, 'r+') as root:
    change(root)
  _refused(path, said)


def _metadata_of(path: pathlib.Path) -> dict:
  with safetensors.safe_open(path, framework='numpy') as file:
    return file.metadata()


@pytest.mark.parametrize(
    'change, metadata_of, said',
    [
        ({}, lambda path: None, 'no metadata of medxfer'),
        ({}, lambda path: {'format': 'pt'}, 'no metadata of medxfer'),
        ({}, lambda path: {'medxfer': '{}'}, 'lacks the keys'),
        ({'block2_conv1/bias': None}, _metadata_of, 'is absent'),
        ({'more/bias': np.zeros(2, 'f4')}, _metadata_of, 'no such tensor'),
        ({'block2_conv1/bias': np.zeros(3, 'f4')}, _metadata_of, '(3,)'),
        ({'block2_conv1/bias': np.zeros(8, 'f8')}, _metadata_of, 'F64'),
        ({'block2_conv1/bias': np.zeros(8, 'f4')}, _metadata_of, 'sha256'),
    ],
)
def test_bad_safetensors_is_refused(
    fabricated: metadata.Weights,
    tmp_path: pathlib.Path,
    change: dict,
    metadata_of: Callable[..., Any],
    said: str,
) -> None:
  """A file of others, or with other tensors than its metadata says."""
  path = tmp_path / 'a.safetensors'
  weights.write(fabricated, path)
  held = metadata_of(path)
  tensors = metadata.flatten(fabricated.params) | change
  safetensors.numpy.save_file(
      {name: array for name, array in tensors.items() if array is not None},
      path,
      metadata=held,
  )
  _refused(path, said)


@pytest.mark.parametrize(
    'header',
    [
        b'{"a":{"dtype":"F32","shape":[1099511627776,1099511627776],'
        b'"data_offsets":[0,4]}}',
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4000]}}',
        b'{' * 100_000,
    ],
)
def test_a_forged_header_of_safetensors_is_refused(
    tmp_path: pathlib.Path, header: bytes
) -> None:
  """No header asks for more memory than the file has, or fills the stack."""
  path = tmp_path / 'a.safetensors'
  path.write_bytes(struct.pack('<Q', len(header)) + header + bytes(4))
  _refused(path, 'damaged or truncated safetensors')


def test_equal_weights_give_equal_safetensors(
    fabricated: metadata.Weights, tmp_path: pathlib.Path
) -> None:
  """A digest of the file then tells as much as the tensors."""
  for name in ('a.safetensors', 'b.safetensors'):
    weights.write(fabricated, tmp_path / name)
  assert (tmp_path / 'a.safetensors').read_bytes() == (
      tmp_path / 'b.safetensors'
  ).read_bytes()


def test_an_archive_of_another_version_is_refused(
    tmp_path: pathlib.Path,
) -> None:
  """As the fuzzer found one: Python's reader calls it not implemented."""
  path = tmp_path / 'a.npz'
  np.savez(path, a=np.zeros(1))
  content = bytearray(path.read_bytes())
  content[content.index(b'PK\x01\x02') + 6] = 250
  path.write_bytes(content)
  _refused(path, 'zip file version')


def test_hdf5_of_another_network_is_refused(tmp_path: pathlib.Path) -> None:
  """Its layers have other names and shapes."""
  with h5py.File(tmp_path / 'a.h5', 'w') as root:
    root.create_dataset('conv1/kernel:0', data=np.zeros((3, 3, 3, 64), 'f4'))
  _refused(tmp_path / 'a.h5', 'no Tiny VGG')


class _Bomb:

  def __reduce__(self) -> tuple:
    return (pytest.fail, ('a pickle was opened',))


@pytest.mark.parametrize('name', ['a.pkl', 'a.h5', 'a.npz', 'a.onnx'])
def test_pickle_is_refused_whatever_its_name(
    tmp_path: pathlib.Path, name: str
) -> None:
  """Opening a pickle would run its code; it is not opened."""
  path = tmp_path / name
  path.write_bytes(pickle.dumps(_Bomb()))
  _refused(path, 'pickle', '.weights.h5')


def test_torch_file_is_refused(tmp_path: pathlib.Path) -> None:
  """A PyTorch file is a zip with a pickle in it, and another VGG-16."""
  path = tmp_path / 'a.bin'
  with zipfile.ZipFile(path, 'w') as archive:
    archive.writestr('archive/data.pkl', pickle.dumps(_Bomb()))
  _refused(path, 'pickle')


@pytest.mark.parametrize('name', ['a.txt', 'a.h5', 'a.keras', 'a.safetensors'])
def test_unknown_content_is_refused(tmp_path: pathlib.Path, name: str) -> None:
  """Content decides, and the message lists what can be read."""
  path = tmp_path / name
  path.write_bytes(b'something else')
  _refused(path, '.weights.h5')


def test_missing_file_directory_and_empty_archive_are_refused(
    tmp_path: pathlib.Path,
) -> None:
  """What is no file is said to be none, with the way out."""
  _refused(tmp_path / 'none.h5', 'cannot be read')
  _refused(tmp_path, 'medxfer convert_weights')
  with zipfile.ZipFile(tmp_path / 'a.keras', 'w') as archive:
    archive.writestr('config.json', '{}')
  _refused(tmp_path / 'a.keras', 'model.weights.h5')
