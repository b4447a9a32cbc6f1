"""Protects the house: imports point only towards the ground floor."""

import ast
from collections.abc import Iterator
import pathlib

import pytest

_ROOT = pathlib.Path(__file__).parent.parent
# Room -> floor; a module may import its own floor or one below it.
_FLOORS = {
    'medxfer': 0,
    'medxfer.default_workdir': 0,
    'medxfer.errors': 0,
    'medxfer.files': 0,
    'medxfer.spec': 0,
    'medxfer.spec_rules': 0,
    'medxfer.typed': 0,
    'medxfer.launcher': 0,
    'medxfer.progress': 0,
    'medxfer.console': 0,
    'medxfer.cache': 0,
    'medxfer.data': 1,
    'medxfer.model': 1,
    # Records without JAX, by which a specification is checked.
    'medxfer.data.registry': 0,
    'medxfer.model.architectures': 0,
    'medxfer.evaluation': 1,
    'medxfer.training': 2,
    'medxfer.baselines': 3,
    'medxfer.classifier': 4,
    'medxfer.ensemble': 4,
    'medxfer.predictor': 4,
    'medxfer.api': 5,
    'medxfer.external': 4,
    'medxfer.explain': 3,
    'medxfer.export': 3,
    'medxfer.layerwise': 3,
    'medxfer.runs': 4,
    'medxfer.report': 5,
    # The rooms of the report stand on one another, too.
    'medxfer.report.read': 5.0,
    'medxfer.report.stats': 5.1,
    'medxfer.report.text': 5.2,
    'medxfer.report.figures': 5.3,
    'medxfer.report.page': 5.4,
    'medxfer.study': 4,
    'medxfer.study.__main__': 6,
    'medxfer.main': 6,
    'medxfer.__main__': 6,
    'medxfer.commands': 6,
    'medxfer.bench': 6,
    'medxfer.recipes': 6,
    'configs': 6,
    'tools': 6,
    # In processes of their own, loaded by name.
    'medxfer.bench.flops': 7,
    'medxfer.bench.ours': 7,
    'medxfer.bench.keras_peer': 7,
    'medxfer.bench.torch_peer': 7,
}
# Rooms that share a floor but not a door.
_SEPARATE = [
    ('medxfer.data', 'medxfer.model'),
    ('medxfer.data', 'medxfer.evaluation'),
    ('medxfer.model', 'medxfer.evaluation'),
]
_HEAVY = (
    'tensorflow',
    'tensorflow_datasets',
    'jax',
    'flax',
    'optax',
    'orbax',
    'sklearn',
    'keras',
)
_MODULES = sorted(
    path
    for folder in ('medxfer', 'configs', 'tools')
    for path in (_ROOT / folder).rglob('*.py')
)


def _name(path: pathlib.Path) -> str:
  return '.'.join(path.relative_to(_ROOT).with_suffix('').parts)


def _room(module: str) -> str:
  parts = module.removesuffix('.__init__').split('.')
  for length in range(len(parts), 0, -1):
    if '.'.join(parts[:length]) in _FLOORS:
      return '.'.join(parts[:length])
  raise AssertionError(f'{module} has no floor')


def _imports(nodes: Iterator | list) -> list[str]:
  names = []
  for node in nodes:
    if isinstance(node, ast.Import):
      names += [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
      assert node.level == 0, 'imports are absolute'
      names += [f'{node.module}.{alias.name}' for alias in node.names]
  return names


@pytest.mark.parametrize('path', _MODULES, ids=_name)
def test_no_arrow_runs_back_up(path: pathlib.Path) -> None:
  """A lower floor that knew a higher one could not be read on its own."""
  room = _room(_name(path))
  for target in _imports(ast.walk(ast.parse(path.read_text()))):
    if not target.startswith(('medxfer', 'configs', 'tools')):
      continue
    other = _room(target)
    assert _FLOORS[other] <= _FLOORS[room], f'{room} imports {target}'
    for a, b in _SEPARATE:
      assert {room, other} != {a, b}, f'{room} imports {target}'


@pytest.mark.parametrize(
    'path',
    [path for path in _MODULES if _FLOORS[_room(_name(path))] in (0, 6)],
    ids=_name,
)
def test_launchers_load_nothing_heavy_before_their_flags(
    path: pathlib.Path,
) -> None:
  """`--help` and a refused flag must answer within two seconds."""
  tree = ast.parse(path.read_text())
  for target in _imports(tree.body):
    assert target.split('.')[0] not in _HEAVY
    assert not target.startswith('medxfer.runs')


@pytest.mark.parametrize('path', _MODULES, ids=_name)
def test_files_and_functions_stay_small(path: pathlib.Path) -> None:
  """Over 300 lines a file or 60 a function, a room is missing."""
  text = path.read_text()
  assert len(text.splitlines()) <= 300
  for node in ast.walk(ast.parse(text)):
    if isinstance(node, ast.FunctionDef):
      assert node.end_lineno - node.lineno < 60, node.name
      public = not node.name.startswith('_')
      assert not public or node.returns, f'{node.name} says not what it returns'
