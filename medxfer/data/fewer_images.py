"""Fewer images than there are: for a quick look, or a study of sizes."""

from __future__ import annotations

import collections
import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from medxfer import errors
from medxfer.data import examples as examples_lib

if TYPE_CHECKING:
  from medxfer.data import splits


def limited(
    examples: examples_lib.Examples, split: splits.Split, limit: int, seed: int
) -> splits.Split:
  """Leaves images of train and val out, for a study of few images.

  Args:
    examples: the table.
    split: its rows by subset.
    limit: how many images train and val keep together, about: both and every
      class keep their share, and a class two images of each. 0 keeps all.
    seed: decides which; fewer are some of those that more would keep.
  """
  learnt = len(split.train) + len(split.val)
  if not limit or limit >= learnt:
    return split
  kept = {
      subset: _share(examples.labels, split.rows(subset), limit / learnt, seed)
      for subset in ('train', 'val')
  }
  unused = np.setdiff1d(
      np.concatenate([split.train, split.val, split.unused]),
      np.concatenate([kept['train'], kept['val']]),
  )
  return dataclasses.replace(split, **kept, unused=unused)


def smaller(
    examples: examples_lib.Examples, split: splits.Split, images: int, seed: int
) -> splits.Split:
  """Leaves images of train out, by group, for a study of sizes.

  Args:
    examples: the table.
    split: its rows by subset.
    images: how many train keeps, about: every class its share and two, every
      group all or none. 0 keeps all.
    seed: decides which; fewer are some of those that more would keep.

  Raises:
    UsageError: there are fewer, or too few for two of each class.
    DataError: a class lies in groups of others alone, and is lost.
  """
  if images > len(split.train):
    raise errors.UsageError(
        f'data.train_images={images}: {len(split.train):,} images are there to '
        'train on; give fewer, or 0 for all'
    )
  if not images or images == len(split.train):
    return split
  classes = len(np.unique(examples.labels[split.train]))
  if images < 2 * classes:
    raise errors.UsageError(
        f'data.train_images={images}: each of {classes} classes needs two '
        f'images; give {2 * classes} or more, or 0 for all'
    )
  drawn = np.random.default_rng(seed).permutation(split.train)
  groups: dict[str, list[int]] = {}
  for row in drawn.tolist():
    groups.setdefault(examples.groups[row], []).append(row)
  wanted = {
      label: max(round(count * images / len(drawn)), 2)
      for label, count in collections.Counter(
          examples.labels[drawn].tolist()
      ).items()
  }
  kept = []
  for rows in groups.values():
    label = int(examples.labels[rows[0]])
    if wanted[label] > 0:
      kept += rows
      wanted[label] -= len(rows)
  kept = np.sort(kept)
  _refuse_lost(examples, split, kept, images)
  unused = np.union1d(split.unused, np.setdiff1d(split.train, kept))
  return dataclasses.replace(split, train=kept, unused=unused)


def _refuse_lost(
    examples: examples_lib.Examples,
    split: splits.Split,
    kept: np.ndarray,
    images: int,
) -> None:
  """Refuses a part of train that lacks a class."""
  labels = examples.labels
  lost = np.setdiff1d(labels[split.train], labels[kept])
  if lost.size:
    names = ', '.join(examples.class_names[label] for label in lost)
    raise errors.DataError(
        f'{examples.name}: {images} training images in whole groups hold none '
        f'of class {names}; give a larger --config.data.train_images'
    )


def _share(
    labels: np.ndarray, rows: np.ndarray, share: float, seed: int
) -> np.ndarray:
  """Returns a fraction of each class among rows, ascending."""
  drawn = np.random.default_rng(seed).permutation(rows)
  kept = []
  for value in np.unique(labels[rows]):
    members = drawn[labels[drawn] == value]
    kept.append(members[: max(round(len(members) * share), 2)])
  return np.sort(np.concatenate(kept))
