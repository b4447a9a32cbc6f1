"""Protects activations on disk: only whole ones are found again."""

from collections.abc import Callable
import contextlib
import pathlib
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from medxfer.training import feature_store

_SHAPE = (6, 2, 4, 3)
_ROWS = np.array([1, 3, 4])
_VALUES = np.random.default_rng(0).normal(size=(3, 4, 3)).astype(np.float32)


def _open(where: pathlib.Path, key: str = 'a') -> Any:
  return feature_store.on_disk(where, {'key': key}, _SHAPE, np.float32)


def _fill(where: pathlib.Path) -> None:
  with _open(where) as store:
    store.put(_ROWS, 1, _VALUES)


def _file(where: pathlib.Path, name: str) -> pathlib.Path:
  return next(where.glob(f'*/{name}'))


@pytest.mark.parametrize(
    'opened',
    [
        lambda path: contextlib.nullcontext(
            feature_store.InMemory(_SHAPE, np.float32)
        ),
        _open,
    ],
    ids=['memory', 'disk'],
)
def test_missing_is_what_was_not_put(
    tmp_path: pathlib.Path, opened: Callable[..., Any]
) -> None:
  """An image is there once all views that are asked for are."""
  everything = np.arange(6)
  with opened(tmp_path) as store:
    store.put(_ROWS, 0, _VALUES)
    np.testing.assert_array_equal(store.missing(everything, 1), [0, 2, 5])
    np.testing.assert_array_equal(store.missing(everything, 2), everything)
    store.put(_ROWS, 1, _VALUES)
    np.testing.assert_array_equal(store.missing(everything, 2), [0, 2, 5])


def test_another_process_finds_what_was_put(tmp_path: pathlib.Path) -> None:
  """And what it reads stays readable after the store is left."""
  _fill(tmp_path)
  with _open(tmp_path) as store:
    assert store.filled.sum() == 3
  np.testing.assert_array_equal(store.take(_ROWS)[:, 1], _VALUES)
  with _open(tmp_path, 'b') as other:
    assert not other.filled.any()


@pytest.mark.parametrize(
    'opened',
    [
        lambda path, *args: contextlib.nullcontext(
            feature_store.InMemory(*args)
        ),
        lambda path, *args: feature_store.on_disk(path, {}, *args),
    ],
    ids=['memory', 'disk'],
)
def test_bfloat16_comes_back_as_it_went(
    tmp_path: pathlib.Path, opened: Callable[..., Any]
) -> None:
  """A type that neither files nor buffers know."""
  values = _VALUES.astype(jnp.bfloat16)
  with opened(tmp_path, _SHAPE, values.dtype) as store:
    store.put(_ROWS, 1, values)
  taken = store.take(_ROWS[::-1])
  assert taken.dtype == jnp.bfloat16 and taken.shape == (3, *_SHAPE[1:])
  np.testing.assert_array_equal(taken[::-1, 1], values)


def test_a_journal_cut_in_a_record_loses_that_record(
    tmp_path: pathlib.Path,
) -> None:
  """Killed while writing the last of three."""
  _fill(tmp_path)
  journal = _file(tmp_path, 'journal')
  journal.write_bytes(journal.read_bytes()[:-3])
  with _open(tmp_path) as store:
    np.testing.assert_array_equal(np.argwhere(store.filled), [[1, 1], [3, 1]])
    store.put(_ROWS, 1, _VALUES)
  with _open(tmp_path) as store:
    assert store.filled.sum() == 3


@pytest.mark.parametrize(
    'damage',
    [
        lambda content: content[:100],
        lambda content: b'',
        lambda content: bytes(len(content)),
    ],
    ids=['cut', 'empty', 'zeros'],
)
def test_damaged_activations_are_missing(
    tmp_path: pathlib.Path, damage: Callable[..., Any]
) -> None:
  """The checksums find them, wherever the damage is."""
  _fill(tmp_path)
  path = _file(tmp_path, 'activations')
  path.write_bytes(damage(path.read_bytes()))
  with _open(tmp_path) as store:
    assert not store.filled.any()


def test_a_full_disk_is_an_error_before_the_first_byte(
    tmp_path: pathlib.Path, full_disk: None
) -> None:
  """Hours of activations must not be computed for nothing."""
  del full_disk
  with pytest.raises(OSError, match='No space'):
    _fill(tmp_path)
