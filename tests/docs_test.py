"""Protects the documentation: what it names is there."""

import ast
from collections.abc import Mapping
import html.parser
import io
import pathlib
import re
import subprocess
import sys
import tokenize

import ml_collections
import pytest

from medxfer.recipes import common

_ROOT = pathlib.Path(__file__).parent.parent
_MODULES = {
    '.'.join(path.relative_to(_ROOT).with_suffix('').parts).removesuffix(
        '.__init__'
    ): path
    for path in sorted((_ROOT / 'medxfer').rglob('*.py'))
}
_NAME = re.compile(r'`([A-Za-z_]\w*(?:\.\w+)+)(?:\(\))?`')
# Named in words alone.
_LIBRARIES = ('PIL', 'flax', 'jax', 'keras', 'optax', 'torch')
_SUFFIXES = ('csv', 'json', 'jsonl', 'h5', 'txt', 'npz', 'npy', 'md', 'jpg')


class _Page(html.parser.HTMLParser):
  """What a page links to, and what on it can be linked to."""

  def __init__(self, path: pathlib.Path) -> None:
    super().__init__()
    self.links: list[str] = []
    self.anchors: set[str | None] = set()
    self.feed(path.read_text('utf-8'))

  def handle_starttag(
      self, tag: str, attrs: list[tuple[str, str | None]]
  ) -> None:
    found = dict(attrs)
    self.anchors.add(found.get('id'))
    if tag == 'a' and found.get('href'):
      self.links.append(f'{found["href"]}')


@pytest.mark.slow
def test_the_api_reference_has_no_dead_link(tmp_path: pathlib.Path) -> None:
  """Built from all docstrings; its links lead to pages and names."""
  subprocess.run(
      [
          sys.executable,
          '-m',
          'tools.api_reference',
          f'--output={tmp_path / "api"}',
      ],
      cwd=_ROOT,
      check=True,
      capture_output=True,
  )
  pages = {
      path.resolve(): _Page(path) for path in (tmp_path / 'api').rglob('*.html')
  }
  assert 'load' in pages[(tmp_path / 'api/medxfer.html').resolve()].anchors
  dead, seen = [], 0
  for path, page in pages.items():
    for link in page.links:
      file, _, anchor = link.partition('#')
      if '://' in file:
        continue
      seen += 1
      target = pages.get((path.parent / file).resolve() if file else path)
      if target is None or (anchor and anchor not in target.anchors):
        dead.append(f'{path.name}: {link}')
  assert seen > 1000 and not dead


def _names(path: pathlib.Path) -> set[str]:
  """Returns the names that a module defines, imports and takes."""
  found = set()
  for node in ast.walk(ast.parse(path.read_text('utf-8'))):
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
      found.add(node.name)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
      found.add(node.id)
    elif isinstance(node, ast.arg):
      found.add(node.arg)
    elif isinstance(node, ast.alias):
      found.add((node.asname or node.name).split('.')[0])
  return found


def _texts(path: pathlib.Path) -> list[str]:
  """Returns the comments and the strings of a module."""
  source = path.read_text('utf-8')
  return [
      token.string
      for token in tokenize.generate_tokens(io.StringIO(source).readline)
      if token.type in (tokenize.COMMENT, tokenize.STRING)
  ]


def _keys(config: ml_collections.ConfigDict, above: str = '') -> set[str]:
  found = set()
  for key, value in config.items():
    found.add(above + key)
    if hasattr(value, 'items'):
      found |= _keys(value, f'{above}{key}.')
  return found


def test_docstrings_name_what_exists() -> None:
  """A renamed module or function is renamed where it is mentioned."""
  names = {module: _names(path) for module, path in _MODULES.items()}
  keys, wrong, seen = _keys(common.default()), [], 0
  for module, path in _MODULES.items():
    for name in _NAME.findall('\n'.join(_texts(path))):
      if name in keys or name == 'N.S' or name.rpartition('.')[2] in _SUFFIXES:
        continue
      seen += 1
      if not _exists(name, module, names):
        wrong.append(f'{module}: `{name}`')
  assert seen > 100 and not wrong, '\n'.join(wrong)


def _exists(name: str, module: str, names: Mapping[str, set[str]]) -> bool:
  """Whether a dotted name is one of medxfer's, or of another package."""
  parts = name.removeprefix('medxfer.').split('.')
  if parts[0] in names[module] or parts[0] in _LIBRARIES:
    return True
  for length in range(1, len(parts) + 1):
    ending, rest = '.'.join(['', *parts[:length]]), parts[length:]
    for other, defined in names.items():
      if other.endswith(ending) and (not rest or rest[0] in defined):
        return True
  # A class with its attribute.
  return any(defined.issuperset(parts) for defined in names.values())


def test_the_map_names_every_module() -> None:
  """A newcomer finds each of them in WORKSPACE.md, with its purpose."""
  text = (_ROOT / 'WORKSPACE.md').read_text('utf-8')
  missing = [
      module
      for module, path in _MODULES.items()
      if path.stem not in ('__init__', '__main__')
      and path.parent.name not in ('commands', 'bench', 'recipes')
      and f'`{path.stem}`' not in text
      and f'{path.stem}.py`' not in text
  ]
  assert not missing
