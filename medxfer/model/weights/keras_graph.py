"""What a Keras model computes between and before the convolutions of a VGG.

Weights that fit may still belong to another function: a network with batch
normalization, another activation or an average pooling has convolutions of the
same shapes. A `.keras` archive and a model saved as `.h5` describe their
layers; a file of weights alone only names the variables of each layer.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import math
import pathlib
from typing import Any

from medxfer import errors
from medxfer import files
from medxfer.model import architectures
from medxfer.model.weights import external

_Layer = tuple[str, Mapping[str, Any]]  # Class name, configuration.

# They are the identity when a network predicts.
_IDENTITIES = frozenset(
    (
        'ActivityRegularization',
        'Dropout',
        'GaussianDropout',
        'GaussianNoise',
        'Identity',
        'InputLayer',
        'SpatialDropout2D',
    )
)
# What a convolution of a VGG is, in the words of Keras.
_CONVOLUTION = {
    'kernel_size': [3, 3],
    'strides': [1, 1],
    'padding': 'same',
    'dilation_rate': [1, 1],
    'groups': 1,
    'use_bias': True,
}
_POOL = {'pool_size': [2, 2], 'strides': [2, 2]}
# (scale, offset) of a Rescaling layer -> preprocessing.
_RESCALING = {(1 / 255, 0): 'rescale', (1 / 127.5, -1): 'tf'}


def _way_out(architecture: architectures.Architecture) -> str:
  return (
      f'medxfer computes a plain {architecture.title} and would use these '
      f'weights for another function; save those of a plain one'
  )


def parse(text: str | bytes | None, path: pathlib.Path) -> list[_Layer]:
  """Returns the layers of a model in its order, nested models opened.

  Args:
    text: the model's configuration in JSON, or None if the file has none.
    path: the file, for messages.

  Raises:
    DataError: it is damaged.
  """
  if text is None:
    return []
  try:
    return list(_flat(files.parse_json(text)))
  except (AttributeError, TypeError, ValueError) as error:
    raise errors.DataError(
        f'{path}: the description of the model is damaged ({error}). Save it '
        'again with Keras'
    ) from error


def _flat(model: Mapping[str, Any]) -> Iterator[_Layer]:
  """Yields a model's layers, depth first."""
  config = model.get('config')
  if not isinstance(config, Mapping):
    return
  inner = config.get('layers')
  if isinstance(inner, list):
    for layer in inner:
      yield from _flat(layer)
  else:
    yield str(model.get('class_name')), config


def check(
    graph: Sequence[_Layer],
    architecture: architectures.Architecture,
    path: pathlib.Path,
) -> None:
  """Compares the layers from the first to the last convolution.

  Args:
    graph: as `parse` returns it.
    architecture: what they should compute.
    path: the file, for the message.

  Raises:
    DataError: they compute something else; names the layer.
  """
  places = _convolutions(graph, architecture)
  if not places:
    return  # Layers of one's own classes describe nothing.
  trunk = graph[places[0] : places[-1] + 1]
  way_out, found = _way_out(architecture), ''
  for (kind, config), (after, activation) in zip(
      trunk, [*graph[places[0] + 1 : places[-1] + 2], ('', {})]
  ):
    name = f'layer {config.get("name")!r} ({kind})'
    if kind == 'Conv2D':
      _refuse_difference(config, _CONVOLUTION, name, architecture, path)
      if not (
          config.get('activation') == 'relu' or _is_relu(after, activation)
      ):
        raise errors.DataError(
            f'{path}: {name} is followed by no ReLU; {way_out}'
        )
      found += 'C'
    elif kind == 'MaxPooling2D':
      _refuse_difference(config, _POOL, name, architecture, path)
      found += 'P'
    elif kind not in _IDENTITIES and not _is_relu(kind, config):
      raise errors.DataError(
          f'{path}: {name} stands between the convolutions; {way_out}'
      )
  wanted = 'P'.join('C' * depth for depth in architecture.depths)
  if found != wanted:
    raise errors.DataError(
        f'{path}: its convolutions (C) and poolings (P) come as {found}, those '
        f'of {architecture.title} as {wanted}; {way_out}'
    )


