"""Protects exported networks: every format computes what medxfer computes."""

import dataclasses
import json
import os
import pathlib
import sys
import zipfile

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest

from medxfer import classifier
from medxfer import errors
from medxfer import export
from medxfer import spec as specs
from medxfer.commands import convert_weights
from medxfer.model import initialization
from medxfer.model import preprocessing
from medxfer.model import vgg
from medxfer.recipes import ham
from medxfer.runs import run
from medxfer.runs import workdir
from tests import tiny

_SIZE = (34, 48)  # Not square: rows and columns must not be exchanged.
_CLASSES = ('nevus', 'melanoma', 'é')
_TOLERANCE = 1e-5


def _network(mode: str = 'caffe', name: str = 'tiny') -> export.ExportedNetwork:
  config = ham.get_config('last_block,tuned,cpu')
  config.model.name, config.model.preprocessing = name, mode
  spec = specs.from_config(config).model
  drawn = initialization.initial_params(
      vgg.build(spec, len(_CLASSES)), _SIZE, jax.random.key(0), None
  )
  rng = np.random.default_rng(0)
  params = {
      layer: {
          'kernel': np.asarray(leaves['kernel']),
          'bias': rng.normal(size=leaves['bias'].shape).astype('f4') / 10,
      }
      for layer, leaves in drawn.items()
  }
  # Else the probabilities of large pixels are 0 and 1.
  params['predictions']['kernel'] = params['predictions']['kernel'] / 50
  return export.ExportedNetwork(
      spec=spec, params=params, image_size=_SIZE, class_names=_CLASSES
  )


def _images(batch: int, size: tuple[int, int] = _SIZE) -> np.ndarray:
  return np.random.default_rng(1).integers(
      0, 256, (batch, *size, 3), dtype=np.uint8
  )


def _expected(
    network: export.ExportedNetwork, images: np.ndarray
) -> np.ndarray:
  model = vgg.build(network.spec, len(network.class_names))
  logits, _ = model.apply(
      {'params': network.params},
      preprocessing.preprocess(jnp.asarray(images), network.spec.preprocessing),
  )
  return np.asarray(jax.nn.softmax(logits))


def _keras(path: pathlib.Path, images: np.ndarray) -> tuple:
  os.environ.setdefault('KERAS_BACKEND', 'tensorflow')
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
  keras = pytest.importorskip('keras', reason='needs Keras')
  # In its safe mode, which refuses code of the file.
  model = keras.saving.load_model(path, safe_mode=True)
  with zipfile.ZipFile(path) as archive:
    about = json.loads(archive.read('medxfer.json'))
  np.testing.assert_allclose(
      model.predict(images.astype(np.float32), verbose=0),
      model.predict(images, verbose=0),
      atol=1e-7,
  )
  return model.predict(images, verbose=0), about['class_names']


def _onnx(path: pathlib.Path, images: np.ndarray) -> tuple:
  onnxruntime = pytest.importorskip('onnxruntime', reason='needs ONNX Runtime')
  session = onnxruntime.InferenceSession(os.fspath(path))
  [found] = session.run(None, {'images': images.astype(np.float32)})
  about = session.get_modelmeta().custom_metadata_map
  return found, json.loads(about['class_names'])


def _stablehlo(path: pathlib.Path, images: np.ndarray) -> tuple:
  with zipfile.ZipFile(path) as archive:
    about = json.loads(archive.read('medxfer.json'))
    network = jax.export.deserialize(bytearray(archive.read('network.bin')))
  assert network.platforms == ('cpu', 'cuda', 'tpu')
  found = network.call(jnp.asarray(images, jnp.float32))
  return np.asarray(found), about['class_names']


_LOADERS = {'.keras': _keras, '.onnx': _onnx, '.stablehlo': _stablehlo}


