"""Protects users without a home: containers, services, cluster nodes."""

from collections.abc import Callable
from collections.abc import Iterator
import os
import pathlib
import tempfile
from typing import Any

import pytest

from medxfer import cache
from medxfer import errors
from medxfer import startup
from medxfer import user_folders


@pytest.fixture(autouse=True)
def _nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> Iterator[None]:
  """No home, no variables, and temporary files in a folder of their own."""
  for name in ('HOME', 'XDG_CACHE_HOME', 'MEDXFER_CACHE', 'MPLCONFIGDIR'):
    monkeypatch.delenv(name, raising=False)

  def nobody(_: int) -> None:
    raise KeyError

  monkeypatch.setattr('pwd.getpwuid', nobody)
  monkeypatch.setattr(tempfile, 'gettempdir', lambda: str(tmp_path))
  cache._without_home.cache_clear()
  yield
  cache._without_home.cache_clear()


def _unwritable(monkeypatch: pytest.MonkeyPatch, folder: pathlib.Path) -> None:
  """Makes a folder one that this user may not write; root may write all."""
  real = os.access
  monkeypatch.setattr(
      os,
      'access',
      lambda path, mode: pathlib.Path(path) != folder and real(path, mode),
  )


def test_without_a_home_the_cache_is_temporary_and_said_once(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
  """This user's alone."""
  expected = tmp_path / f'medxfer-{os.getuid()}' / 'cache'
  assert cache.folder() == expected == cache.home()
  assert expected.parent.stat().st_mode & 0o777 == 0o700
  said = capsys.readouterr()
  assert said.err.count('note:') == 1 and str(expected) in said.err
  assert said.out == ''


@pytest.mark.parametrize('below', ['', '.cache', '.cache/medxfer'])
def test_a_home_that_cannot_be_written_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, below: str
) -> None:
  """Read-only homes, and those that belong to somebody else."""
  home = tmp_path / 'home'
  (home / below).mkdir(parents=True)
  monkeypatch.setenv('HOME', str(home))
  assert cache.folder() == home / '.cache' / 'medxfer'
  _unwritable(monkeypatch, home / below)
  assert cache.folder().parent.name == f'medxfer-{os.getuid()}'


def test_a_place_that_is_named_is_taken(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """By the usual variables, in their usual order."""
  monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
  assert cache.folder() == tmp_path / 'medxfer'
  monkeypatch.setenv('MEDXFER_CACHE', 'off')
  assert cache.folder() is None
  assert cache.folder('/named') == pathlib.Path('/named')
  assert capsys.readouterr().err == ''


@pytest.mark.parametrize(
    'make', [lambda p: (p.mkdir(), p.chmod(0o777)), lambda p: p.symlink_to('/')]
)
def test_a_folder_that_others_may_write_is_refused(
    tmp_path: pathlib.Path, make: Callable[..., Any]
) -> None:
  """What they put there would be read as ours."""
  make(tmp_path / f'medxfer-{os.getuid()}')
  with pytest.raises(errors.DataError, match='TMPDIR'):
    user_folders.temporary_folder()


def test_matplotlib_gets_a_folder_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
  """Or it says in several lines that it has made one."""
  for name in ('MPLBACKEND', 'MATPLOTLIBRC'):
    monkeypatch.setenv(name, os.environ.get(name, ''))
  for name in ('MPLCONFIGDIR', 'HOME'):
    monkeypatch.setenv(name, '')
  del os.environ['MPLCONFIGDIR']
  startup.prepare()
  assert 'HOME' not in os.environ  # Empty, it would be the disk's root.
  assert os.environ['MPLCONFIGDIR'].startswith(str(tmp_path))
