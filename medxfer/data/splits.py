"""Splits images into train, validation and test.

Two splits are cut into five folds: one tests, one validates, three train
(60/20/20). `by_image` deals images, as the thesis did (section 6.2); `grouped`
deals whole groups (lesions, patients), so that no group stands in two subsets.
`official` keeps the subsets as published; where no validation subset was, one
of five folds of train becomes it, by group. `official_grouped` always cuts it
so, from the published train and validation subsets. `auto` is `official` where
subsets were published, else `by_image`; see `published_splits`. `source` tests
on one source; see `source_splits`.

With `folds` and `fold`, `by_image` and `grouped` cut into other folds; that of
the number tests, the next one validates: over all, every image tests once.
"""

from collections.abc import Sequence
import dataclasses
import warnings

import numpy as np

from medxfer import errors
from medxfer import spec as specs
from medxfer.data import examples as examples_lib
from medxfer.data import fewer_images
from medxfer.data import published_splits
from medxfer.data import source_splits
from medxfer.data import subset_names

SUBSETS = subset_names.SUBSETS
UNUSED = published_splits.UNUSED
_FOLDS = 5


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
  """Rows of an `Examples` table by subset; each int64, ascending, disjoint.

  `unused` are those that stand in no subset; see `fewer_images`.
  """

  train: np.ndarray
  val: np.ndarray
  test: np.ndarray
  unused: np.ndarray = dataclasses.field(
      default_factory=lambda: np.zeros(0, np.int64)
  )

  def rows(self, subset: str) -> np.ndarray:
    """Returns the rows of one of `SUBSETS`, or the unused."""
    return getattr(self, subset)

  def __len__(self) -> int:
    """Returns the number of rows of the table, used or not."""
    return sum(len(self.rows(subset)) for subset in (*SUBSETS, UNUSED))

  def names(self) -> tuple[str, ...]:
    """Returns the subset of every row, or `unused`, in the table's order."""
    subsets = np.empty(len(self), dtype=object)
    for subset in (*SUBSETS, UNUSED):
      subsets[self.rows(subset)] = subset
    return tuple(subsets)


def of_run(
    examples: examples_lib.Examples, spec: specs.DataSpec, seed: int
) -> Split:
  """Returns the split that a run asks for; errors as of `assign`.

  Args:
    examples: the table.
    spec: of the split.
    seed: of the run; `spec.split_seed`, if it is not negative, deals the
      subsets in its place.
  """
  dealt = seed if spec.split_seed < 0 else spec.split_seed
  split = assign(
      examples,
      kind=spec.split,
      seed=dealt,
      folds=spec.folds,
      fold=spec.fold,
      source=spec.test_source,
  )
  split = fewer_images.limited(examples, split, spec.limit, dealt)
  # Which few images train is a matter of chance as well: each seed its own.
  return fewer_images.smaller(examples, split, spec.train_images, seed)


def decide(
    examples: examples_lib.Examples, kind: str, source: str = ''
) -> published_splits.Decision:
  """Returns which split is meant; arguments and errors as of `assign`."""
  if kind == source_splits.KIND:
    return source_splits.decide(examples, source)
  return published_splits.decide(examples, kind)


def assign(
    examples: examples_lib.Examples,
    *,
    kind: str,
    seed: int,
    folds: int = _FOLDS,
    fold: int = 0,
    source: str = '',
) -> Split:
  """Deals every example to train, val or test.

  Args:
    examples: the table.
    kind: 'by_image' (by image) or 'grouped' (by group); both stratified by
      class, the latter as well as groups allow. 'official' follows the
      table's column 'published', 'official_grouped' its test subset alone;
      'auto' follows it if it is there and deals by image otherwise. 'source'
      tests on `source`.
    seed: decides the folds.
    folds: into how many the images are dealt by image or group; 3 or more.
    fold: the one that tests, 0 to folds - 1; the next one validates.
    source: see `source_splits.decide`.

  Raises:
    DataError: a class would be absent from a subset.
    UsageError: the table lacks the subsets or groups that `kind` needs.
  """
  decision = decide(examples, kind, source)
  if decision.subsets is None:
    dealt = _deal(
        examples, np.arange(len(examples)), decision.kind, seed, folds
    )
    test, val, *rest = dealt[fold:] + dealt[:fold]
    split = Split(train=_union(rest), val=val, test=test)
  else:
    split = _as_published(examples, decision, seed)
  _check(examples, split, decision.kind)
  return split


def _as_published(
    examples: examples_lib.Examples,
    decision: published_splits.Decision,
    seed: int,
) -> Split:
  """Returns the published subsets; one that was not is cut from train."""
  rows = {
      subset: np.flatnonzero(decision.subsets == subset)
      for subset in (*SUBSETS, UNUSED)
  }
  for subset in decision.cut:
    rows[subset], *rest = _deal(examples, rows['train'], 'grouped', seed)
    rows['train'] = _union(rest)
  return Split(**rows)


def _union(folds: Sequence[np.ndarray]) -> np.ndarray:
  return np.sort(np.concatenate(folds))


def _deal(
    examples: examples_lib.Examples,
    rows: np.ndarray,
    kind: str,
    seed: int,
    count: int = _FOLDS,
) -> list[np.ndarray]:
  """Deals rows of the table to folds of ascending rows."""
  from sklearn import model_selection  # Slow to import; launchers must not.

  folds = {
      'by_image': model_selection.StratifiedKFold,
      'grouped': model_selection.StratifiedGroupKFold,
  }[kind](count, shuffle=True, random_state=seed)
  labels, groups = examples.labels[rows], np.array(examples.groups)[rows]
  with warnings.catch_warnings():
    # The check below raises the same with names and advice.
    warnings.simplefilter('ignore')
    try:
      return [
          np.sort(rows[fold]) for _, fold in folds.split(labels, labels, groups)
      ]
    except ValueError as error:
      present = len(set(groups))
      why = (
          f'they are of {present} groups (copies are of one)'
          if kind == 'grouped' and present < count
          else f'no class has {count}'
      )
      what = 'groups' if kind == 'grouped' else 'images'
      raise errors.DataError(
          f'{examples.name}: {len(rows):,} images cannot be split: {why}; add '
          f'{what}, so that each class has {count} or more'
      ) from error


def _check(examples: examples_lib.Examples, split: Split, kind: str) -> None:
  sizes = counts(examples, np.arange(len(examples)))
  # A source may lack a class; that is said.
  for subset in SUBSETS[: 2 if kind == source_splits.KIND else 3]:
    present = np.unique(examples.labels[split.rows(subset)])
    absent = [
        name for i, name in enumerate(examples.class_names) if i not in present
    ]
    if absent:
      raise errors.DataError(
          f'{examples.name}: the {kind} split with this seed leaves class '
          f'{", ".join(f"{n} ({sizes[n]} images)" for n in absent)} out of '
          f'{subset}; add images: each class needs at least five, of five '
          'groups, and copies of one image are of one group (or try another '
          '--config.data.split_seed)'
      )


def counts(
    examples: examples_lib.Examples, rows: Sequence[int] | np.ndarray
) -> dict[str, int]:
  """Returns class -> number of images among `rows`."""
  tally = np.bincount(
      examples.labels[rows], minlength=len(examples.class_names)
  )
  return {name: int(n) for name, n in zip(examples.class_names, tally)}