def _assert_equal(network: export.ExportedNetwork, path: pathlib.Path) -> None:
  for batch in (1, 3):
    images = _images(batch, network.image_size)
    expected = _expected(network, images)
    assert 0.01 < expected.max() < 0.99, 'probabilities that tell nothing'
    found, names = _LOADERS[path.suffix](path, images)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=_TOLERANCE)
    assert tuple(names) == network.class_names


@pytest.mark.parametrize('suffix', export.SUFFIXES)
@pytest.mark.parametrize('mode', ['caffe', 'tf', 'rescale'])
def test_formats_give_the_same_probabilities(
    tmp_path: pathlib.Path, mode: str, suffix: str
) -> None:
  """For any batch size, with the preprocessing inside."""
  network, path = _network(mode), tmp_path / f'model{suffix}'
  export.export(network, path)
  _assert_equal(network, path)
  assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
@pytest.mark.parametrize('suffix', export.SUFFIXES)
def test_vgg16_gives_the_same_probabilities(
    tmp_path: pathlib.Path, suffix: str
) -> None:
  """As `tiny`, with as many channels as Winograd's convolutions need."""
  network, path = _network(name='vgg16'), tmp_path / f'model{suffix}'
  export.export(network, path)
  _assert_equal(network, path)


@pytest.fixture(scope='module')
def trained(
    phantoms: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> pathlib.Path:
  """The workdir of a finished run of the architecture `tiny`."""
  path = tmp_path_factory.mktemp('run') / 'w'
  config = tiny.config(phantoms)
  config.model.name = 'tiny'
  run.run(specs.from_config(config), path)
  return path


@pytest.mark.parametrize('suffix', export.SUFFIXES)
def test_the_command_exports_a_run(
    trained: pathlib.Path, tmp_path: pathlib.Path, suffix: str
) -> None:
  """With the class names, the image size and the calibration of the run."""
  path = tmp_path / f'model{suffix}'
  lines = convert_weights.convert(trained, path)
  assert lines[-1] == f'wrote          {path}'
  assert not any('left out' in line for line in lines)
  spec = workdir.Workdir(trained).spec()
  read = classifier.load(trained).network.weights
  assert read.contract.architecture == 'tiny'
  assert workdir.Workdir(trained).summary()['calibration']['temperature'] != 1
  _assert_equal(
      export.ExportedNetwork(
          spec.model, read.params, spec.data.image_size, read.contract.classes
      ),
      path,
  )


def test_a_file_of_weights_is_no_network(
    trained: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """It does not say for which image size its head is."""
  source = tmp_path / 'a.safetensors'
  convert_weights.convert(trained, source)
  with pytest.raises(errors.UsageError, match='needs the workdir of a run'):
    convert_weights.convert(source, tmp_path / 'a.onnx')
  assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize(
    'library, suffix', [('onnx', '.onnx'), ('keras', '.keras')]
)
def test_a_missing_library_is_named(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    library: str,
    suffix: str,
) -> None:
  """With what installs it; nothing half-written stays."""
  monkeypatch.setitem(sys.modules, library, None)
  with pytest.raises(errors.DataError, match=f'pip install {library}'):
    export.export(_network(), tmp_path / f'model{suffix}')
  assert not list(tmp_path.iterdir())


def test_what_cannot_be_exported_is_refused(tmp_path: pathlib.Path) -> None:
  """Before a library is loaded or a file is written."""
  network = _network()
  with pytest.raises(errors.UsageError, match='NAME.onnx'):
    export.export(network, tmp_path / 'model.pb')
  for change in ({'image_size': (64, 64)}, {'class_names': ('a',)}):
    with pytest.raises(errors.DataError, match='image size and the class'):
      export.export(
          dataclasses.replace(network, **change), tmp_path / 'model.onnx'
      )
  path = tmp_path / 'model.onnx'
  path.write_text('precious')
  with pytest.raises(errors.UsageError, match='overwrite'):
    export.export(network, path)
  assert path.read_text() == 'precious'
