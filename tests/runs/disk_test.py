"""Protects a run whose disk refuses it: said, and nothing lost."""

from collections.abc import Iterator
import pathlib
import subprocess
import time
from typing import Any

import pytest

from tests.runs import killing

# Its checkpoints fill a disk, and take long enough to be interrupted.
_VGG16 = 'last_block,phantom'


@pytest.fixture
def small_disk(tmp_path: pathlib.Path) -> Iterator[Any]:
  """A disk of its own with room for two checkpoints, and how to enlarge it."""
  folder = tmp_path / 'disk'
  folder.mkdir()
  _mount('-t', 'tmpfs', '-o', 'size=300m', 'tmpfs', folder)
  yield folder, lambda: _mount('-o', 'remount,size=2g', folder)
  subprocess.run(['umount', '--lazy', folder], check=True)


def _mount(*args: Any) -> None:
  done = subprocess.run(
      ['mount', *args], capture_output=True, text=True, check=False
  )
  if done.returncode:
    pytest.skip(f'no disk can be mounted here: {done.stderr.strip()}')


@pytest.mark.slow
def test_a_full_disk_ends_a_run_that_then_goes_on(
    phantoms: pathlib.Path, small_disk: Any
) -> None:
  """In the middle of a checkpoint: the one before is whole."""
  folder, enlarge = small_disk
  place = killing.Place(phantoms, folder, _VGG16)
  _ends_and_says_what_is_saved(killing.start(place, cache_dir='off'), place)
  enlarge()
  _goes_on(place)


@pytest.mark.slow
def test_a_folder_that_becomes_read_only_ends_a_run_that_then_goes_on(
    phantoms: pathlib.Path, small_disk: Any
) -> None:
  """As a network's drive does when the connection is lost."""
  folder, enlarge = small_disk
  enlarge()
  place = killing.Place(phantoms, folder, _VGG16)
  checkpoints = place.workdir / 'checkpoints'
  process = killing.start(place, cache_dir='off')
  # While the second epoch is written: beside that of the first.
  while not (killing.saved(place) and len(list(checkpoints.iterdir())) > 1):
    assert process.poll() is None, process.stderr.read()
    time.sleep(0.002)
  _mount('--bind', checkpoints, checkpoints)
  _mount('-o', 'remount,ro,bind', checkpoints)
  try:
    _ends_and_says_what_is_saved(process, place)
  finally:
    subprocess.run(['umount', checkpoints], check=True)
  _goes_on(place)


def _ends_and_says_what_is_saved(process: Any, place: Any) -> None:
  out, err = process.communicate(timeout=600)
  saved = killing.saved(place)
  assert '\n    1  ' in out and 1 <= saved < 4
  assert len(err.splitlines()) == 1 and err.startswith(
      f'error: {place.workdir}/checkpoints/{saved + 1}: cannot be saved ('
  )
  assert f'saved up to epoch {saved}, {place.workdir}' in err
  assert 'make room, or the folder writable' in err and 'Traceback' not in err


def _goes_on(place: Any) -> None:
  saved = killing.saved(place)
  out = killing.finish(killing.start(place, cache_dir='off'))
  assert f'resumes after epoch {saved}' in out
  assert len(killing.results(place)['history']) == 4
  assert not [path for path in place.folder.rglob('*') if 'tmp' in path.name]
