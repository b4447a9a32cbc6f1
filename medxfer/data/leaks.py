"""Counts what the test images of a split share with those that train."""

from collections.abc import Sequence
import dataclasses

import numpy as np

from medxfer.data import copies as copies_lib
from medxfer.data import examples as examples_lib
from medxfer.data import splits


@dataclasses.dataclass(frozen=True)
class Leak:
  """How far the test subset has been seen in training.

  Attributes:
    images: test images whose group also is in train.
    groups: groups that stand in both.
    share: `images` over all test images; these three are None where nobody
      says what belongs together.
    duplicates: test images whose pixels also are in train, bit for bit.
    copies: test images of which a copy is in train.
    copies_share: `copies` over all test images.
    sets_of_copies: sets of two images or more that show one picture, wherever
      they stand; these three are None where copies were not looked for.
  """

  images: int | None
  groups: int | None
  share: float | None
  duplicates: int
  copies: int | None = None
  copies_share: float | None = None
  sets_of_copies: int | None = None


def audit(
    examples: examples_lib.Examples,
    split: splits.Split,
    digests: Sequence[bytes],
    copies: copies_lib.Copies | None = None,
) -> Leak:
  """Counts what the test subset shares with the train subset.

  Args:
    examples: the table.
    split: its rows by subset.
    digests: n digests of the pixels as the network sees them.
    copies: which images show the same picture, or None.
  """
  trained = {digests[i] for i in split.train}
  duplicates = sum(digests[i] in trained for i in split.test)
  leak = Leak(None, None, None, duplicates)
  if copies is not None:
    copied = len(copies_in_train(split, copies))
    leak = dataclasses.replace(
        leak,
        copies=copied,
        copies_share=copied / len(split.test),
        sets_of_copies=len(copies.rows()),
    )
  if not examples.groups_known:
    return leak
  groups = np.array(examples.groups)
  shared = np.intersect1d(groups[split.train], groups[split.test])
  images = int(np.isin(groups[split.test], shared).sum())
  return dataclasses.replace(
      leak, images=images, groups=len(shared), share=images / len(split.test)
  )


def copies_in_train(
    split: splits.Split, copies: copies_lib.Copies
) -> np.ndarray:
  """Returns the rows of test images that have a copy in train."""
  sets = copies.sets
  return split.test[np.isin(sets[split.test], sets[split.train])]
