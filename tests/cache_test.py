"""Protects arrays on disk: whole, verified, made once, by one process."""

from collections.abc import Callable
import multiprocessing
import os
import pathlib
import signal
from typing import Any

import numpy as np
import pytest

from medxfer import cache

_KEY = {'files': 'abc', 'image_size': [4, 3]}
_ARRAY = np.arange(60, dtype=np.uint8).reshape(5, 4, 3)


def _make(where: pathlib.Path, key: None = None) -> None:
  with cache.slot(where, 'pixels', key or _KEY) as slot:
    with slot.draft(_ARRAY.shape, _ARRAY.dtype) as draft:
      draft.array[:] = _ARRAY
      draft.commit({'maker': 'test'})


def _read(where: pathlib.Path, key: dict | None = None) -> cache.Entry | None:
  with cache.slot(where, 'pixels', key or _KEY) as slot:
    return slot.read()


def test_what_is_written_is_read(tmp_path: pathlib.Path) -> None:
  """Bit for bit, with what its maker said."""
  assert _read(tmp_path) is None
  _make(tmp_path)
  entry = _read(tmp_path)
  np.testing.assert_array_equal(entry.array, _ARRAY)
  assert entry.array.dtype == np.uint8 and entry.about == {'maker': 'test'}
  assert not entry.array.flags.writeable


def test_another_key_is_another_entry(tmp_path: pathlib.Path) -> None:
  """Whatever decides the content decides the name."""
  _make(tmp_path)
  assert _read(tmp_path, _KEY | {'image_size': [3, 4]}) is None


@pytest.mark.parametrize(
    'damage',
    [
        lambda array, about: array.write_bytes(array.read_bytes()[:-7]),
        lambda array, about: array.write_bytes(b''),
        lambda array, about: array.unlink(),
        lambda array, about: array.write_bytes(
            array.read_bytes()[:-1] + b'\xff'
        ),
        lambda array, about: about.write_text('{"crc32":'),
    ],
    ids=['cut', 'empty', 'gone', 'flipped', 'half-a-record'],
)
def test_a_damaged_entry_is_removed_and_made_again(
    tmp_path: pathlib.Path, damage: Callable[..., Any]
) -> None:
  """It is never half used, and says what was wrong."""
  _make(tmp_path)
  damage(next(tmp_path.glob('*.npy')), next(tmp_path.glob('*.json')))
  with pytest.raises(cache.Damaged, match='pixels-'):
    _read(tmp_path)
  assert _read(tmp_path) is None
  _make(tmp_path)
  np.testing.assert_array_equal(_read(tmp_path).array, _ARRAY)


def test_a_draft_that_is_not_committed_leaves_nothing(
    tmp_path: pathlib.Path,
) -> None:
  """An error in the middle of decoding is no entry."""
  with pytest.raises(RuntimeError):
    with cache.slot(tmp_path, 'pixels', _KEY) as slot:
      with slot.draft(_ARRAY.shape, _ARRAY.dtype) as draft:
        draft.array[:2] = 1
        raise RuntimeError
  assert _read(tmp_path) is None
  assert [p.suffix for p in tmp_path.iterdir()] == ['.lock']


def test_a_full_disk_is_an_error_before_the_first_byte(
    tmp_path: pathlib.Path, full_disk: None
) -> None:
  """A mapped page without a place on disk would kill the process."""
  del full_disk
  with pytest.raises(OSError, match='No space'):
    _make(tmp_path)
  assert [p.suffix for p in tmp_path.iterdir()] == ['.lock']


def _die_while_writing(where: Any) -> None:
  with cache.slot(where, 'pixels', _KEY) as slot:
    with slot.draft(_ARRAY.shape, _ARRAY.dtype) as draft:
      draft.array[:2] = 7
      os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_writer_leaves_no_entry_and_no_rubbish(
    tmp_path: pathlib.Path,
) -> None:
  """The next one removes what it left, and is not kept waiting."""
  process = multiprocessing.get_context('spawn').Process(
      target=_die_while_writing, args=(tmp_path,)
  )
  process.start()
  process.join()
  assert process.exitcode == -signal.SIGKILL
  assert list(tmp_path.glob('.*.tmp'))
  assert _read(tmp_path) is None
  assert not list(tmp_path.glob('.*.tmp'))


def _count(where: Any, made: Any) -> None:
  with cache.slot(where, 'pixels', _KEY) as slot:
    if slot.read() is None:
      with made.get_lock():
        made.value += 1
      with slot.draft(_ARRAY.shape, _ARRAY.dtype) as draft:
        draft.array[:] = _ARRAY
        draft.commit({})


def test_of_two_processes_one_makes_it(tmp_path: pathlib.Path) -> None:
  """The other waits, and reads."""
  context = multiprocessing.get_context('spawn')
  made = context.Value('i', 0)
  both = [
      context.Process(target=_count, args=(tmp_path, made)) for _ in range(2)
  ]
  for process in both:
    process.start()
  for process in both:
    process.join()
  assert made.value == 1 and [p.exitcode for p in both] == [0, 0]


def test_the_folder_is_named_or_found_or_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
  """The flag before the variable, the variable before the home folder."""
  monkeypatch.setenv('MEDXFER_CACHE', '/somewhere')
  assert str(cache.folder()) == '/somewhere'
  assert str(cache.folder('/else')) == '/else'
  assert cache.folder('off') is None
  monkeypatch.delenv('MEDXFER_CACHE')
  assert cache.folder().name == 'medxfer'
