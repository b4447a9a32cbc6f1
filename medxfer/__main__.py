"""Every command of medxfer, from any folder.

medxfer COMMAND [--FLAG=VALUE ...]        (or python -m medxfer COMMAND)
medxfer COMMAND --help
"""

import ast
import difflib
import importlib
from importlib import util
import pathlib
import sys

from medxfer import errors
from medxfer import launcher

COMMANDS = {
    'train': 'medxfer.main',
    'study': 'medxfer.study.__main__',
    'evaluate': 'medxfer.commands.evaluate',
    'predict': 'medxfer.commands.predict',
    'compare': 'medxfer.commands.compare',
    'report': 'medxfer.commands.report',
    'convert': 'medxfer.commands.convert_weights',
    'download': 'medxfer.commands.download',
    'phantom': 'medxfer.commands.make_phantom',
    'activations': 'medxfer.commands.activations',
    'cache': 'medxfer.commands.cache',
    'bench': 'medxfer.bench.__main__',
}
# Old names, which stay valid.
_ALIASES = {'convert_weights': 'convert', 'make_phantom': 'phantom'}


def main() -> None:
  """Runs the command that the first word names, and exits with its status."""
  name = sys.argv[1].replace('-', '_') if len(sys.argv) > 1 else ''
  name = _ALIASES.get(name, name)
  if name in COMMANDS:
    command = importlib.import_module(COMMANDS[name])
    sys.argv[:2] = [f'medxfer {sys.argv[1]}']
    launcher.run(command)
  if name in ('', '__help', '_h', '_help', 'help'):
    print(_overview())
    sys.exit(0 if name else errors.UsageError.exit_status)
  near = difflib.get_close_matches(name, COMMANDS, n=1)
  sys.exit(
      launcher.report(
          errors.UsageError(
              f'medxfer has no command {sys.argv[1]!r}'
              f'{f"; do you mean {near[0]}?" if near else ""}; it has '
              f'{", ".join(COMMANDS)}'
          )
      )
  )


def _overview() -> str:
  """Returns a line for each command, with the first of its documentation."""
  lines = [f'{__doc__}']
  for name, module in COMMANDS.items():
    # Not imported: two commands may have flags of one name.
    found = util.find_spec(module)
    code = pathlib.Path(f'{found and found.origin}').read_text('utf-8')
    title = f'{ast.get_docstring(ast.parse(code))}'.splitlines()[0]
    lines.append(f'  {name:<17} {title}')
  return '\n'.join(lines)


if __name__ == '__main__':
  main()
