"""Protects the exchange of weights with the real Keras, both ways."""

from collections.abc import Callable
import os
import pathlib
import types
from typing import Any

import h5py
import numpy as np
import pytest

from medxfer import errors
from medxfer.model import architectures
from medxfer.model import weights
from medxfer.model.weights import metadata
from tests.model import conftest

_VGG16 = architectures.BY_NAME['vgg16']
_VGG19 = architectures.BY_NAME['vgg19']


@pytest.fixture(scope='module')
def keras() -> types.ModuleType:
  """Keras on TensorFlow; skips where it is not installed."""
  os.environ.setdefault('KERAS_BACKEND', 'tensorflow')
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
  return pytest.importorskip('keras', reason='needs Keras')


@pytest.fixture(scope='module')
def fabricated() -> weights.Weights:
  """Random VGG-16 weights; no test may change them."""
  return conftest.fabricate(0, 'vgg16')


@pytest.fixture(scope='module')
def backbone(keras: types.ModuleType, fabricated: metadata.Weights) -> Any:
  """keras.applications.VGG16 that holds the fabricated weights."""
  return _model(keras.applications.VGG16, fabricated)


def _model(make: Callable[..., Any], fabricated: metadata.Weights) -> Any:
  model = make(weights=None, include_top=False, input_shape=(32, 32, 3))
  for layer, held in fabricated.params.items():
    model.get_layer(layer).set_weights([held['kernel'], held['bias']])
  return model


def _assert_equal(params: dict, fabricated: metadata.Weights) -> None:
  one, other = metadata.flatten(params), metadata.flatten(fabricated.params)
  assert one.keys() == other.keys()
  for name, array in one.items():
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, other[name], err_msg=name)


def _params(model: Any) -> dict:
  return {
      layer: dict(
          zip(
              ('kernel', 'bias'),
              model.get_layer(layer).get_weights(),
              strict=True,
          )
      )
      for layer in _VGG16.convolutions
  }


@pytest.mark.parametrize('name', ['a.h5', 'a.weights.h5'])
def test_keras_loads_what_medxfer_writes(
    keras: types.ModuleType,
    fabricated: metadata.Weights,
    tmp_path: pathlib.Path,
    name: str,
) -> None:
  """Both of Keras' doors take the file, and every bit arrives."""
  weights.write(fabricated, tmp_path / name)
  model = keras.applications.VGG16(
      weights=str(tmp_path / name), include_top=False
  )
  _assert_equal(_params(model), fabricated)
  for layer in _VGG16.convolutions:
    zeros = [np.zeros_like(w) for w in model.get_layer(layer).get_weights()]
    model.get_layer(layer).set_weights(zeros)
  model.load_weights(str(tmp_path / name))
  _assert_equal(_params(model), fabricated)


@pytest.mark.parametrize('name', ['a.weights.h5', 'a.keras', 'a.h5'])
def test_medxfer_reads_what_keras_saves(
    backbone: Any,
    fabricated: metadata.Weights,
    tmp_path: pathlib.Path,
    name: str,
) -> None:
  """The plain backbone is read from all three kinds of file."""
  path = tmp_path / name
  save = backbone.save_weights if 'weights' in name else backbone.save
  save(str(path))
  read = weights.read(path, _VGG16, preprocessing='tf')
  _assert_equal(read.params, fabricated)
  assert read.dropped == ()
  assert read.contract.digest == fabricated.contract.digest


@pytest.fixture(scope='module')
def users_model(keras: types.ModuleType, backbone: Any) -> Any:
  """A VGG16 nested under a new head, trained for a step with Adam.

  Adam's moments have the shapes and names of weights and must not be taken
  for them.
  """
  model = keras.Sequential(
      [
          backbone,
          keras.layers.Flatten(),
          keras.layers.Dense(3, name='my_head', activation='softmax'),
      ]
  )
  model.compile(keras.optimizers.Adam(0.0), 'categorical_crossentropy')
  model.train_on_batch(np.zeros((1, 32, 32, 3)), np.eye(3)[:1])
  return model


