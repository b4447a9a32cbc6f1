"""Protects against weights that fit VGG-16 and belong to another function."""

import json
import pathlib
from typing import Any

import h5py
import numpy as np
import pytest

from medxfer import errors
from medxfer.model import architectures
from medxfer.model import weights
from medxfer.model.weights import keras_graph
from medxfer.model.weights import metadata

_TINY = architectures.BY_NAME['tiny']
_VGG16 = architectures.BY_NAME['vgg16']
_PATH = pathlib.Path('model.keras')


def _layer(kind: str, name: str, **config: Any) -> dict:
  return {'class_name': kind, 'config': {'name': name, **config}}


def _conv(name: str, **changes: Any) -> dict:
  return _layer(
      'Conv2D',
      name,
      **{
          'kernel_size': [3, 3],
          'strides': [1, 1],
          'padding': 'same',
          'dilation_rate': [1, 1],
          'groups': 1,
          'use_bias': True,
          'activation': 'relu',
          **changes,
      },
  )


def _vgg16(**changes: Any) -> list:
  """Layers of a plain VGG-16, each with its own changes by name."""
  found, block = [], 'block1'
  for name in _VGG16.convolutions:
    if not name.startswith(block):
      found.append(
          _layer(
              'MaxPooling2D', f'{block}_pool', pool_size=[2, 2], strides=[2, 2]
          )
      )
      block = name.split('_')[0]
    found.append(_conv(name, **changes.get(name, {})))
  return found


def _parsed(
    found: list, *, before: list | tuple = (), after: list | tuple = ()
) -> list:
  nested = {'class_name': 'Functional', 'config': {'layers': found}}
  text = json.dumps(
      {
          'class_name': 'Sequential',
          'config': {'layers': [*before, nested, *after]},
      }
  )
  return keras_graph.parse(text, _PATH)


def _inserted(place: int, layer: dict) -> list:
  found = _vgg16()
  found.insert(place, layer)
  return found


def test_a_plain_vgg16_passes_with_any_head() -> None:
  """What stands before and after the convolutions is not theirs."""
  found = _inserted(3, _layer('Dropout', 'drop'))
  keras_graph.check(
      _parsed(
          found,
          before=[_layer('RandomFlip', 'flip')],
          after=[_layer('BatchNormalization', 'bn'), _layer('Dense', 'dense')],
      ),
      _VGG16,
      _PATH,
  )


@pytest.mark.parametrize(
    'found, culprit',
    [
        (_inserted(1, _layer('BatchNormalization', 'bn1')), "'bn1'"),
        (_inserted(4, _layer('LayerNormalization', 'ln')), "'ln'"),
        (_inserted(5, _layer('SqueezeExcite', 'attention')), "'attention'"),
        (_inserted(2, _layer('AveragePooling2D', 'average')), "'average'"),
        (_vgg16(block2_conv1={'strides': [2, 2]}), 'strides'),
        (_vgg16(block3_conv1={'padding': 'valid'}), 'padding'),
        (_vgg16(block3_conv1={'dilation_rate': [2, 2]}), 'dilation_rate'),
        (_vgg16(block4_conv2={'activation': 'elu'}), 'no ReLU'),
        (_vgg16(block5_conv3={'activation': 'linear'}), 'no ReLU'),
        (
            [
                layer
                for layer in _vgg16()
                if layer['class_name'] != 'MaxPooling2D'
            ],
            'CCC',
        ),
    ],
)
def test_another_function_is_refused(found: list, culprit: str) -> None:
  """Its weights in VGG-16 would give other numbers without a word."""
  with pytest.raises(errors.DataError, match=culprit):
    keras_graph.check(_parsed(found), _VGG16, _PATH)


def test_relu_as_a_layer_of_its_own_is_relu() -> None:
  """Keras users write activations either way."""
  found = _vgg16(block1_conv1={'activation': 'linear'})
  found.insert(1, _layer('ReLU', 'relu'))
  keras_graph.check(_parsed(found), _VGG16, _PATH)


@pytest.mark.parametrize(
    'scale, offset, expected',
    [
        (1 / 255, 0, 'rescale'),
        (0.00392156862745098, 0.0, 'rescale'),
        (1 / 127.5, -1, 'tf'),
    ],
)
def test_a_rescaling_layer_says_the_preprocessing(
    scale: float, offset: float, expected: str
) -> None:
  """The model knows what its pixels went through; nobody need say it."""
  before = [_layer('Rescaling', 'rescaling', scale=scale, offset=offset)]
  graph = _parsed(_vgg16(), before=before)
  assert keras_graph.preprocessing(graph, _VGG16, _PATH) == expected
  assert keras_graph.preprocessing(_parsed(_vgg16()), _VGG16, _PATH) is None


@pytest.mark.parametrize(
    'layer',
    [
        _layer('Rescaling', 'half', scale=0.5, offset=0),
        _layer('Rescaling', 'three', scale=[1, 2, 3], offset=0),
        _layer('Normalization', 'norm'),
    ],
)
def test_an_unknown_scaling_is_refused(layer: dict) -> None:
  """Other pixels than it was trained on make a network guess."""
  with pytest.raises(errors.DataError, match=layer['config']['name']):
    keras_graph.preprocessing(_parsed(_vgg16(), before=[layer]), _VGG16, _PATH)


@pytest.mark.parametrize('text', ['{', '[]', '{"config": {"layers": [1]}}'])
def test_a_damaged_description_is_told(text: str) -> None:
  """A message, not a traceback."""
  with pytest.raises(errors.DataError, match='model.keras'):
    keras_graph.parse(text, _PATH)


@pytest.mark.parametrize(
    'shapes, refused',
    [
        ({'gamma:0': (8,), 'beta:0': (8,)}, True),
        ({'moving_mean:0': (8,), 'moving_variance:0': (8,)}, True),
        ({'alpha:0': (1, 1, 8)}, True),
        ({'kernel:0': (8, 7), 'bias:0': (7,)}, False),
        ({'kernel:0': (256, 8), 'bias:0': (8,)}, False),
        ({'gamma:0': (100,), 'beta:0': (100,)}, False),
    ],
)
def test_weights_alone_with_a_normalization_are_refused(
    fabricated: metadata.Weights,
    tmp_path: pathlib.Path,
    shapes: dict,
    refused: bool,
) -> None:
  """A file of weights does not say where the layer stands."""
  path = tmp_path / 'weights.h5'
  weights.write(fabricated, path)
  with h5py.File(path, 'a') as root:
    for name, shape in shapes.items():
      root[f'more/more/{name}'] = np.zeros(shape, np.float32)
  if refused:
    with pytest.raises(errors.DataError, match="'more'.*save the whole model"):
      weights.read(path, _TINY)
  else:
    assert weights.read(path, _TINY).dropped == ('more',)


def test_arrays_that_were_read_may_be_changed(
    fabricated: metadata.Weights, tmp_path: pathlib.Path
) -> None:
  """Whatever the format: ONNX hands out views of its own memory."""
  weights.write(fabricated, tmp_path / 'weights.h5')
  read = weights.read(tmp_path / 'weights.h5', _TINY)
  assert all(
      array.flags.writeable
      for layer in read.params.values()
      for array in layer.values()
  )
