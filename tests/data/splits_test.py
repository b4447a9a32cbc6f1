"""Protects the splits: who is in which subset, and what leaks."""

from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses
import pathlib
import re
from typing import Any

import numpy as np
import pytest

from medxfer import errors
from medxfer.data import chest_xray
from medxfer.data import examples as examples_lib
from medxfer.data import fewer_images
from medxfer.data import ham10000
from medxfer.data import leaks
from medxfer.data import published_splits
from medxfer.data import splits


def _examples(labels: list, groups: list | Iterable) -> examples_lib.Examples:
  names = tuple(f'i{i}' for i in range(len(labels)))
  return examples_lib.Examples(
      name='made',
      class_names=('a', 'b'),
      image_ids=names,
      paths=names,
      labels=np.array(labels, np.int32),
      groups=tuple(groups),
  )


@pytest.fixture(scope='module')
def hundred() -> examples_lib.Examples:
  """100 images, 80 of class a; groups of two."""
  return _examples([0] * 80 + [1] * 20, [f'g{i // 2}' for i in range(100)])


@pytest.mark.parametrize('kind', ['by_image', 'grouped'])
def test_sides_are_60_20_20_disjoint_and_stratified(
    hundred: examples_lib.Examples, kind: str
) -> None:
  """Section 6.2 of the thesis, for both ways of dealing."""
  split = splits.assign(hundred, kind=kind, seed=0)
  assert [len(split.rows(s)) for s in splits.SUBSETS] == [60, 20, 20]
  rows = np.concatenate([split.rows(s) for s in splits.SUBSETS])
  assert sorted(rows) == list(range(100))
  for subset in splits.SUBSETS:
    share = np.mean(hundred.labels[split.rows(subset)])
    assert share == pytest.approx(0.2, abs=0.05)
    assert {split.names()[i] for i in split.rows(subset)} == {subset}


def test_no_group_stands_on_two_sides_of_the_grouped_split(
    hundred: examples_lib.Examples,
) -> None:
  """The whole point of it."""
  split = splits.assign(hundred, kind='grouped', seed=3)
  subsets = [{hundred.groups[i] for i in split.rows(s)} for s in splits.SUBSETS]
  assert not subsets[0] & subsets[1] and not subsets[0] & subsets[2]
  assert not subsets[1] & subsets[2]
  leak = leaks.audit(hundred, split, [bytes([i]) for i in range(100)])
  assert (leak.images, leak.groups, leak.share, leak.duplicates) == (
      0,
      0,
      0.0,
      0,
  )


def _published(
    examples: examples_lib.Examples, *subsets: Any
) -> examples_lib.Examples:
  return dataclasses.replace(examples, columns={'published': subsets})


@pytest.mark.parametrize('seed', [0, 1])
def test_the_official_test_side_is_kept_and_val_is_cut_from_train(
    hundred: examples_lib.Examples, seed: int
) -> None:
  """A fifth of train, by group; nothing published as test is trained on."""
  examples = _published(hundred, *['test', 'train', 'train', 'train'] * 25)
  split = splits.assign(examples, kind='official', seed=seed)
  assert split.test.tolist() == list(range(0, 100, 4))
  assert (len(split.train), len(split.val)) == (60, 15)
  assert sorted([*split.train, *split.val]) == [i for i in range(100) if i % 4]
  train, val = (
      {hundred.groups[i] for i in rows} for rows in (split.train, split.val)
  )
  assert not train & val


def test_an_official_val_side_is_kept(hundred: examples_lib.Examples) -> None:
  """Where a user has laid out val/, no seed moves an image."""
  examples = _published(hundred, *['train', 'val', 'test', 'train'] * 25)
  for seed in (0, 1):
    split = splits.assign(examples, kind='official', seed=seed)
    assert split.names() == examples.columns['published']