@pytest.mark.parametrize('name', ['a.weights.h5', 'a.keras', 'a.h5'])
def test_backbone_inside_a_users_model_is_found(
    users_model: Any,
    fabricated: metadata.Weights,
    tmp_path: pathlib.Path,
    name: str,
) -> None:
  """The nested backbone is found; the new head is named as dropped."""
  path = tmp_path / name
  save = users_model.save_weights if 'weights' in name else users_model.save
  save(str(path))
  read = weights.read(path, _VGG16, preprocessing='tf')
  _assert_equal(read.params, fabricated)
  assert read.dropped == ('my_head',)
  assert 'my_head' in read.contract.source


def test_file_of_an_older_keras_without_names(
    backbone: Any, fabricated: metadata.Weights, tmp_path: pathlib.Path
) -> None:
  """Early Keras 3 wrote no layer names; order and shapes tell the layers."""
  path = tmp_path / 'a.weights.h5'
  backbone.save_weights(str(path))
  with h5py.File(path, 'r+') as root:
    for group in root['layers'].values():
      group['vars'].attrs.clear()
  read = weights.read(path, _VGG16, preprocessing='tf')
  _assert_equal(read.params, fabricated)
  assert 'order' in read.contract.source
  with h5py.File(path, 'r+') as root:
    del root['layers/conv2d_12']
  with pytest.raises(errors.DataError, match='no VGG-16'):
    weights.read(path, _VGG16, preprocessing='tf')


@pytest.mark.parametrize('share', [0.5, 0.9999])
def test_truncated_keras_archive_is_refused(
    backbone: Any, tmp_path: pathlib.Path, share: float
) -> None:
  """A .keras file that broke off is noticed."""
  path = tmp_path / 'a.keras'
  backbone.save(str(path))
  data = path.read_bytes()
  path.write_bytes(data[: int(len(data) * share)])
  with pytest.raises(errors.DataError, match='a.keras'):
    weights.read(path, _VGG16, preprocessing='tf')


@pytest.mark.parametrize('name', ['a.weights.h5', 'a.keras', 'a.h5'])
def test_vgg19_is_read_and_does_not_pass_for_vgg16(
    keras: types.ModuleType, tmp_path: pathlib.Path, name: str
) -> None:
  """VGG-19 holds all of VGG-16's names and shapes, and three more layers."""
  fabricated = conftest.fabricate(1, 'vgg19')
  model = _model(keras.applications.VGG19, fabricated)
  save = model.save_weights if 'weights' in name else model.save
  save(str(tmp_path / name))
  with pytest.raises(errors.DataError, match='VGG-19, not of VGG-16.*vgg19'):
    weights.read(tmp_path / name, _VGG16, preprocessing='caffe')
  for asked in (None, _VGG19):
    read = weights.read(tmp_path / name, asked, preprocessing='caffe')
    assert read.contract.architecture == 'vgg19'
    _assert_equal(read.params, fabricated)


@pytest.mark.parametrize('name', ['a.h5', 'a.weights.h5'])
def test_keras_loads_vgg19_from_medxfer(
    keras: types.ModuleType, tmp_path: pathlib.Path, name: str
) -> None:
  """As it loads VGG-16."""
  fabricated = conftest.fabricate(1, 'vgg19')
  weights.write(fabricated, tmp_path / name)
  model = keras.applications.VGG19(
      weights=str(tmp_path / name), include_top=False
  )
  for layer, held in fabricated.params.items():
    kernel, bias = model.get_layer(layer).get_weights()
    np.testing.assert_array_equal(kernel, held['kernel'])
    np.testing.assert_array_equal(bias, held['bias'])


def test_batch_normalization_of_keras_is_refused(
    keras: types.ModuleType, backbone: Any, tmp_path: pathlib.Path
) -> None:
  """In each of Keras' formats: these weights belong to another function."""
  model = keras.Sequential([keras.Input((32, 32, 3))])
  for layer in backbone.layers[1:]:
    model.add(type(layer).from_config(layer.get_config()))
    if 'conv' in layer.name:
      model.add(keras.layers.BatchNormalization())
  for name in ('a.keras', 'a.h5', 'a.weights.h5'):
    save = model.save_weights if 'weights' in name else model.save
    save(str(tmp_path / name))
    with pytest.raises(errors.DataError, match='batch_normalization'):
      weights.read(tmp_path / name, _VGG16, preprocessing='tf')
