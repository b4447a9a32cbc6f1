"""Protects the contract of weights, its comparison, and the way to a file."""

import dataclasses
import hashlib
import json
import pathlib
import subprocess
import sys
from typing import Any

import h5py
import numpy as np
import pytest

from medxfer import errors
from medxfer import files
from medxfer.model import architectures
from medxfer.model import weights
from medxfer.model.architectures import architecture
from medxfer.model.weights import locating
from medxfer.model.weights import metadata
from medxfer.model.weights import verifying

_VGG16 = architectures.BY_NAME['vgg16']
_VGG19 = architectures.BY_NAME['vgg19']
_TINY = architectures.BY_NAME['tiny']
_TOY = architectures.Architecture('toy', 'Toy', depths=(1,), widths=(2,))


def _small(**head: Any) -> metadata.Weights:
  params = {
      'block1_conv1': {
          'kernel': np.ones((3, 3, 3, 2), np.float32),
          'bias': np.zeros(2, np.float32),
      },
      **head,
  }
  return weights.Weights(
      params,
      weights.describe(
          params,
          architecture='tiny',
          source='made up',
          preprocessing='caffe',
          classes=('a', 'b'),
      ),
  )


_HEAD = {
    'predictions': {
        'kernel': np.ones((2, 2), np.float32),
        'bias': np.ones(2, np.float32),
    }
}


def test_contract_survives_json() -> None:
  """A contract written to JSON and read again is the same, digest included."""
  promise = _small().contract
  again = metadata.Contract.from_json(promise.to_json())
  assert again == promise
  assert again.digest == promise.digest


def test_digest_names_every_tensor() -> None:
  """The digest that runs record changes with any value and any name."""
  one = _small()
  assert one.contract.digest != _small(**_HEAD).contract.digest
  other = _small()
  other.params['block1_conv1']['bias'][0] = 1e-30
  assert (
      weights.describe(
          other.params, architecture='tiny', source='', preprocessing='caffe'
      ).digest
      != one.contract.digest
  )


@pytest.mark.parametrize(
    'change, said',
    [
        ({'version': 2}, "'version' is 2"),
        ({'version': True}, "'version' is no int"),
        ({'format': 'other'}, "'format'"),
        ({'architecture': 'vgg11'}, "'architecture' is 'vgg11'"),
        ({'preprocessing': 'torch'}, "'preprocessing'"),
        ({'classes': 'ab'}, "'classes' is no list"),
        ({'classes': [1]}, "'classes'"),
        ({'extra': 1}, "unknown keys ['extra']"),
        ({'source': None}, "'source' is no str"),
        ({'tensors': {'a/b': {'shape': [1]}}}, "'a/b' lacks the keys"),
        (
            {'tensors': {'a/b': {'shape': [-1], 'dtype': '', 'sha256': ''}}},
            'whole sizes',
        ),
    ],
)
def test_contract_refuses_other_json(change: dict, said: str) -> None:
  """A contract of another version, or with another key, is never guessed at."""
  fields = json.loads(_small().contract.to_json())
  with pytest.raises(errors.DataError) as caught:
    metadata.Contract.from_json(json.dumps(fields | change), path='f.npz')
  assert said in str(caught.value) and 'f.npz' in str(caught.value)


@pytest.mark.parametrize('text', ['', '[]', '{"format":', '[' * 100_000])
def test_contract_refuses_what_is_no_object(text: str) -> None:
  """Damaged JSON is reported as such, whatever the parser raises."""
  with pytest.raises(errors.DataError):
    metadata.Contract.from_json(text)


def test_describe_refuses_other_numbers() -> None:
  """Weights are float32 and their preprocessing is one that medxfer has."""
  with pytest.raises(errors.UsageError, match='float64'):
    weights.describe(
        {'a': {'b': np.zeros(1)}},
        architecture='tiny',
        source='',
        preprocessing='caffe',
    )
  with pytest.raises(errors.UsageError, match='torch'):
    weights.describe({}, architecture='tiny', source='', preprocessing='torch')


def _damaged(name: str, value: np.ndarray | None) -> metadata.Weights:
  good = _small()
  layer, leaf = name.split('/')
  params = {k: dict(v) for k, v in good.params.items()}
  if value is None:
    del params[layer][leaf]
  else:
    params.setdefault(layer, {})[leaf] = np.asarray(value)
  return dataclasses.replace(good, params=params)


