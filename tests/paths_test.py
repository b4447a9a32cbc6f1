"""Protects paths: every flag, key and variable reads `~` as a shell does."""

import ast
from collections.abc import Callable
import os
import pathlib
from typing import Any

from absl import flags
import pytest

from medxfer import cache
from medxfer import config_flag
from medxfer import errors
from medxfer import launcher
from medxfer import paths
from medxfer.data import datasets
from medxfer.model import architectures
from medxfer.model import weights

_VGG16 = architectures.BY_NAME['vgg16']
_ROOT = pathlib.Path(__file__).parents[1]
_LAUNCHERS = [
    path
    for folder in ('medxfer', 'tools')
    for path in sorted((_ROOT / folder).rglob('*.py'))
    if 'DEFINE_string' in path.read_text()
]
_NO_PATHS = {
    'shard',
    'budget',
    'base_url',
    'layer',
    'explain_layer',
    'classes',
    'name',
    'keep',
}


def _flag(value: str | None) -> Any:
  values = flags.FlagValues()
  holder = flags.DEFINE_string('output', value, '', flag_values=values)
  values(['test'])
  return holder


def _path_flags(tree: ast.Module) -> dict[str, str]:
  """Returns variable -> flag of a launcher's string flags that are paths."""
  return {
      node.targets[0].id: node.value.args[0].value
      for node in tree.body
      if isinstance(node, ast.Assign)
      and isinstance(node.value, ast.Call)
      and ast.unparse(node.value.func) == 'flags.DEFINE_string'
      and node.value.args[0].value not in _NO_PATHS
  }


@pytest.mark.parametrize(
    'path', _LAUNCHERS, ids=lambda p: str(p.relative_to(_ROOT))
)
def test_every_path_flag_is_read_by_the_one_reader(path: pathlib.Path) -> None:
  """A flag that is read by itself makes a folder called `~`."""
  tree = ast.parse(path.read_text())
  calls = [
      ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call)
  ]
  found = _path_flags(tree)
  for variable, flag in found.items():
    assert any(
        f'launcher.{reader}({variable})' in call
        for call in calls
        for reader in ('path', 'required_path')
    ), flag
  made = [call for call in calls if call.startswith('pathlib.Path(')]
  assert not [call for call in made if '.value' in call or 'argv' in call]


def test_there_are_launchers_to_look_at() -> None:
  """Or the test above could not fail."""
  assert len(_LAUNCHERS) >= 10
  assert (
      sum(len(_path_flags(ast.parse(p.read_text()))) for p in _LAUNCHERS) >= 16
  )


@pytest.mark.parametrize(
    'named, expected',
    [
        ('~/runs/a', '/somebody/runs/a'),
        ('~', '/somebody'),
        ('~root/x', f'{pathlib.Path("~root").expanduser()}/x'),
        ('a/b', 'a/b'),
        ('./~/x', '~/x'),
        ('/x', '/x'),
    ],
)
def test_homes_are_found(
    monkeypatch: pytest.MonkeyPatch, named: str, expected: str
) -> None:
  """One's own, another user's; a tilde in the middle is a name."""
  monkeypatch.setenv('HOME', '/somebody')
  assert launcher.path(_flag(named)) == pathlib.Path(expected)
  assert launcher.paths([named]) == [pathlib.Path(expected)]


def test_a_configuration_is_found_at_home(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
  """With what follows the colon."""
  monkeypatch.setenv('HOME', '/somebody')
  assert [
      config_flag.found(word)
      for word in ('~/own.py:head,cpu', '~/own.py', 'own.py:~')
  ] == ['/somebody/own.py:head,cpu', '/somebody/own.py', 'own.py:~']
  with pytest.raises(errors.UsageError, match='--config=~nosuch/own.py'):
    config_flag.found('~nosuch/own.py')


def test_no_value_is_no_path() -> None:
  """An empty one as well: it would be the current folder."""
  assert launcher.path(_flag(None)) is None
  assert launcher.path(_flag('')) is None


def _without_home(monkeypatch: pytest.MonkeyPatch) -> None:
  monkeypatch.delenv('HOME', raising=False)

  def nobody(_: int) -> None:
    raise KeyError

  monkeypatch.setattr('pwd.getpwuid', nobody)


@pytest.mark.parametrize(
    'read, source',
    [
        (lambda p: launcher.path(_flag(p)), '--output'),
        (lambda p: launcher.paths([p]), ''),
        (lambda p: datasets.folder(_Data(dir=p)), 'data.dir'),
        (lambda p: weights.locate(p, _VGG16), 'model.weights'),
        (
            lambda p: weights.locate(
                '', _VGG16, environ={'MEDXFER_WEIGHTS': p}
            ),
            '$MEDXFER_WEIGHTS',
        ),
        (cache.folder, 'cache_dir'),
    ],
)
def test_who_is_unknown_is_named_with_the_flag_or_key(
    monkeypatch: pytest.MonkeyPatch, read: Callable[..., Any], source: str
) -> None:
  """And where the user has no home, the message says that."""
  with pytest.raises(errors.UsageError, match="no user 'nosuch'") as caught:
    read('~nosuch/x')
  assert f'{source}{"=" * bool(source)}~nosuch/x' in str(caught.value)
  _without_home(monkeypatch)
  with pytest.raises(errors.UsageError, match='no home folder'):
    read('~/x')


class _Data:
  """As much of a specification as a folder takes."""

  name, phantom, dir = 'ham10000', 0, ''

  def __init__(self, **values: Any) -> None:
    vars(self).update(values)


@pytest.mark.parametrize(
    'variable, read',
    [
        ('MEDXFER_DATA', lambda: datasets.folder(_Data())),
        ('MEDXFER_CACHE', cache.folder),
        ('MEDXFER_CACHE', cache.home),
    ],
)
def test_variables_are_read_like_flags(
    monkeypatch: pytest.MonkeyPatch, variable: str, read: Callable[..., Any]
) -> None:
  """Quoted in a job script, they arrive with their tilde."""
  monkeypatch.setenv('HOME', '/somebody')
  monkeypatch.setenv(variable, '~/x')
  assert str(read()).startswith('/somebody/x')
  monkeypatch.setenv(variable, '~nosuch/x')
  with pytest.raises(errors.UsageError, match=f'{variable}=~nosuch'):
    read()


def test_names_that_are_no_text_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
  """TensorFlow and Orbax would fail on them, hours later."""
  with pytest.raises(errors.UsageError, match='--output=.*no text'):
    launcher.path(_flag('runs/M\udcfcller'))
  with pytest.raises(errors.UsageError, match='data.dir=.*no text'):
    datasets.folder(_Data(dir='runs/M\udcfcller'))
  monkeypatch.setattr(os, 'getcwd', lambda: '/M\udcfcller')
  with pytest.raises(errors.UsageError, match='--output=run: /M.*no text'):
    launcher.path(_flag('run'))
  assert launcher.path(_flag('/run')) == pathlib.Path('/run')
  assert paths.read('M\udcfcller.jpg') == pathlib.Path('M\udcfcller.jpg')
