"""The metadata of weights: what they are, and digests to verify them.

Numbers without their preprocessing and their origin are worth little: VGG-16
from Keras expects other pixels than VGG-16 from torchvision. A `Contract` holds
the metadata; every weights file that medxfer writes has one.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import hashlib
import json
import pathlib
import types
from typing import Any

import numpy as np

from medxfer import errors
from medxfer import files
from medxfer import spec as specs
from medxfer.model import architectures
from medxfer.model import params as params_lib

FORMAT = 'medxfer-weights'
VERSION = 1
PREPROCESSINGS = ('caffe', 'tf', 'rescale')  # See `model.preprocessing`.
DTYPE = 'float32'


@dataclasses.dataclass(frozen=True)
class TensorSpec:
  """Shape, dtype and digest of one tensor.

  Attributes:
    shape: sizes; kernels are (height, width, in, out) or (in, out).
    dtype: name of the NumPy type, always 'float32'.
    sha256: hex digest of the little-endian, C-order bytes.
  """

  shape: tuple[int, ...]
  dtype: str
  sha256: str


@dataclasses.dataclass(frozen=True)
class Contract:
  """What a set of weights is.

  Attributes:
    architecture: name of the architecture that the tensors belong to, a key
      of `architectures.BY_NAME`.
    source: a sentence that says where the numbers come from.
    preprocessing: what the pixels go through, one of `PREPROCESSINGS`.
    tensors: 'block1_conv1/kernel' -> what that tensor is.
    classes: class names in the order of the logits; empty without a head.
  """

  architecture: str
  source: str
  preprocessing: str
  tensors: Mapping[str, TensorSpec]
  classes: tuple[str, ...] = ()

  def __post_init__(self):
    frozen = types.MappingProxyType(dict(self.tensors))
    object.__setattr__(self, 'tensors', frozen)

  @property
  def digest(self) -> str:
    """sha256 over the sorted 'name sha256' lines: a run's weights_digest."""
    lines = sorted(f'{k} {v.sha256}\n' for k, v in self.tensors.items())
    return hashlib.sha256(''.join(lines).encode()).hexdigest()

  def to_json(self) -> str:
    """Returns the contract as JSON text with sorted keys."""
    fields = {
        'format': FORMAT,
        'version': VERSION,
        'architecture': self.architecture,
        'source': self.source,
        'preprocessing': self.preprocessing,
        'classes': list(self.classes),
        'tensors': {k: dataclasses.asdict(v) for k, v in self.tensors.items()},
    }
    return json.dumps(fields, indent=1, sort_keys=True)

  @classmethod
  def from_json(
      cls, text: str | bytes, *, path: pathlib.Path | str = 'contract'
  ) -> 'Contract':
    """Reads what `to_json` wrote, and nothing else.

    Args:
      text: JSON.
      path: the file it came from, for the message.

    Returns:
      The contract.

    Raises:
      DataError: the text is no JSON, a key is missing, unknown or has a
        wrong type or value; the message names the key.
    """
    fields = _parsed(text, path)
    _check_keys(fields, _KEYS, 'contract', path)
    fields['preprocessing'] = specs.renamed(
        'model.preprocessing', fields['preprocessing']
    )
    for key, allowed in _allowed().items():
      if fields[key] not in allowed:
        raise errors.DataError(
            f'{path}: contract key {key!r} is {fields[key]!r}; this version '
            f'of medxfer reads {" or ".join(map(repr, allowed))}. Convert the '
            'weights again with `medxfer convert_weights`'
        )
    return cls(
        architecture=fields['architecture'],
        source=fields['source'],
        preprocessing=fields['preprocessing'],
        tensors={
            name: _tensor_spec(name, spec, path)
            for name, spec in fields['tensors'].items()
        },
        classes=_strings(fields['classes'], path),
    )


@dataclasses.dataclass(frozen=True)
class Weights:
  """Parameters and their contract.

  Attributes:
    params: layer -> {'kernel': float32 array, 'bias': float32 array}.
    contract: what they are.
    dropped: layers of the file that were left out of `params`, and which a
      launcher has to report.
  """

  params: params_lib.Params
  contract: Contract
  dropped: tuple[str, ...] = ()


def flatten(params: params_lib.Params) -> dict[str, Any]:
  """Returns 'layer/leaf' -> leaf, for arrays and shapes alike."""
  return {
      f'{layer}/{leaf}': value
      for layer, leaves in params.items()
      for leaf, value in leaves.items()
  }


