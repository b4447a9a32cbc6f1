"""Protects the disk from a cache that only grows, and all else from it."""

import fcntl
import os
import pathlib
import subprocess
import sys
import time

import numpy as np
import pytest

from medxfer import cache
from medxfer import cache_upkeep
from medxfer import errors
from medxfer import files
from medxfer.training import feature_store

_ROOT = pathlib.Path(__file__).parents[1]
_MB = 10**6


def _add(where: pathlib.Path, name: str, age: float) -> None:
  """Adds an entry of one megabyte that was used `age` seconds ago."""
  with cache.slot(where, 'pixels', {'name': name}) as slot:
    with slot.draft((_MB,), np.uint8) as draft:
      draft.commit({'name': name})
  _grow_old(where, name, age)


def _grow_old(where: pathlib.Path, name: str, age: float) -> None:
  stem = f'pixels-{cache.fingerprint({"name": name})}'
  for path in where.glob(f'{stem}.*'):
    os.utime(path, times=(time.time() - age,) * 2)


def _names(where: pathlib.Path) -> list[str]:
  """The entries that are left, the least recently used first."""
  return [
      files.read_json(path)['about']['name']
      for item in cache_upkeep.items(where)
      for path in item.paths
      if path.suffix == '.json' and path.parent == where
  ]


def _features(where: pathlib.Path, images: int = 4) -> None:
  with feature_store.on_disk(
      where, {'layer': 'x'}, (images, 1, 250_000), np.dtype(np.float32)
  ) as store:
    store.put(np.arange(1), 0, np.ones((1, 250_000), np.float32))


@pytest.fixture
def where(tmp_path: pathlib.Path) -> pathlib.Path:
  """A cache of three entries, used in their order."""
  for age, name in ((30, 'a'), (20, 'b'), (10, 'c')):
    _add(tmp_path, name, age)
  return tmp_path


def test_what_was_not_used_for_the_longest_time_goes_first(
    where: pathlib.Path,
) -> None:
  """Reading is a use: the entry of today's study was made last month."""
  with cache.slot(where, 'pixels', {'name': 'a'}) as slot:
    assert slot.read() is not None
  removed = cache_upkeep.trim(where, 2.5 * _MB)
  assert len(removed) == 1 and _names(where) == ['c', 'a']


@pytest.mark.parametrize('most, left', [(3.5, 3), (2.2, 2), (0.5, 0), (0, 0)])
def test_no_more_is_removed_than_must_be(
    where: pathlib.Path, most: float, left: int
) -> None:
  """A limit below one entry leaves none."""
  cache_upkeep.trim(where, most * _MB)
  assert len(_names(where)) == left


def test_nothing_else_in_the_folder_is_touched(where: pathlib.Path) -> None:
  """Somebody may have named a folder that holds their work."""
  others = (
      'notes.txt',
      'pixels-mine.npy',
      'compiled/thesis.tex',
      'prefix-1/x',
      'prefix-0123456789abcdef0123',
  )
  for name in others:
    path = where / name
    path.parent.mkdir(exist_ok=True)
    path.write_text('mine')
  cache_upkeep.trim(where, 0)
  assert all((where / name).read_text() == 'mine' for name in others)
  assert not cache_upkeep.items(where)


def test_what_is_being_made_stays(where: pathlib.Path) -> None:
  """Its process would write into a file that nobody finds."""
  _features(where)
  [folder] = where.glob('prefix-*')
  with (folder / 'lock').open('a') as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    cache_upkeep.trim(where, 0)
    assert [item.kind for item in cache_upkeep.items(where)] == ['features']
  cache_upkeep.trim(where, 0)
  assert not cache_upkeep.items(where)


def test_an_entry_that_is_removed_can_still_be_read(
    where: pathlib.Path,
) -> None:
  """By who reads it: a training does not end for want of its images."""
  with cache.slot(where, 'pixels', {'name': 'a'}) as slot:
    entry = slot.read()
  assert entry
  cache_upkeep.trim(where, 0)
  np.testing.assert_array_equal(entry.array, np.zeros(_MB, np.uint8))


def test_the_cache_stays_below_its_limit(
    where: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """By itself, and it says so."""
  monkeypatch.setenv(cache_upkeep.LIMIT, '3.5MB')
  _add(where, 'd', 0)
  assert _names(where) == ['b', 'c', 'd']
  assert 'were removed' in capsys.readouterr().out
  phantoms = where / 'ham10000_phantom_v1_n9'
  phantoms.mkdir()
  (phantoms / 'x.jpg').write_bytes(bytes(_MB))
  os.utime(phantoms / 'x.jpg', times=(0, 0))
  _features(where, images=2)
  # What runs read as files while they train is removed by hand alone.
  assert _names(where) == [] and phantoms.exists()
  cache_upkeep.trim(where, 0)
  assert not phantoms.exists()


def test_what_is_larger_than_the_limit_is_not_kept(
    where: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """It would throw out all others, and then itself."""
  monkeypatch.setenv(cache_upkeep.LIMIT, '3.5MB')
  with pytest.raises(OSError, match='more than its limit of 3.5 MB'):
    _features(where)
  assert _names(where) == ['a', 'b', 'c']


@pytest.mark.parametrize(
    'text, count',
    [('20GB', 2e10), ('1.5 kb', 1500), ('7', 7), ('0', 0), ('2TiB', 2e12)],
)
def test_sizes_are_read(text: str, count: float) -> None:
  """As people write them."""
  assert cache_upkeep.parse_size(text, '--keep') == count


@pytest.mark.parametrize('text', ['', 'all', '-1GB', '1e3', '5PB', '1 GB 2'])
def test_other_words_are_no_sizes(text: str) -> None:
  """A size that is misread would clear the cache."""
  with pytest.raises(errors.UsageError, match='--keep'):
    cache_upkeep.parse_size(text, '--keep')


@pytest.mark.parametrize(
    'words, status, said',
    [
        ([], 0, 'pixels'),
        (['--keep=2.5MB'], 0, 'removed: 1 entries, 1.0 MB'),
        (['--clear'], 0, 'removed: 3 entries'),
        (['--clear', '--keep=1GB'], 2, 'contradict'),
        (['--keep=much'], 2, '--keep=much: give a size'),
        (['--keep='], 2, '--keep=: give a size'),
        (['all'], 2, "unexpected argument 'all'"),
        (['--cache_dir=/nowhere/at/all'], 2, 'no such folder'),
    ],
)
def test_the_command(
    where: pathlib.Path, words: list[str], status: int, said: str
) -> None:
  """Shows, trims and clears; refuses the rest, and removes nothing then."""
  done = subprocess.run(
      [sys.executable, '-m', 'medxfer', 'cache', *words],
      cwd=_ROOT,
      text=True,
      capture_output=True,
      env={**os.environ, 'MEDXFER_CACHE': str(where)},
  )
  assert done.returncode == status, done.stderr
  assert said in done.stdout + done.stderr
  if status:
    assert len(_names(where)) == 3 and 'Traceback' not in done.stderr
