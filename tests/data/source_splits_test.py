"""Protects the split by source: one clinic tests, and nothing of it trains."""

import dataclasses
import pathlib

import numpy as np
import pytest

from medxfer import errors
from medxfer.data import examples as examples_lib
from medxfer.data import fewer_images
from medxfer.data import leaks
from medxfer.data import source_splits
from medxfer.data import splits


def _examples(**change: object) -> examples_lib.Examples:
  """120 images in pairs, of three clinics of 40; two classes."""
  n = 120
  names = tuple(f'i{i}' for i in range(n))
  found = examples_lib.Examples(
      name='made',
      class_names=('a', 'b'),
      image_ids=names,
      paths=tuple(map(pathlib.Path, names)),
      labels=(np.arange(n) // 2 % 2).astype(np.int32),
      groups=tuple(f'g{i // 2}' for i in range(n)),
      columns={'source': tuple('xyz'[i // 40] for i in range(n))},
  )
  return dataclasses.replace(found, **change)


def _split(examples: examples_lib.Examples, source: str) -> splits.Split:
  return splits.assign(examples, kind='source', seed=0, source=source)


@pytest.mark.parametrize('source', ['x', 'y', 'z'])
def test_every_image_of_the_source_tests_and_no_other(source: str) -> None:
  """One of five of the others validates, by group."""
  examples = _examples()
  split = _split(examples, source)
  sources = np.array(examples.columns['source'])
  assert set(sources[split.test]) == {source} and len(split.test) == 40
  assert len(split.val) == 16 and len(split.train) == 64
  groups = np.array(examples.groups)
  assert not set(groups[split.val]) & set(groups[split.train])
  digests = [bytes([i]) for i in range(len(examples))]
  assert leaks.audit(examples, split, digests).images == 0


def test_groups_that_the_source_has_as_well_do_not_train() -> None:
  """A patient of two clinics: the images elsewhere are not used, and said."""
  groups = list(_examples().groups)
  groups[50] = groups[51] = groups[0]
  examples = _examples(groups=tuple(groups))
  split = _split(examples, 'x')
  assert split.unused.tolist() == [50, 51] and len(split) == 120
  notes = splits.decide(examples, 'source', 'x').notes
  assert '2 images of other sources' in notes[1]
  limited = fewer_images.limited(examples, split, 40, 0)
  assert {50, 51} <= set(limited.unused) and len(limited) == 120


def test_a_source_may_lack_a_class_and_it_is_said() -> None:
  """Its scores are of the others."""
  labels = _examples().labels.copy()
  labels[:40] = 0
  examples = _examples(labels=labels)
  assert set(examples.labels[_split(examples, 'x').test]) == {0}
  assert 'no image of b' in splits.decide(examples, 'source', 'x').notes[-1]
  with pytest.raises(errors.DataError, match='no image of b is left to learn'):
    one = np.where(np.arange(120) < 40, labels, 0)
    one[:4] = 1
    _split(_examples(labels=one.astype(np.int32)), 'x')


@pytest.mark.parametrize(
    'columns, source, error, message',
    [
        ({}, 'x', errors.UsageError, 'nothing says which source'),
        (None, 'w', errors.UsageError, r"'w': made has the sources x \(40 im"),
        (None, '', errors.UsageError, 'data.test_source'),
        ({'source': ('x',) * 120}, 'x', errors.DataError, 'no other to learn'),
    ],
)
def test_what_is_no_source_is_refused(
    columns: dict | None, source: str, error: type[Exception], message: str
) -> None:
  """With the sources that there are."""
  examples = _examples() if columns is None else _examples(columns=columns)
  with pytest.raises(error, match=message):
    _split(examples, source)


def test_sources_are_counted() -> None:
  """For whoever asks which there are."""
  assert source_splits.names(_examples()) == {'x': 40, 'y': 40, 'z': 40}
  assert not source_splits.names(_examples(columns={}))
