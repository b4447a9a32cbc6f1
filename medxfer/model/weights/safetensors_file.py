"""The weights file .safetensors: float32 tensors, their metadata in the header.

The library safetensors reads and writes it; its reader runs no code of the
file, limits the header to 100 MB, and accepts no tensor that lies outside the
file or overlaps another. Equal weights give equal bytes.
"""

import pathlib

import numpy as np
import safetensors
import safetensors.numpy

from medxfer import errors
from medxfer.model import architectures
from medxfer.model.weights import metadata
from medxfer.model.weights import verifying

# One key: the library writes several in any order.
METADATA_KEY = 'medxfer'
_DTYPES = {'F32': metadata.DTYPE}
_CONVERT = (
    'Convert the weights again: medxfer convert_weights '
    '--source=SOURCE --output=PATH.safetensors'
)


def write(weights: metadata.Weights, path: pathlib.Path) -> None:
  """Writes a weights file.

  Args:
    weights: verified weights, with or without a head.
    path: the file to write, in place.
  """
  tensors = {
      name: np.ascontiguousarray(array, '<f4')
      for name, array in metadata.flatten(weights.params).items()
  }
  safetensors.numpy.save_file(
      tensors, path, metadata={METADATA_KEY: weights.contract.to_json()}
  )


def read(
    path: pathlib.Path, asked: architectures.Architecture | None
) -> metadata.Weights:
  """Reads a .safetensors that medxfer wrote.

  Args:
    path: the file.
    asked: the architecture that is needed; None if any will do.

  Returns:
    The weights; with a head if they have one.

  Raises:
    DataError: the file is damaged, medxfer did not write it, or its tensors
      are not those of its metadata and of the architecture.
  """
  try:
    with safetensors.safe_open(path, framework='numpy') as file:
      return _read(file, path, asked)
  except (safetensors.SafetensorError, OSError) as error:
    raise errors.DataError(
        f'{path}: damaged or truncated safetensors file ({error}). {_CONVERT}'
    ) from error


def _read(
    file: safetensors.safe_open,
    path: pathlib.Path,
    asked: architectures.Architecture | None,
) -> metadata.Weights:
  text = (file.metadata() or {}).get(METADATA_KEY)
  if text is None:
    raise errors.DataError(
        f'{path}: holds no metadata of medxfer, so neither the architecture '
        'nor the preprocessing of its tensors is known. Give a file that '
        'medxfer convert_weights wrote, or a file of Keras'
    )
  contract = metadata.Contract.from_json(text, path=path)
  verifying.check_metadata(contract, asked, path)
  slices = {name: file.get_slice(name) for name in file.keys()}
  found = {
      name: (
          tuple(part.get_shape()),
          _DTYPES.get(part.get_dtype(), part.get_dtype()),
      )
      for name, part in slices.items()
  }
  announced = {
      name: (spec.shape, spec.dtype) for name, spec in contract.tensors.items()
  }
  for name in sorted({*found, *announced}):
    if found.get(name) != announced.get(name):
      raise errors.DataError(
          f'{path}: {name} is {found.get(name, "absent")}, its metadata '
          f'announces {announced.get(name, "no such tensor")}. {_CONVERT}'
      )
  return metadata.Weights(
      metadata.unflatten({name: file.get_tensor(name) for name in announced}),
      contract,
  )