@pytest.mark.parametrize(
    'name, value, said',
    [
        ('block1_conv1/bias', None, '- block1_conv1/bias (2,): missing'),
        (
            'block1_conv1/bias',
            np.zeros(3, np.float32),
            'shape is (3,), should be (2,)',
        ),
        ('block1_conv1/bias', np.zeros(2), 'dtype is float64'),
        ('block1_conv1/bias', np.float32([0, np.nan]), '1 of 2 values are NaN'),
        ('block1_conv1/bias', np.float32([np.inf, 0]), 'NaN or infinite'),
        ('block1_conv1/bias', np.float32([0, 1]), 'the contract announces'),
        ('block3_conv4/bias', np.zeros(2, np.float32), '+ block3_conv4/bias'),
        ('fc1/bias', np.zeros(2, np.float32), '+ fc1/bias'),
    ],
)
def test_verify_reports(name: str, value: np.ndarray | None, said: str) -> None:
  """Each way in which weights can be wrong is said with the tensor's name."""
  with pytest.raises(errors.DataError) as caught:
    weights.verify(_damaged(name, value), _TOY, path='f.npz')
  assert said in str(caught.value) and 'f.npz' in str(caught.value)


def test_verify_keeps_or_drops_a_head_only_when_told() -> None:
  """A head is refused, kept or left out, as the caller says; never silently."""
  headed = _small(**_HEAD)
  with pytest.raises(errors.DataError, match='predictions'):
    weights.verify(headed, _TOY, path='f')
  kept = weights.verify(headed, _TOY, path='f', allow_head=True)
  assert kept is headed
  bare = weights.verify(headed, _TOY, path='f', drop=['predictions'])
  assert list(bare.params) == ['block1_conv1']
  assert bare.contract.digest == _small().contract.digest
  assert bare.contract.classes == () and bare.dropped == ('predictions',)
  with pytest.raises(errors.UsageError, match='fc9'):
    weights.verify(headed, _TOY, path='f', drop=['fc9'])


def test_importing_weights_imports_nothing_heavy() -> None:
  """Launchers answer at once, and converting needs neither JAX nor Keras."""
  heavy = 'jax', 'flax', 'tensorflow', 'keras', 'onnx', 'torch'
  code = (
      'import sys, medxfer.model.weights, medxfer.commands.convert_weights; '
      f'print([name for name in {heavy} if name in sys.modules])'
  )
  done = subprocess.run(
      [sys.executable, '-c', code], capture_output=True, text=True, check=True
  )
  assert done.stdout.strip() == '[]'


def test_official_weights_are_recognised(real_weights: pathlib.Path) -> None:
  """ImageNet's numbers are known bit for bit, and nothing else is."""
  imagenet = weights.read(real_weights, _VGG16)
  assert '26 of 26' in weights.recognise(imagenet.params, _VGG16)
  assert imagenet.contract.preprocessing == 'caffe'
  assert imagenet.contract.digest.startswith('03a89260cabcee87')
  imagenet.params['block5_conv3']['bias'][511] *= np.float32(1.0000002)
  assert weights.recognise(imagenet.params, _VGG16) is None
  assert weights.recognise({}, _VGG16) is None


def _published(path: pathlib.Path) -> architectures.Architecture:
  """Returns the architecture `tiny`, with `path` as its published file."""
  return dataclasses.replace(
      _TINY,
      pretrained=architectures.Pretrained(
          title='The published one',
          url='https://x.org/tiny.h5',
          md5=hashlib.md5(path.read_bytes()).hexdigest(),
          preprocessing='caffe',
      ),
  )