@pytest.mark.parametrize(
    'subsets, message',
    [
        ((), 'published as train'),
        (('train', 'val') * 50, 'published as test'),
        (('val', 'test') * 50, 'published as train'),
    ],
)
def test_an_official_split_of_what_was_not_split_is_refused(
    hundred: examples_lib.Examples, subsets: tuple, message: str
) -> None:
  """The way out is another split, not a guess."""
  examples = _published(hundred, *subsets) if subsets else hundred
  with pytest.raises(errors.UsageError, match=f'{message}.*split=grouped'):
    splits.assign(examples, kind='official', seed=0)


def test_grouped_and_official_go_together(
    hundred: examples_lib.Examples,
) -> None:
  """Test as published; train and val are pooled, validation cut by group."""
  examples = _published(hundred, *['train', 'val', 'test', 'train'] * 25)
  split = splits.assign(examples, kind='official_grouped', seed=0)
  assert split.test.tolist() == list(range(2, 100, 4))
  assert (len(split.train), len(split.val)) == (60, 15)
  train, val = (
      {examples.groups[i] for i in rows} for rows in (split.train, split.val)
  )
  assert not train & val
  leak = leaks.audit(examples, split, [bytes([i]) for i in range(100)])
  assert leak.images == 20  # Groups of two published in two subsets.


@pytest.mark.parametrize(
    'subsets, kind, same, note',
    [
        (None, 'by_image', (), ''),
        (
            ['train', 'val', 'test', 'train'],
            'official',
            ('val', 'test'),
            'subsets are as published .train 50, val 25, test 25 .*published '
            'test im',
        ),
        (
            ['train', 'train', 'test', 'train'],
            'official',
            ('test',),
            'a fifth of train validates',
        ),
        (
            ['train', 'val', 'train', 'train'],
            'grouped',
            ('val',),
            'no test subset was published: a fifth of train tests',
        ),
        (['train'] * 4, 'by_image', (), 'dealt to train, val and test'),
    ],
)
def test_auto_takes_sides_as_they_lie_there(
    hundred: examples_lib.Examples,
    subsets: list | None,
    kind: str,
    same: tuple,
    note: str,
) -> None:
  """Pooled without a word, published test images trained."""
  examples = _published(hundred, *subsets * 25) if subsets else hundred
  decision = published_splits.decide(examples, 'auto')
  assert decision.kind == kind
  assert re.search(note, ' | '.join(decision.notes))
  split = splits.assign(examples, kind='auto', seed=0)
  for subset in same:
    assert split.rows(subset).tolist() == [
        i for i in range(100) if examples.columns['published'][i] == subset
    ]
  assert min(len(split.rows(subset)) for subset in splits.SUBSETS) > 10
  if not subsets:
    assert (
        split.names()
        == splits.assign(examples, kind='by_image', seed=0).names()
    )
  unknown = dataclasses.replace(examples, groups_known=False)
  assert published_splits.decide(unknown, 'auto').kind == (
      'official' if kind == 'official' else 'by_image'
  )


def test_a_val_side_without_a_class_joins_train(
    hundred: examples_lib.Examples,
) -> None:
  """Nothing is chosen by a class that is not there; test stays."""
  subsets = [
      'val' if i < 10 else 'test' if i % 4 == 0 else 'train' for i in range(100)
  ]
  examples = _published(hundred, *subsets)
  for kind in ('auto', 'official'):
    split = splits.assign(examples, kind=kind, seed=0)
    assert split.test.tolist() == [
        i for i in range(100) if subsets[i] == 'test'
    ]
    assert set(hundred.labels[split.val]) == {0, 1}
    notes = published_splits.decide(examples, kind).notes
    assert any(
        'val holds no image of b: its 10 images join' in n for n in notes
    )


@pytest.mark.parametrize(
    'subsets, message',
    [
        (['train'] * 80 + ['test'] * 20, 'train subset holds no image of b'),
        (['test'] * 40 + ['train'] * 60, 'test subset holds no image of b'),
        (
            ['test', 'val'] * 50,
            'no image lies in train, but in val 50, test 50',
        ),
    ],
)
def test_a_class_that_a_published_side_lacks_is_refused_but_can_be_pooled(
    hundred: examples_lib.Examples, subsets: list, message: str
) -> None:
  """It could not be learnt, or not be tested; the way out is named."""
  examples = _published(hundred, *subsets)
  with pytest.raises(errors.DataError, match=f'{message}.*data.split=by_image'):
    published_splits.decide(examples, 'auto')
  splits.assign(examples, kind='by_image', seed=0)