def unflatten(tensors: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
  """Undoes `flatten`."""
  params: dict[str, dict[str, Any]] = {}
  for name, value in tensors.items():
    layer, leaf = name.rsplit('/', 1)
    params.setdefault(layer, {})[leaf] = value
  return params


def tensor_digest(array: np.ndarray) -> str:
  """Returns the sha256 of an array's little-endian, C-order float32 bytes."""
  return hashlib.sha256(np.ascontiguousarray(array, '<f4').data).hexdigest()


def describe(
    params: params_lib.Params,
    *,
    architecture: str,
    source: str,
    preprocessing: str,
    classes: Sequence[str] = (),
) -> Contract:
  """Returns the metadata of parameters.

  Args:
    params: layer -> leaf -> float32 array (NumPy or JAX).
    architecture: name of the architecture that they belong to.
    source: a sentence that says where the numbers come from.
    preprocessing: one of `PREPROCESSINGS`.
    classes: class names in the order of the logits.

  Returns:
    The contract, with the digest of every tensor.

  Raises:
    UsageError: the preprocessing is unknown, or a tensor is not float32.
  """
  preprocessing = specs.renamed('model.preprocessing', preprocessing)
  if preprocessing not in PREPROCESSINGS:
    raise errors.UsageError(
        f'preprocessing {preprocessing!r} is unknown; it is one of '
        f'{", ".join(PREPROCESSINGS)}'
    )
  tensors = {}
  for name, value in flatten(params).items():
    array = np.asarray(value)
    if array.dtype.name != DTYPE:
      raise errors.UsageError(
          f'{name} is {array.dtype.name}; weights are float32, cast it first'
      )
    tensors[name] = TensorSpec(array.shape, DTYPE, tensor_digest(array))
  return Contract(architecture, source, preprocessing, tensors, tuple(classes))


_KEYS = {
    'format': str,
    'version': int,
    'architecture': str,
    'source': str,
    'preprocessing': str,
    'classes': list,
    'tensors': dict,
}


def _allowed() -> dict[str, Sequence[Any]]:
  return {
      'format': (FORMAT,),
      'version': (VERSION,),
      'architecture': tuple(architectures.BY_NAME),
      'preprocessing': PREPROCESSINGS,
  }


def _parsed(text: str | bytes, path: pathlib.Path | str) -> Any:
  try:
    return files.parse_json(text)
  except ValueError as e:
    raise errors.DataError(
        f'{path}: the contract is not JSON ({e}). Convert the weights again '
        'with `medxfer convert_weights`'
    ) from e


def _check_keys(
    fields: Any, keys: Mapping[str, type], what: str, path: pathlib.Path | str
) -> None:
  wrong = None
  if not isinstance(fields, dict):
    wrong = 'is no JSON object'
  elif set(fields) != set(keys):
    missing = sorted(set(keys) - set(fields))
    unknown = sorted(set(fields) - set(keys))
    wrong = f'lacks the keys {missing} and has the unknown keys {unknown}'
  else:
    for key, kind in keys.items():
      # `True` is an int to Python, but no version and no size.
      if not isinstance(fields[key], kind) or isinstance(fields[key], bool):
        wrong = f'key {key!r} is no {kind.__name__}: {fields[key]!r:.60}'
  if wrong:
    raise errors.DataError(
        f'{path}: {what} {wrong}. Convert the weights again with '
        '`medxfer convert_weights`'
    )


def _tensor_spec(
    name: str, fields: Any, path: pathlib.Path | str
) -> TensorSpec:
  keys = {'shape': list, 'dtype': str, 'sha256': str}
  _check_keys(fields, keys, f'contract tensor {name!r}', path)
  sizes = fields['shape']
  if not all(type(s) is int and s >= 0 for s in sizes) or '/' not in name:
    raise errors.DataError(
        f'{path}: contract tensor {name!r} has the shape {sizes!r:.60}; '
        'expected LAYER/LEAF with whole sizes. Convert the weights again'
    )
  return TensorSpec(tuple(sizes), fields['dtype'], fields['sha256'])


def _strings(values: list, path: pathlib.Path | str) -> tuple[str, ...]:
  if not all(isinstance(value, str) for value in values):
    raise errors.DataError(
        f"{path}: contract key 'classes' holds something that is no string: "
        f'{values!r:.60}. Convert the weights again'
    )
  return tuple(values)
