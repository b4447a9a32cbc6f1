"""Protects the splits: who is on which side, and what leaks."""

import numpy as np
import pytest

from medxfer import errors
from medxfer.data import examples as examples_lib
from medxfer.data import ham10000
from medxfer.data import splits


def _examples(labels, groups) -> examples_lib.Examples:
  names = tuple(f'i{i}' for i in range(len(labels)))
  return examples_lib.Examples(
      name='made', class_names=('a', 'b'), image_ids=names, paths=names,
      labels=np.array(labels, np.int32), groups=tuple(groups))


@pytest.fixture(scope='module')
def hundred():
  """100 images, 80 of class a; groups of two."""
  return _examples([0] * 80 + [1] * 20, [f'g{i // 2}' for i in range(100)])


@pytest.mark.parametrize('kind', ['thesis', 'grouped'])
def test_sides_are_60_20_20_disjoint_and_stratified(hundred, kind):
  """Section 6.2 of the thesis, for both ways of dealing."""
  split = splits.assign(hundred, kind=kind, seed=0)
  assert [len(split.rows(s)) for s in splits.SIDES] == [60, 20, 20]
  rows = np.concatenate([split.rows(s) for s in splits.SIDES])
  assert sorted(rows) == list(range(100))
  for side in splits.SIDES:
    share = np.mean(hundred.labels[split.rows(side)])
    assert share == pytest.approx(0.2, abs=0.05)
    assert {split.names()[i] for i in split.rows(side)} == {side}


def test_no_group_stands_on_two_sides_of_the_grouped_split(hundred):
  """The whole point of it."""
  split = splits.assign(hundred, kind='grouped', seed=3)
  sides = [{hundred.groups[i] for i in split.rows(s)} for s in splits.SIDES]
  assert not sides[0] & sides[1] and not sides[0] & sides[2]
  assert not sides[1] & sides[2]
  leak = splits.audit(hundred, split, [bytes([i]) for i in range(100)])
  assert (leak.images, leak.groups, leak.share, leak.duplicates) == (
      0, 0, 0.0, 0)


@pytest.mark.parametrize('kind', ['thesis', 'grouped'])
def test_a_seed_decides_the_split(hundred, kind):
  """The same seed must give the same sides, another seed others."""
  deal = lambda seed: splits.assign(hundred, kind=kind, seed=seed).names()
  assert deal(0) == deal(0) != deal(1)


def test_the_audit_counts_what_it_says():
  """Worked by hand: images 4 and 5 are tested; g0 and g1 are in train."""
  examples = _examples([0] * 6, ['g0', 'g1', 'g1', 'g2', 'g1', 'g3'])
  split = splits.Split(
      train=np.array([0, 1, 2]), val=np.array([3]), test=np.array([4, 5]))
  leak = splits.audit(examples, split, [b'a', b'b', b'c', b'd', b'e', b'a'])
  assert leak == splits.Leak(images=1, groups=1, share=0.5, duplicates=1)


@pytest.mark.parametrize('kind, labels, groups', [
    ('thesis', [0] * 50 + [1] * 2, range(52)),
    ('grouped', [0] * 50 + [1] * 20, [*range(50), *[99] * 20]),
    ('thesis', [0, 1], range(2)),
])
def test_a_class_that_misses_a_side_is_refused(kind, labels, groups):
  """A class without test images would have no F1 at all."""
  examples = _examples(labels, map(str, groups))
  with pytest.raises(errors.DataError, match='made'):
    splits.assign(examples, kind=kind, seed=0)


def test_the_real_leak(real_ham):
  """About 31 % of the thesis' test images show a lesion from train."""
  examples = ham10000.read(real_ham)
  digests = [name.encode() for name in examples.image_ids]
  thesis = splits.assign(examples, kind='thesis', seed=0)
  assert splits.audit(examples, thesis, digests).share == pytest.approx(
      .312, abs=.02)
  grouped = splits.assign(examples, kind='grouped', seed=0)
  assert splits.audit(examples, grouped, digests).images == 0
  for side in splits.SIDES:
    assert min(splits.counts(examples, grouped.rows(side)).values()) > 10