def preprocessing(
    graph: Sequence[_Layer],
    architecture: architectures.Architecture,
    path: pathlib.Path,
) -> str | None:
  """Returns what the model itself does to the pixels.

  Args:
    graph: as `parse` returns it.
    architecture: of its backbone.
    path: the file, for the message.

  Returns:
    'rescale' or 'tf'; None if the model does not say.

  Raises:
    DataError: it scales the pixels in a way that medxfer does not know.
  """
  places = _convolutions(graph, architecture)
  before = graph[: places[0]] if places else []
  for kind, config in before:
    if kind == 'Normalization':
      raise errors.DataError(
          f'{path}: layer {config.get("name")!r} (Normalization) changes the '
          'pixels in a way that medxfer does not know; train with Rescaling or '
          'the preprocess_input of keras.applications. If medxfer wrote the '
          'file, convert the run that it came from'
      )
    if kind == 'Rescaling':
      scale: Any = config.get('scale')
      offset: Any = config.get('offset')
      for known, mode in _RESCALING.items():
        if (
            _is_number(scale)
            and _is_number(offset)
            and all(
                math.isclose(a, b, abs_tol=1e-9)
                for a, b in zip((scale, offset), known)
            )
        ):
          return mode
      raise errors.DataError(
          f'{path}: layer {config.get("name")!r} scales the pixels by {scale} '
          f'and adds {offset}; medxfer knows 1/255 and 0, and 1/127.5 and -1'
      )
  return None


def refuse_scaling_layers(
    others: Iterable[external.Header],
    architecture: architectures.Architecture,
    path: pathlib.Path,
) -> None:
  """Refuses layers that may scale what is between the convolutions.

  For files that do not describe the model: a layer that holds nothing but
  vectors as long as a convolution has channels is a normalization or a
  PReLU, and nothing says whether it stands in the head.

  Args:
    others: tensors that belong to no convolution of the backbone.
    architecture: of the backbone.
    path: the file, for the message.

  Raises:
    DataError: there is such a layer.
  """
  widths = {(width,) for width in architecture.widths}
  shapes: dict[tuple[str, str], set[tuple[int, ...]]] = {}
  for header in others:
    place = header.where.rsplit('/', 1)[0]
    shape = tuple(size for size in header.shape if size != 1)
    shapes.setdefault((place, header.layer), set()).add(shape)
  for (_, name), found in shapes.items():
    if found <= widths:
      raise errors.DataError(
          f'{path}: layer {name!r} holds vectors of {max(found)[0]} values '
          'alone, as a batch normalization does. The file does not say whether '
          'it stands between the convolutions, where it may not; save the '
          'whole model as .keras, which says it'
      )


def _convolutions(
    graph: Sequence[_Layer], architecture: architectures.Architecture
) -> list[int]:
  """Returns the places of the backbone's convolutions, by name or by order."""
  places = [i for i, (kind, _) in enumerate(graph) if kind == 'Conv2D']
  named = [
      i
      for i in places
      if external.CONVOLUTION.fullmatch(str(graph[i][1].get('name')))
  ]
  return named or places[: len(architecture.convolutions)]


def _refuse_difference(
    config: Mapping[str, Any],
    wanted: Mapping[str, Any],
    name: str,
    architecture: architectures.Architecture,
    path: pathlib.Path,
) -> None:
  for key, value in wanted.items():
    # Releases of Keras that did not know a key did what is the default now.
    found = config.get(key, value)
    if found != value:
      raise errors.DataError(
          f'{path}: {name} has {key}={found}, {architecture.title} has '
          f'{value}; {_way_out(architecture)}'
      )


def _is_relu(kind: str, config: Mapping[str, Any]) -> bool:
  if kind == 'ReLU':
    return not any(
        config.get(key) for key in ('max_value', 'negative_slope', 'threshold')
    )
  return kind == 'Activation' and config.get('activation') == 'relu'


def _is_number(value: Any) -> bool:
  return isinstance(value, (int, float)) and not isinstance(value, bool)
