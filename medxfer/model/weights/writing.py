"""One door out: `write`."""

from collections.abc import Sequence
import pathlib

from medxfer import errors
from medxfer import files
from medxfer.model import architectures
from medxfer.model.weights import keras_files
from medxfer.model.weights import metadata
from medxfer.model.weights import native
from medxfer.model.weights import safetensors_file
from medxfer.model.weights import verifying

# Longest suffix first: '.weights.h5' ends with '.h5' as well.
_WRITERS = {
    '.weights.h5': keras_files.write_new,
    '.h5': keras_files.write_legacy,
    '.npz': native.write,
    '.safetensors': safetensors_file.write,
}
_KINDS = {
    '.weights.h5': 'keras',
    '.h5': 'keras',
    '.npz': 'medxfer',
    '.safetensors': 'medxfer',
}


def kind(path: pathlib.Path) -> str:
  """Returns the kind of file that `write` makes, by its name.

  Args:
    path: the file to write.

  Returns:
    'keras' or 'medxfer'.

  Raises:
    UsageError: no format has this suffix.
  """
  return _KINDS[_suffix(path)]


def write(
    weights: metadata.Weights,
    path: pathlib.Path,
    *,
    overwrite: bool = False,
    drop: Sequence[str] = (),
) -> metadata.Weights:
  """Writes weights; the suffix says how.

  Args:
    weights: what to write.
    path: .safetensors or .npz for medxfer, which keep a head; .h5 or
      .weights.h5 for a model of `keras.applications` with
      `include_top=False`, the backbone alone.
    overwrite: whether a file of that name may be replaced.
    drop: layers to leave out; a head has to be named here for Keras.

  Returns:
    What was written: the weights without `drop`.

  Raises:
    UsageError: the suffix is unknown, the file exists, or `drop` names a
      layer that is not there.
    DataError: the weights are not those of their metadata.
  """
  suffix = _suffix(path)
  files.check_target(path, overwrite=overwrite)
  kept = verifying.verify(
      weights,
      architectures.BY_NAME[weights.contract.architecture],
      path=path,
      allow_head=_KINDS[suffix] == 'medxfer',
      drop=drop,
  )
  with files.replacing(path) as temporary:
    _WRITERS[suffix](kept, temporary)
  return kept


def _suffix(path: pathlib.Path) -> str:
  for suffix in _WRITERS:
    if path.name.endswith(suffix) and path.name != suffix:
      return suffix
  raise errors.UsageError(
      f'{path}: name the file NAME.safetensors or NAME.npz (medxfer), NAME.h5 '
      'or NAME.weights.h5 (Keras); the whole network of a run NAME.keras, '
      'NAME.onnx or NAME.stablehlo'
  )