@pytest.mark.parametrize('kind', ['by_image', 'grouped'])
def test_pooling_published_sides_is_said(
    hundred: examples_lib.Examples, kind: str
) -> None:
  """Who names another split is told what becomes of the test images."""
  examples = _published(hundred, *['train', 'test'] * 50)
  (note,) = published_splits.decide(examples, kind).notes
  assert 'pooled and split again' in note and 'test images train' in note
  assert not published_splits.decide(hundred, kind).notes


@pytest.mark.parametrize('kind', ['grouped', 'official_grouped'])
def test_a_split_by_group_needs_groups(
    hundred: examples_lib.Examples, kind: str
) -> None:
  """Every image a group of its own is no split by group."""
  unknown = dataclasses.replace(hundred, groups_known=False)
  with pytest.raises(errors.UsageError, match='data.groups=FILE.*class/group'):
    splits.assign(unknown, kind=kind, seed=0)


def test_groups_move_no_published_image(hundred: examples_lib.Examples) -> None:
  """Groups that were merged, as copies are, change what is cut alone."""
  examples = _published(hundred, *['train', 'val', 'test', 'train'] * 25)
  merged = dataclasses.replace(
      examples, groups=('one',) * 50 + tuple(examples.groups[50:])
  )
  for kind in ('auto', 'official'):
    assert splits.assign(merged, kind=kind, seed=0).names() == (
        examples.columns['published']
    )


@pytest.mark.parametrize('kind', ['by_image', 'grouped', 'official'])
def test_a_seed_decides_the_split(
    hundred: examples_lib.Examples, kind: str
) -> None:
  """The same seed must give the same subsets, another seed others."""
  examples = _published(hundred, *['train', 'train', 'train', 'test'] * 25)
  deal = lambda seed: splits.assign(examples, kind=kind, seed=seed).names()
  assert deal(0) == deal(0) != deal(1)


def test_the_audit_counts_what_it_says() -> None:
  """Worked by hand: images 4 and 5 are tested; g0 and g1 are in train."""
  examples = _examples([0] * 6, ['g0', 'g1', 'g1', 'g2', 'g1', 'g3'])
  split = splits.Split(
      train=np.array([0, 1, 2]), val=np.array([3]), test=np.array([4, 5])
  )
  leak = leaks.audit(examples, split, [b'a', b'b', b'c', b'd', b'e', b'a'])
  assert leak == leaks.Leak(images=1, groups=1, share=0.5, duplicates=1)


