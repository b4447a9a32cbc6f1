"""Builds the API reference, one HTML page per module, from docstrings.

    python -m tools.api_reference --output=DIR

Needs pdoc, which the extra `test` installs.
"""

from collections.abc import Iterator
import pathlib
import pkgutil
import sys

from absl import flags

import medxfer
from medxfer import files
from medxfer import launcher

_OUTPUT = flags.DEFINE_string(
    'output', None, 'Folder to write; must be absent or empty.'
)
# They define flags, and two may define one name.
_LAUNCHERS = (
    'medxfer.__main__',
    'medxfer.bench',
    'medxfer.commands',
    'medxfer.main',
)


def modules() -> Iterator[str]:
  """Yields the modules and packages that the reference describes."""
  yield 'medxfer'
  for found in pkgutil.iter_modules(medxfer.__path__, 'medxfer.'):
    if found.name not in _LAUNCHERS:
      yield found.name


def build(output: pathlib.Path) -> None:
  """Writes the reference.

  Args:
    output: folder to write.

  Raises:
    UsageError: it holds something.
  """
  import pdoc

  for name in medxfer.__all__:
    getattr(medxfer, name)  # pdoc does not load what is loaded at first use.
  pdoc.render.configure(docformat='google', show_source=False)
  with files.staged_folder(output) as stage:
    pdoc.pdoc(*modules(), output_directory=stage)


def main(argv: list[str]) -> None:
  """Reads the flags, then writes."""
  launcher.require(argv, _OUTPUT)
  build(launcher.path(_OUTPUT))


if __name__ == '__main__':
  launcher.run(sys.modules[__name__])
