"""Tensors of a file that medxfer did not write: headers, then arrays."""

from collections.abc import Callable
from collections.abc import Collection
import dataclasses
import pathlib
import re

import numpy as np

from medxfer import errors
from medxfer.model import architectures
from medxfer.model import params as params_lib
from medxfer.model.weights import metadata
from medxfer.model.weights import verifying

# How Keras names the convolutions of the VGG family.
CONVOLUTION = re.compile(r'block\d+_conv\d+')


@dataclasses.dataclass(frozen=True)
class Header:
  """The header of one tensor.

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
  """The backbone in a file that medxfer did not write.

  Attributes:
    architecture: what the backbone is.
    params: layer -> leaf -> float32 array: the backbone.
    dropped: the file's other layers.
    kind: a phrase for the file's format.
    announced: the metadata, in a Keras file that medxfer wrote.
    preprocessing: what the file's own model does to the pixels, if it says.
  """

  architecture: architectures.Architecture
  params: params_lib.Params
  dropped: tuple[str, ...]
  kind: str
  announced: metadata.Contract | None = None
  preprocessing: str | None = None


def candidates(
    asked: architectures.Architecture | None,
) -> list[architectures.Architecture]:
  """Returns the architectures that a file may hold, the one asked for first."""
  known = [a for a in architectures.BY_NAME.values() if a != asked]
  return [asked, *known] if asked else known


def titles(asked: architectures.Architecture | None) -> str:
  """Returns what a file should hold, for messages."""
  return (
      asked.title
      if asked
      else ' or '.join(known.title for known in candidates(None))
  )


def backbone(
    headers: Collection[Header],
    path: pathlib.Path,
    asked: architectures.Architecture | None,
) -> tuple[architectures.Architecture, dict[str, dict[str, np.ndarray]]]:
  """Finds out the architecture from headers, then reads the arrays.

  Args:
    headers: the convolutions that the file announces.
    path: the file, for the message.
    asked: the architecture that is needed; None if any will do.

  Returns:
    The architecture, and layer -> leaf -> float32 array, C order, native
    bytes, writable.

  Raises:
    DataError: there is no backbone, there are two, or the tensors are not
      exactly those of the architecture.
  """
  if not headers:
    raise errors.DataError(
        f'{path}: holds no {titles(asked)}: no layer is named block1_conv1, '
        'and no row of convolutions has the right shapes. Save the weights of '
        'a model of keras.applications'
    )
  unique: dict[str, Header] = {}
  for header in headers:
    name = f'{header.layer}/{header.leaf}'
    if name in unique:
      raise errors.DataError(
          f'{path}: holds {name} twice, at {unique[name].where} and at '
          f'{header.where}. Save the one backbone that is meant'
      )
    unique[name] = header
  # Before any data is read: a header may claim terabytes.
  architecture = _architecture(
      {name: (h.shape, h.dtype) for name, h in unique.items()}, path, asked
  )
  return architecture, metadata.unflatten(
      {
          # In the network's order, whatever the file's; ONNX gives read-only
          # views.
          name: np.require(unique[name].data(), np.float32, ['C', 'W'])
          for name in metadata.flatten(architecture.backbone_shapes())
      }
  )


def _architecture(
    found: verifying.Headers,
    path: pathlib.Path,
    asked: architectures.Architecture | None,
) -> architectures.Architecture:
  """Returns the architecture that has these tensors, if it is as asked."""
  differences = {
      known: verifying.header_differences(found, known, allow_head=False)
      for known in candidates(asked)
  }
  closest = min(differences, key=lambda known: len(differences[known]))
  if not differences[closest]:
    verifying.refuse_another(closest, asked, path)
    return closest
  meant = asked or closest
  verifying.refuse(differences[meant], meant, path)
  return meant


def left_out(dropped: Collection[str]) -> str:
  """Returns the clause of a source sentence about dropped layers."""
  return f', without its layers {", ".join(dropped)}' if dropped else ''