@pytest.mark.parametrize(
    'kind, labels, groups',
    [
        ('by_image', [0] * 50 + [1] * 2, range(52)),
        ('grouped', [0] * 50 + [1] * 20, [*range(50), *[99] * 20]),
        ('by_image', [0, 1], range(2)),
        ('official', [0] * 50 + [1] * 20, [*range(50), *[99] * 20]),
    ],
)
def test_a_class_that_misses_a_side_is_refused(
    kind: str, labels: list, groups: list | Sequence
) -> None:
  """A class without test images would have no F1 at all."""
  examples = _examples(labels, map(str, groups))
  examples = _published(examples, *['test', 'train'] * (len(labels) // 2))
  with pytest.raises(errors.DataError, match='made.* each class '):
    splits.assign(examples, kind=kind, seed=0)


@pytest.mark.parametrize(
    'kind, labels, message',
    [
        ('by_image', [0] * 4 + [1] * 3, 'no class has 5; add images'),
        ('grouped', [0] * 9 + [1] * 9, 'are of 2 groups .copies.*; add groups'),
        ('grouped', [0] * 4 + [1] * 4, 'are of 2 groups .copies.*; add groups'),
    ],
)
def test_too_few_to_deal_are_counted(
    kind: str, labels: list, message: str
) -> None:
  """Not in the words of the library that deals them."""
  examples = _examples(labels, [f'g{label}' for label in labels])
  with pytest.raises(errors.DataError, match=message):
    splits.assign(examples, kind=kind, seed=0)


@pytest.mark.parametrize('seed', range(5))
@pytest.mark.parametrize('kind', ['by_image', 'grouped', 'official'])
def test_the_smallest_phantoms_can_be_split(
    phantoms: pathlib.Path, chest_phantoms: pathlib.Path, kind: str, seed: int
) -> None:
  """What `smallest` promises; HAM10000 has no official split."""
  splits.assign(chest_xray.read(chest_phantoms), kind=kind, seed=seed)
  if kind != 'official':
    splits.assign(ham10000.read(phantoms), kind=kind, seed=seed)


def test_a_leak_that_nobody_can_know_is_not_called_none(
    hundred: examples_lib.Examples,
) -> None:
  """Without groups 0 % would be a promise; copies are still found."""
  unknown = dataclasses.replace(hundred, groups_known=False)
  split = splits.assign(unknown, kind='by_image', seed=0)
  digests = [bytes([i]) for i in range(100)]
  digests[split.test[0]] = digests[split.train[0]]
  assert leaks.audit(unknown, split, digests) == leaks.Leak(None, None, None, 1)


def test_the_real_leak(real_ham: Any) -> None:
  """About 31 % of the thesis' test images show a lesion from train."""
  examples = ham10000.read(real_ham)
  digests = [name.encode() for name in examples.image_ids]
  thesis = splits.assign(examples, kind='by_image', seed=0)
  assert leaks.audit(examples, thesis, digests).share == pytest.approx(
      0.312, abs=0.02
  )
  grouped = splits.assign(examples, kind='grouped', seed=0)
  assert leaks.audit(examples, grouped, digests).images == 0
  for subset in splits.SUBSETS:
    assert min(splits.counts(examples, grouped.rows(subset)).values()) > 10


def test_the_real_chest_xrays(real_chest: Any) -> None:
  """FACTS: the thesis' split leaks 36 %; the official one tests on 624."""
  examples = chest_xray.read(real_chest)
  digests = [name.encode() for name in examples.image_ids]
  thesis = splits.assign(examples, kind='by_image', seed=0)
  assert leaks.audit(examples, thesis, digests).share == pytest.approx(
      0.36, abs=0.02
  )
  for kind in ('grouped', 'official'):
    split = splits.assign(examples, kind=kind, seed=0)
    train, val, test = (
        {examples.groups[i] for i in split.rows(s)} for s in splits.SUBSETS
    )
    assert not train & val and not train & test and not val & test
  assert splits.counts(examples, split.test) == {
      'NORMAL': 234,
      'PNEUMONIA': 390,
  }
  assert len(split.val) == pytest.approx(len(split.train) / 4, rel=0.01)


@pytest.mark.parametrize('limit', [40, 60])
def test_a_limit_leaves_images_of_train_and_val_out(
    hundred: examples_lib.Examples, limit: int
) -> None:
  """Each class and subset keeps its fraction, the test subset all images."""
  whole = splits.assign(hundred, kind='grouped', seed=0)
  split = fewer_images.limited(hundred, whole, limit, seed=0)
  assert len(split.train) == limit * 3 / 4 and len(split.val) == limit / 4
  assert split.test.tolist() == whole.test.tolist()
  assert set(split.train) < set(whole.train)
  assert set(split.val) < set(whole.val)
  assert np.mean(hundred.labels[split.train]) == pytest.approx(0.2, abs=0.1)
  assert len(split) == 100
  assert {split.names()[i] for i in split.unused} == {'unused'}
  assert split.names().count('unused') == 80 - limit


def test_a_smaller_limit_keeps_some_of_the_images_of_a_larger_one(
    hundred: examples_lib.Examples,
) -> None:
  """Two points of a learning curve differ in how many, not in which."""
  whole = splits.assign(hundred, kind='by_image', seed=0)
  few, more = (
      fewer_images.limited(hundred, whole, n, seed=0) for n in (16, 40)
  )
  assert set(few.train) < set(more.train)
  other = fewer_images.limited(hundred, whole, 16, seed=1)
  assert set(other.train) != set(few.train)


def test_a_limit_keeps_two_of_a_rare_class(
    hundred: examples_lib.Examples,
) -> None:
  """With fewer, nothing could be trained on it, or validated."""
  whole = splits.assign(hundred, kind='by_image', seed=0)
  split = fewer_images.limited(hundred, whole, 4, seed=0)
  for subset in ('train', 'val'):
    assert np.bincount(hundred.labels[split.rows(subset)]).min() == 2


@pytest.mark.parametrize('kind', ['by_image', 'grouped'])
def test_fewer_training_images_are_whole_groups_and_some_of_more(
    hundred: examples_lib.Examples, kind: str
) -> None:
  """Validation and test stay; each class keeps its fraction."""
  whole = splits.assign(hundred, kind=kind, seed=0)
  groups = lambda rows: [hundred.groups[i] for i in rows]
  before: set[int] = set()
  for images in (10, 20, 40):
    split = fewer_images.smaller(hundred, whole, images, seed=0)
    assert split.val is whole.val and split.test is whole.test
    assert before <= set(split.train) <= set(whole.train)
    assert images <= len(split.train) <= images + 2 * 5
    left = set(groups(np.setdiff1d(whole.train, split.train)))
    assert not left & set(groups(split.train))
    assert len(split) == 100 and not set(split.unused) & set(split.train)
    before = set(split.train)
  rare = [np.mean(hundred.labels[s.train]) for s in (split, whole)]
  assert rare[0] == pytest.approx(rare[1], abs=0.1)
  other = fewer_images.smaller(hundred, whole, 20, seed=1)
  few = fewer_images.smaller(hundred, whole, 20, seed=0)
  assert set(other.train) != set(few.train)


def test_too_few_training_images_for_the_classes_are_refused(
    hundred: examples_lib.Examples,
) -> None:
  """With the least number that would do; zero and all of them change none."""
  whole = splits.assign(hundred, kind='grouped', seed=0)
  with pytest.raises(errors.UsageError, match='train_images=3.*give 4 or more'):
    fewer_images.smaller(hundred, whole, 3, seed=0)
  with pytest.raises(errors.UsageError, match='60 images are there'):
    fewer_images.smaller(hundred, whole, 61, seed=0)
  for images in (0, 60):
    assert fewer_images.smaller(hundred, whole, images, seed=0) is whole


@pytest.mark.parametrize('limit', [0, 80, 1000])
def test_no_limit_and_a_large_one_change_nothing(
    hundred: examples_lib.Examples, limit: int
) -> None:
  """The split of a run that was made before there was a limit."""
  whole = splits.assign(hundred, kind='by_image', seed=0)
  assert fewer_images.limited(hundred, whole, limit, seed=0) is whole


@pytest.mark.parametrize('kind', ['by_image', 'grouped'])
@pytest.mark.parametrize('folds', [3, 5, 10])
def test_over_all_folds_every_image_tests_once(
    hundred: examples_lib.Examples, kind: str, folds: int
) -> None:
  """And validates once; without the keys, it is the first of five."""
  dealt = [
      splits.assign(hundred, kind=kind, seed=1, folds=folds, fold=fold)
      for fold in range(folds)
  ]
  for subset in ('test', 'val'):
    rows = np.concatenate([split.rows(subset) for split in dealt])
    assert sorted(rows) == list(range(100))
  for split in dealt:
    assert len(split) == 100 and not len(split.unused)
    if kind == 'grouped':
      groups = np.array(hundred.groups)
      assert not set(groups[split.test]) & set(
          groups[np.concatenate([split.train, split.val])]
      )
  assert (
      splits.assign(hundred, kind=kind, seed=1).names()
      == splits.assign(hundred, kind=kind, seed=1, folds=5, fold=0).names()
  )
