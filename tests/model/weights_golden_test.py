"""Protects the network itself: with ImageNet's weights it computes as Keras.

The golden file was written by golden/make_golden.py, which says how.
"""

import os
import pathlib
import types
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medxfer.model import architectures
from medxfer.model import preprocessing
from medxfer.model import vgg
from medxfer.model import weights
from medxfer.model.weights import metadata

_VGG16 = architectures.BY_NAME['vgg16']

_GOLDEN = pathlib.Path(__file__).parent / 'golden' / 'vgg16_imagenet.npz'
_POOLS = tuple(f'{block}_pool' for block in _VGG16.blocks)
_TOLERANCE = 1e-5


@pytest.fixture(scope='module')
def imagenet(real_weights: pathlib.Path) -> metadata.Weights:
  """The official weights."""
  return weights.read(real_weights, _VGG16)


def _pools(imagenet: metadata.Weights, images: np.ndarray) -> dict:
  """Returns `blockN_pool` -> array for uint8 or float RGB images."""
  architecture = architectures.BY_NAME[imagenet.contract.architecture]
  model = vgg.VGG(architecture, classes=2, head_units=(4, 4))
  pixels = preprocessing.preprocess(
      jnp.asarray(images), imagenet.contract.preprocessing
  )
  # Initializing takes ten times as long as what is tested.
  shapes = jax.eval_shape(model.init, jax.random.key(0), pixels)['params']
  head = {name: shapes[name] for name in architecture.head}
  params = dict(imagenet.params) | jax.tree.map(
      lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), head
  )
  _, activations = jax.jit(model.apply)({'params': params}, pixels)
  return {name: np.asarray(activations[name]) for name in _POOLS}


@pytest.mark.parametrize('size', ['32x48', '64x64'])
def test_blocks_reproduce_the_golden_file(
    imagenet: metadata.Weights, size: str
) -> None:
  """Pixels, layout, padding and weights are Keras' in every block."""
  with np.load(_GOLDEN, allow_pickle=False) as golden:
    outputs = _pools(imagenet, golden[f'{size}/image'][None])
    for name in _POOLS:
      values = outputs[name].ravel()
      mean, deviation, largest = golden[f'{size}/{name}/summary']
      expected = golden[f'{size}/{name}/values']
      error = np.abs(values[golden[f'{size}/{name}/places']] - expected).max()
      assert error <= _TOLERANCE * largest, name
      assert abs(values.max() - largest) <= _TOLERANCE * largest, name
      assert abs(values.mean(dtype=np.float64) - mean) <= _TOLERANCE * mean
      assert abs(values.std(dtype=np.float64) - deviation) <= (
          _TOLERANCE * deviation
      )


def _natural(batch: Any, height: int, width: int) -> Any:
  """Returns uint8 images with the falling spectrum of natural ones."""
  rng = np.random.default_rng(7)
  fy, fx = np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None]
  fall = 1 / np.maximum(np.hypot(fy, fx), 1 / max(height, width))
  noise = np.fft.fft2(rng.standard_normal((batch, 3, height, width)))
  waves = np.real(np.fft.ifft2(noise * fall)).transpose(0, 2, 3, 1)
  spread = waves / waves.std(axis=(1, 2, 3), keepdims=True)
  return np.clip(128 + 55 * spread, 0, 255).astype(np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize(
    'batch, height, width', [(1, 224, 224), (2, 96, 96), (2, 64, 160)]
)
def test_blocks_equal_kerass(
    imagenet: metadata.Weights,
    real_weights: pathlib.Path,
    tmp_path: pathlib.Path,
    record_property: Any,
    batch: Any,
    height: int,
    width: int,
) -> None:
  """Every block equals keras.applications.VGG16 run side by side."""
  del real_weights
  keras = _keras()
  weights.write(imagenet, tmp_path / 'a.h5')
  theirs = keras.applications.VGG16(
      weights=str(tmp_path / 'a.h5'), include_top=False
  )
  _compare(
      keras, theirs, imagenet, _natural(batch, height, width), record_property
  )


@pytest.mark.slow
def test_blocks_of_vgg19_equal_kerass(
    tmp_path: pathlib.Path, record_property: Any
) -> None:
  """With random weights, through a file of Keras; see `weights_keras_test`."""
  keras = _keras()
  theirs = keras.applications.VGG19(weights=None, include_top=False)
  theirs.save_weights(str(tmp_path / 'a.weights.h5'))
  read = weights.read(
      tmp_path / 'a.weights.h5',
      architectures.BY_NAME['vgg19'],
      preprocessing='caffe',
  )
  _compare(keras, theirs, read, _natural(2, 64, 96), record_property)


def _keras() -> Any:
  os.environ.setdefault('KERAS_BACKEND', 'tensorflow')
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
  return pytest.importorskip('keras', reason='needs Keras')


def _compare(
    keras: types.ModuleType,
    theirs: Any,
    imagenet: metadata.Weights,
    images: Any,
    record_property: Any,
) -> None:
  probe = keras.Model(
      theirs.input, [theirs.get_layer(name).output for name in _POOLS]
  )
  pixels = keras.applications.vgg16.preprocess_input(images.astype(np.float32))
  outputs = _pools(imagenet, images)
  for name, expected in zip(_POOLS, probe(pixels), strict=True):
    expected = np.asarray(expected)
    error = np.abs(outputs[name] - expected).max() / np.abs(expected).max()
    print(f'{images.shape} {name}: relative error {error:.1e}')
    record_property(name, float(error))
    assert error <= _TOLERANCE, name
