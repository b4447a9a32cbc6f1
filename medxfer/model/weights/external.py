"""Tensors of a foreign file, from header to checked arrays."""

from collections.abc import Callable
from collections.abc import Collection
import dataclasses
import pathlib
import re

import numpy as np

from medxfer import errors
from medxfer.model import layers
from medxfer.model.weights import metadata
from medxfer.model.weights import verifying

# How Keras names the convolutions of VGG-16, and of VGG-19, which must not
# pass for it: a `block3_conv4` is found, compared and refused.
CONVOLUTION = re.compile(r'block\d+_conv\d+')


@dataclasses.dataclass(frozen=True)
class Header:
  """What a file says of one tensor before its data is read.

  Attributes:
    where: the tensor's place in the file, for messages.
    layer: Keras' layer name.
    leaf: 'kernel' or 'bias'.
    shape: as medxfer holds it, kernels (height, width, in, out).
    dtype: name of the NumPy type.
    data: reads the data.
  """

  where: str
  layer: str
  leaf: str
  shape: tuple[int, ...]
  dtype: str
  data: Callable[[], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Foreign:
  """What a file that medxfer did not write holds of VGG-16.

  Attributes:
    params: layer -> leaf -> float32 array: the backbone.
    dropped: the file's other layers.
    kind: a phrase for the file's format.
    announced: the contract, in a Keras file that medxfer wrote.
    preprocessing: what the file's own model does to the pixels, if it says.
  """

  params: metadata.Params
  dropped: tuple[str, ...]
  kind: str
  announced: metadata.Contract | None = None
  preprocessing: str | None = None


def backbone(
    headers: Collection[Header], path: pathlib.Path
) -> dict[str, dict[str, np.ndarray]]:
  """Compares headers with VGG-16, then reads the arrays.

  Args:
    headers: the convolutions that the file announces.
    path: the file, for the message.

  Returns:
    Layer -> leaf -> float32 array, C order, native bytes, writable.

  Raises:
    DataError: there is no VGG-16, there are two, or the tensors are not
      exactly those of VGG-16.
  """
  if not headers:
    raise errors.DataError(
        f'{path}: holds no VGG-16: no layer is named block1_conv1, and no 13 '
        'convolutions of its shapes were found. Save the weights of '
        'keras.applications.VGG16.'
    )
  unique: dict[str, Header] = {}
  for header in headers:
    name = f'{header.layer}/{header.leaf}'
    if name in unique:
      raise errors.DataError(
          f'{path}: holds {name} twice, at {unique[name].where} and at '
          f'{header.where}. Save the one backbone that is meant.'
      )
    unique[name] = header
  found = {name: (h.shape, h.dtype) for name, h in unique.items()}
  # Before any data is read: a header may claim terabytes.
  verifying.refuse(
      verifying.header_differences(
          found, layers.backbone_shapes(), allow_head=False
      ), path,
  )
  return metadata.unflatten({
      # In the network's order, whatever the file's; ONNX gives read-only views.
      name: np.require(unique[name].data(), np.float32, ['C', 'W'])
      for name in metadata.flatten(layers.backbone_shapes())
  })


def left_out(dropped: Collection[str]) -> str:
  """Returns the clause of a source sentence about dropped layers."""
  return f', without its layers {", ".join(dropped)}' if dropped else ''