def test_a_published_file_is_recognised_by_its_md5(
    fabricated: metadata.Weights,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
  """As that of VGG-19, of which no digests are known."""
  path = tmp_path / 'a.h5'
  weights.write(fabricated, path)
  with h5py.File(path, 'r+') as root:
    root.attrs.clear()
  known = _published(path)
  monkeypatch.setattr(architectures, 'BY_NAME', {'tiny': known})
  read = weights.read(path, known)
  assert read.contract.preprocessing == 'caffe'
  assert read.contract.source.startswith('The published one (the file')
  assert 'MD5' in weights.origin(read, path)
  with pytest.raises(errors.UsageError, match='caffe'):
    weights.read(path, known, preprocessing='thesis')
  # What was converted still says where it comes from.
  weights.write(read, tmp_path / 'b.safetensors')
  again = weights.read(tmp_path / 'b.safetensors', known)
  assert 'The published one' in weights.origin(
      again, tmp_path / 'b.safetensors'
  )
  path.write_bytes(path.read_bytes() + b'0')
  assert weights.recognise(read.params, known, path) is None


@pytest.mark.parametrize(
    'name', ['a.npz', 'a.safetensors', 'a.h5', 'a.weights.h5']
)
def test_another_architecture_is_refused_or_found_out(
    fabricated: metadata.Weights, tmp_path: pathlib.Path, name: str
) -> None:
  """The message names both, and how to train what the file holds."""
  path = tmp_path / name
  weights.write(fabricated, path)
  with pytest.raises(errors.DataError) as caught:
    weights.read(path, _VGG19)
  for said in (name, 'Tiny VGG', 'VGG-19', '--config.model.name=tiny'):
    assert said in str(caught.value)
  assert weights.read(path, None).contract.architecture == 'tiny'


def test_a_file_of_the_first_version_is_read() -> None:
  """It said 'vgg16', the only architecture there was."""
  text = (
      '{"architecture": "vgg16", "classes": [], "format": "medxfer-weights", '
      '"preprocessing": "caffe", "source": "x", "tensors": {"fc1/bias": '
      '{"dtype": "float32", "sha256": "0", "shape": [2]}}, "version": 1}'
  )
  assert metadata.Contract.from_json(text).architecture == 'vgg16'


def test_named_weights_are_used_or_an_error(tmp_path: pathlib.Path) -> None:
  """A path that somebody named is never replaced by another one."""
  file, other = tmp_path / 'a.h5', tmp_path / 'b.h5'
  file.touch()
  other.touch()
  environ = {locating.VARIABLE: str(other)}
  assert weights.locate(str(file), _VGG16, environ=environ) == file
  assert weights.locate('', _VGG16, environ=environ) == other
  with pytest.raises(errors.DataError, match='config.model.weights'):
    weights.locate(str(tmp_path / 'none.h5'), _VGG16, environ=environ)
  with pytest.raises(errors.DataError, match='MEDXFER_WEIGHTS'):
    weights.locate(
        None, _VGG16, environ={locating.VARIABLE: str(tmp_path / 'no')}
    )


def test_a_folder_may_hold_the_weights_of_several_architectures(
    tmp_path: pathlib.Path,
) -> None:
  """Each is found by Keras' name of its file, or by medxfer's."""
  environ = {locating.VARIABLE: str(tmp_path)}
  vgg16 = tmp_path / 'vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5'
  vgg16.touch()
  (tmp_path / 'vgg19.npz').touch()
  assert weights.locate('', _VGG16, environ=environ) == vgg16
  assert weights.locate('', _VGG19, environ=environ) == tmp_path / 'vgg19.npz'
  assert weights.locate(str(tmp_path), _VGG16, environ={}) == vgg16
  (tmp_path / 'vgg19.npz').unlink()
  with pytest.raises(errors.DataError, match='no weights of VGG-19.*vgg19_'):
    weights.locate('', _VGG19, environ=environ)


@pytest.mark.parametrize(
    'architecture, ways',
    [
        (_VGG16, ('medxfer[imagenet]', _VGG16.pretrained.url)),
        (_VGG19, ('VGG-19', _VGG19.pretrained.url)),
    ],
)
def test_locate_looks_into_keras_cache_then_the_package(
    tmp_path: pathlib.Path, architecture: architecture.Architecture, ways: tuple
) -> None:
  """Without a name: Keras' cache, then a package, then a way to get them."""
  environ = {'KERAS_HOME': str(tmp_path)}
  with pytest.raises(errors.DataError) as caught:
    weights.locate(
        '', architecture, environ=environ, package='medxfer_no_such_package'
    )
  for way in (*ways, 'MEDXFER_WEIGHTS', 'random'):
    assert way in str(caught.value)
  cached = tmp_path / 'models' / locating.file_names(architecture)[0]
  cached.parent.mkdir()
  cached.touch()
  assert weights.locate(None, architecture, environ=environ) == cached


def test_an_architecture_without_published_weights_says_so(
    fabricated: metadata.Weights, tmp_path: pathlib.Path
) -> None:
  """And what to do, whatever the user has set for the others."""
  for environ in ({}, {locating.VARIABLE: str(tmp_path)}):
    with pytest.raises(errors.DataError, match='no published.*`random`'):
      weights.locate('', _TINY, environ=environ)
  with pytest.raises(errors.DataError, match='no published.*`random`'):
    verifying.refuse_another(_VGG16, _TINY, tmp_path)
  weights.write(fabricated, tmp_path / 'tiny.npz')
  path = weights.locate(str(tmp_path), _TINY, environ={})
  assert weights.read(path, _TINY).contract == fabricated.contract


def test_interrupted_write_leaves_the_old_file(tmp_path: pathlib.Path) -> None:
  """Whatever stops a write, the old file stays and nothing half is left."""
  path = tmp_path / 'a.npz'
  path.write_text('old')
  with pytest.raises(KeyboardInterrupt):
    with files.replacing(path) as temporary:
      temporary.write_text('half')
      raise KeyboardInterrupt
  assert path.read_text() == 'old' and list(tmp_path.iterdir()) == [path]
