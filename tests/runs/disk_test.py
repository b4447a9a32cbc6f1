"""Protects a run on a disk that is full: said, and nothing lost."""

import subprocess

import pytest

from tests.runs import killing


@pytest.fixture
def small_disk(tmp_path):
  """A disk of its own with room for two checkpoints, and how to enlarge it."""
  folder = tmp_path / 'disk'
  folder.mkdir()
  mounted = subprocess.run(
      ['mount', '-t', 'tmpfs', '-o', 'size=300m', 'tmpfs', folder],
      capture_output=True, text=True, check=False)
  if mounted.returncode:
    pytest.skip(f'no disk can be mounted here: {mounted.stderr.strip()}')
  yield folder, lambda: subprocess.run(
      ['mount', '-o', 'remount,size=2g', folder], check=True)
  subprocess.run(['umount', '--lazy', folder], check=True)


@pytest.mark.slow
def test_a_full_disk_ends_a_run_that_then_goes_on(phantoms, small_disk):
  """In the middle of a checkpoint: the one before is whole."""
  folder, enlarge = small_disk
  place = killing.Place(phantoms, folder)
  out, err = killing.start(place, cache_dir='off').communicate(timeout=600)
  saved = killing.saved(place)
  assert 'epoch   1' in out and 1 <= saved < 4
  assert len(err.splitlines()) == 1 and err.startswith(
      f'error: {place.workdir}/checkpoints/{saved + 1}: cannot be saved (')
  assert f'saved up to epoch {saved}, {place.workdir}' in err
  assert 'make room' in err and 'Traceback' not in err
  assert not [path for path in folder.rglob('*') if 'tmp' in path.name]
  enlarge()
  out = killing.finish(killing.start(place, cache_dir='off'))
  assert f'goes on after epoch {saved}' in out
  assert len(killing.results(place)['history']) == 4
