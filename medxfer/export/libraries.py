"""Libraries that a single format needs, imported when it is written."""

import importlib
import types

from medxfer import errors


def load(name: str, *, install: str) -> types.ModuleType:
  """Returns a module.

  Args:
    name: of the module.
    install: the packages that pip has to install for it.

  Raises:
    DataError: it is not installed.
  """
  try:
    return importlib.import_module(name)
  except ImportError as error:
    raise errors.DataError(
        f'this format needs the package {name.split(".")[0]} ({error}): '
        f'pip install {install}'
    ) from error
