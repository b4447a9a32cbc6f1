"""The weights file .npz: a zip of plain arrays and their metadata.

NumPy opens it with `np.load(path)`, too. It is written without compression and
with fixed times, so equal weights give equal bytes; it is read without pickle,
and every header is compared with the metadata before data is read.
"""

import math
import pathlib
import zipfile

import numpy as np

from medxfer import containers
from medxfer import errors
from medxfer.model import architectures
from medxfer.model.weights import metadata
from medxfer.model.weights import verifying

CONTRACT_MEMBER = 'contract.json'
_EPOCH = (1980, 1, 1, 0, 0, 0)
_LARGEST_CONTRACT = 2**20


def write(weights: metadata.Weights, path: pathlib.Path) -> None:
  """Writes a weights file.

  Args:
    weights: verified weights, with or without a head.
    path: the file to write, in place.
  """
  with zipfile.ZipFile(path, 'w', zipfile.ZIP_STORED) as archive:
    text = weights.contract.to_json()
    archive.writestr(_member(CONTRACT_MEMBER), text)
    for name, array in sorted(metadata.flatten(weights.params).items()):
      with archive.open(_member(f'{name}.npy'), 'w') as file:
        np.lib.format.write_array(
            file, np.ascontiguousarray(array, '<f4'), allow_pickle=False
        )


def read(
    path: pathlib.Path, asked: architectures.Architecture | None
) -> metadata.Weights:
  """Reads a .npz that medxfer wrote.

  Args:
    path: the file.
    asked: the architecture that is needed; None if any will do.

  Returns:
    The weights, verified against their contract; with a head if they have
    one.

  Raises:
    DataError: the file is damaged, holds a pickle, or its arrays are not
      those of its contract and of the architecture.
  """
  with containers.opened_zip(
      path, 'Convert the weights again with `medxfer convert_weights`.'
  ) as archive:
    return _read(archive, path, asked)


def _member(name: str) -> zipfile.ZipInfo:
  info = zipfile.ZipInfo(name, date_time=_EPOCH)
  # Or they would tell which system wrote the file.
  info.create_system = 3
  info.external_attr = 0o644 << 16
  return info


def _read(
    archive: zipfile.ZipFile,
    path: pathlib.Path,
    asked: architectures.Architecture | None,
) -> metadata.Weights:
  promise = _contract(archive, path)
  wanted = {f'{name}.npy' for name in promise.tensors} | {CONTRACT_MEMBER}
  held = archive.namelist()
  if sorted(held) != sorted(wanted):
    raise errors.DataError(
        f'{path}: the archive lacks {sorted(wanted - set(held))} and holds '
        f'{sorted(set(held) - wanted)} (or a name twice), other than its '
        'contract says. Convert the weights again'
    )
  verifying.check_metadata(promise, asked, path)
  arrays = {
      name: _array(archive, name, spec, path)
      for name, spec in promise.tensors.items()
  }
  return metadata.Weights(metadata.unflatten(arrays), promise)


def _contract(
    archive: zipfile.ZipFile, path: pathlib.Path
) -> metadata.Contract:
  if CONTRACT_MEMBER not in archive.namelist():
    raise errors.DataError(
        f'{path}: holds no {CONTRACT_MEMBER}, so it is no weights file of '
        'medxfer. Make one with `medxfer convert_weights`'
    )
  if archive.getinfo(CONTRACT_MEMBER).file_size > _LARGEST_CONTRACT:
    raise errors.DataError(
        f'{path}: {CONTRACT_MEMBER} is larger than {_LARGEST_CONTRACT} bytes. '
        'Convert the weights again'
    )
  return metadata.Contract.from_json(archive.read(CONTRACT_MEMBER), path=path)


def _array(
    archive: zipfile.ZipFile,
    name: str,
    spec: metadata.TensorSpec,
    path: pathlib.Path,
) -> np.ndarray:
  info = archive.getinfo(f'{name}.npy')
  with archive.open(info) as file:
    shape, fortran, dtype = containers.read_npy_header(file)
    size = info.file_size - file.tell()
    # The member must be as long as its shape says, and stored as it is, so
    # no header can ask for more memory than the file is long.
    if (
        shape != spec.shape
        or fortran
        or dtype != np.dtype('<f4')
        or size != 4 * math.prod(shape)
        or info.compress_type != zipfile.ZIP_STORED
    ):
      raise errors.DataError(
          f'{path}: {name}.npy is {dtype} {shape} in {size} bytes '
          f'(compression {info.compress_type}), the contract announces '
          f'{spec.dtype} {spec.shape}, stored. Convert the weights again'
      )
    data = file.read()
  return np.frombuffer(data, '<f4').reshape(shape).astype(np.float32)
