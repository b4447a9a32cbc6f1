"""The function `export`: the suffix of a path decides the format."""

from collections.abc import Callable
from collections.abc import Mapping
import pathlib

from medxfer import errors
from medxfer import files
from medxfer.export import keras_archive
from medxfer.export import network as networks
from medxfer.export import onnx_model
from medxfer.export import stablehlo

_WRITERS: Mapping[
    str, Callable[[networks.ExportedNetwork, pathlib.Path], None]
] = {
    '.keras': keras_archive.write,
    '.onnx': onnx_model.write,
    '.stablehlo': stablehlo.write,
}
SUFFIXES = tuple(_WRITERS)


def is_format(path: pathlib.Path) -> bool:
  """Whether `export` knows the suffix of a path."""
  return path.suffix in _WRITERS


def check(path: pathlib.Path, *, overwrite: bool = False) -> None:
  """Checks that `export` may write a file, before any work is done for it.

  Args:
    path: the file to write.
    overwrite: whether a file of that name may be replaced.

  Raises:
    UsageError: the suffix is unknown, the file exists, or its folder does not.
  """
  if not is_format(path):
    raise errors.UsageError(
        f'{path}: name the file NAME.keras, NAME.onnx or NAME.stablehlo'
    )
  files.check_target(path, overwrite=overwrite)


def export(
    network: networks.ExportedNetwork,
    path: pathlib.Path,
    *,
    overwrite: bool = False,
) -> None:
  """Writes a whole network: preprocessing, backbone, head and softmax.

  Args:
    network: what to write.
    path: NAME.keras, NAME.onnx or NAME.stablehlo.
    overwrite: whether a file of that name may be replaced.

  Raises:
    UsageError: as `check`.
    DataError: the parameters do not fit the image size or the class names,
      or a library that the format needs is not installed.
  """
  check(path, overwrite=overwrite)
  _check_shapes(network, path)
  with files.replacing(path) as temporary:
    _WRITERS[path.suffix](network, temporary)


def _check_shapes(
    network: networks.ExportedNetwork, path: pathlib.Path
) -> None:
  architecture = network.architecture
  height, width = (
      side // architecture.smallest_side for side in network.image_size
  )
  inputs = height * width * architecture.widths[-1]
  first, *_, last = architecture.head
  found = (
      network.params[first]['kernel'].shape[0],
      network.params[last]['kernel'].shape[1],
  )
  if found != (inputs, len(network.class_names)):
    raise errors.DataError(
        f'{path}: the head takes {found[0]} values and has {found[1]} classes; '
        f'images of {network.image_size[0]}x{network.image_size[1]} pixels '
        f'give {inputs} values, and {len(network.class_names)} classes are '
        'named. Give the image size and the class names of the training'
    )
