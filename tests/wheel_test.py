"""Protects the package: one name at the top, every command from any folder."""

from collections.abc import Callable
import email
import os
import pathlib
import shutil
import subprocess
import sys
from typing import Any
import zipfile

import pytest

import medxfer
from medxfer import config_flag

_ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture(scope='module')
def installed(tmp_path_factory: pytest.TempPathFactory) -> Any:
  """A folder with what the wheel installs, and a stranger's folder."""
  folder = tmp_path_factory.mktemp('wheel')
  subprocess.run(
      [
          sys.executable,
          '-m',
          'pip',
          'wheel',
          '-q',
          '--no-deps',
          '--no-build-isolation',
          '--wheel-dir',
          folder,
          _copy(folder),
      ],
      check=True,
      capture_output=True,
  )
  with zipfile.ZipFile(next(folder.glob('*.whl'))) as wheel:
    wheel.extractall(folder / 'site')
  stranger = folder / 'stranger'
  for name in ('configs', 'tools'):  # Names that others use as well.
    (stranger / name).mkdir(parents=True)
    (stranger / name / '__init__.py').touch()
  return folder / 'site', stranger


def _copy(folder: Any) -> Any:
  """A copy of what is packed, so that the build leaves nothing behind."""
  to = folder / 'checkout'
  for name in ('medxfer', 'configs', 'tools'):
    shutil.copytree(
        _ROOT / name, to / name, ignore=shutil.ignore_patterns('__pycache__')
    )
  for name in ('setup.cfg', 'pyproject.toml', 'README.md', 'LICENSE'):
    shutil.copy(_ROOT / name, to)
  return to


def _medxfer(installed: Callable[..., Any], *args: Any) -> Any:
  site, stranger = installed
  return subprocess.run(
      [sys.executable, '-m', 'medxfer', *args],
      cwd=stranger,
      capture_output=True,
      text=True,
      check=False,
      env=os.environ | {'PYTHONPATH': str(site)},
  )


@pytest.mark.slow
def test_the_wheel_installs_medxfer_and_nothing_else(
    installed: Callable[..., Any],
) -> None:
  """`configs` and `tools` are names of other people's packages, too."""
  site, _ = installed
  top = {
      path.name
      for path in site.iterdir()
      if not path.name.endswith('.dist-info')
  }
  assert top == {'medxfer'}
  entry = next(site.glob('*.dist-info/entry_points.txt')).read_text()
  assert 'medxfer = medxfer.__main__:main' in entry


@pytest.mark.slow
def test_the_wheel_tells_type_checkers_and_people_what_it_is(
    installed: Callable[..., Any],
) -> None:
  """Its annotations are used, and its metadata name authors and terms."""
  site, _ = installed
  for name in ('py.typed', '__init__.pyi'):
    assert (site / 'medxfer' / name).is_file()
  [metadata] = site.glob('*.dist-info/METADATA')
  fields = email.message_from_string(metadata.read_text('utf-8'))
  assert fields['Version'] == medxfer.__version__
  for field in ('Author', 'Keywords', 'Summary'):
    assert fields[field]
  # What setuptools calls it depends on its version.
  assert 'Apache-2.0' in (fields['License-Expression'], fields['License'])


@pytest.mark.slow
@pytest.mark.parametrize(
    'args, status, said',
    [
        (
            (
                'train',
                '--config=configs/ham.py:last_block',
                '--workdir=w',
                '--config.data.dir=nowhere',
            ),
            1,
            'nowhere: no such folder',
        ),
        (
            (
                'train',
                'ham:head,phantom,tiny',
                '--config.model.init_from=random',
                '--dry_run',
            ),
            0,
            'dry run: nothing was trained',
        ),
        (('train', '--config', 'ham:nothing'), 2, "unknown arm 'nothing'"),
        (
            ('study', '--config=configs/table_7_1.py:nothing'),
            2,
            "unknown modifier 'nothing'",
        ),
        (('report', '--workdir=nowhere'), 2, 'nowhere: no such folder'),
        (('convert-weights', '--help'), 0, '--source'),
        (('predict', '--help'), 0, 'medxfer predict --workdir=DIR'),
        (('--help',), 0, 'convert  '),
        ((), 2, 'medxfer COMMAND'),
        (('evalute',), 2, 'do you mean evaluate?'),
    ],
)
def test_every_command_works_from_a_strangers_folder(
    installed: Callable[..., Any], args: tuple, status: int, said: Any
) -> None:
  """With the configurations that medxfer brings along."""
  result = _medxfer(installed, *args)
  assert result.returncode == status, result
  assert said in result.stdout + result.stderr
  assert 'Traceback' not in result.stderr


def test_a_configuration_that_is_there_is_the_one_that_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
  """medxfer's own serve where nobody else's is meant."""
  monkeypatch.chdir(tmp_path)
  own = str(_ROOT / 'medxfer' / 'recipes' / 'ham.py')
  for named in ('configs/ham.py', 'ham.py', 'ham', './ham'):
    assert config_flag.found(f'{named}:all,cpu') == f'{own}:all,cpu'
  for other in ('mine/ham.py', 'configs/hamm.py', '/configs/ham.py', ''):
    assert config_flag.found(f'{other}:x') == f'{other}:x'
  (tmp_path / 'ham.py').touch()
  assert config_flag.found('ham.py:all') == 'ham.py:all'
