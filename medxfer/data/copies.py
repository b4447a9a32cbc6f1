"""Copies of images: one picture under several names, grouped or dropped.

A copy that is tested on while another is trained on makes a score too good,
whatever the table says of patients. `data.copies` decides:

* `group`: copies form one group, so that `grouped` keeps them in one subset and
  intervals count them as one. Copies of different classes are refused.
* `drop`: one image of each set stays: one that was published as test, else as
  val, else the first by name. Of a set with different classes none stays:
  nobody knows which is right.
* `keep`: nothing is done (and older runs did nothing).

They are counted in any case; see `splits.audit`.

Brightness is compared, colour is not: a grey copy, or one of another white
balance, is a copy, and so is a picture with one hue for another. Of images
that show nothing, flat frames and those with a side below 16 pixels, only
identical ones are copies: all black frames of a data set are one picture.
"""

from collections.abc import Sequence
import contextlib
import dataclasses
import errno
import hashlib
import os
import pathlib

import numpy as np
from PIL import Image

from medxfer import cache
from medxfer import console
from medxfer import errors
from medxfer.data import decoded as decoded_lib
from medxfer.data import examples as examples_lib
from medxfer.data import perceptual_hash

_KIND = 'copies'  # Of the cache.
_SMALL = 64  # Pixels of a side, below which copies are missed more often.
_LOOKED_AT = 20  # Images whose sizes are read.
_NAMED = 3  # Pairs in a message.
_SIDES = ('test', 'val')  # Published ones whose images are dropped last.


@dataclasses.dataclass(frozen=True, eq=False)
class Copies:
  """What is a copy of what among n images.

  Attributes:
    sets: int64 [n], the first row that shows the same picture.
  """

  sets: np.ndarray

  def rows(self) -> list[np.ndarray]:
    """Returns the rows of every set of two images or more, ascending."""
    order = np.argsort(self.sets, kind='stable')
    _, starts = np.unique(self.sets[order], return_index=True)
    return [rows for rows in np.split(order, starts[1:]) if len(rows) > 1]

  def without(self, dropped: Sequence[int]) -> 'Copies':
    """Returns what is left when rows are taken out."""
    sets = np.delete(self.sets, dropped)
    _, first, inverse = np.unique(sets, return_index=True, return_inverse=True)
    return Copies(first[inverse].astype(np.int64))


def find(
    decoded: decoded_lib.Decoded, where: pathlib.Path | None = None
) -> Copies:
  """Finds the images that show the same picture; see `likeness`.

  Args:
    decoded: the images.
    where: folder of the cache, which keeps what was found; None for none.
  """
  known = {}
  sets = np.array(
      [known.setdefault(digest, i) for i, digest in enumerate(decoded.digests)],
      np.int64,
  )
  if decoded.thumbnails is None:
    return Copies(sets)
  first = np.array(sorted(known.values()), np.int64)
  thumbnails = np.asarray(decoded.thumbnails)[first]
  return Copies(first[_kept(thumbnails, where)][np.searchsorted(first, sets)])


def _kept(thumbnails: np.ndarray, where: pathlib.Path | None) -> np.ndarray:
  """Returns what `joined` does, from the cache if that holds it."""
  if where is None:
    return joined(thumbnails)
  key = {
      'thumbnails': hashlib.sha256(thumbnails.tobytes()).hexdigest(),
      'shape': list(thumbnails.shape),
      'search': perceptual_hash.VERSION,
  }
  try:
    with cache.slot(where, _KIND, key) as slot:
      try:
        entry = slot.read()
      except cache.Damaged as damage:
        console.line(f'cache of copies: {damage}, made anew')
        entry = None
      if entry is not None:
        return np.array(entry.array)
      sets = joined(thumbnails)
      with slot.draft(sets.shape, sets.dtype) as draft:
        draft.array[:] = sets
        draft.commit({})
      return sets
  except OSError as error:
    console.line(
        f'cache of copies: {where} cannot be used '
        f'({os.strerror(error.errno or errno.EIO)}); the run continues '
        'without it'
    )
    return joined(thumbnails)


def joined(thumbnails: np.ndarray) -> np.ndarray:
  """Returns the first row of each thumbnail's set, int64 [n].

  Each round compares the likeliest pair of every set: a picture that was
  saved a hundred times needs a hundred comparisons, not five thousand.
  """
  pairs, turns = perceptual_hash.candidates(thumbnails)
  sets = np.arange(len(thumbnails))
  while True:
    apart = sets[pairs[:, 0]] != sets[pairs[:, 1]]
    pairs, turns = pairs[apart], turns[apart]
    if not len(pairs):
      return sets
    _, first = np.unique(sets[pairs].reshape(-1), return_index=True)
    chosen = np.unique(first // 2)
    same = perceptual_hash.same(thumbnails, pairs[chosen], turns[chosen])
    for a, b in pairs[chosen[same]]:
      a, b = sorted((sets[a], sets[b]))
      sets[sets == b] = a
    pairs = np.delete(pairs, chosen, axis=0)
    turns = np.delete(turns, chosen)


def caution(paths: Sequence[str | pathlib.Path]) -> str:
  """Returns what `find` may miss among images of few pixels, else ''.

  Args:
    paths: of the images; the headers of some are read.
  """
  sides = []
  for path in paths[:: max(len(paths) // _LOOKED_AT, 1)]:
    with contextlib.suppress(OSError, ValueError, Image.DecompressionBombError):
      with Image.open(path) as image:
        sides.append(min(image.size))
  side = int(np.median(sides)) if sides else _SMALL
  if side >= _SMALL:
    return ''
  return (
      f'images of {side} pixels: copies that were cropped, reduced or '
      'saved again at a low quality may be missed'
  )


def settle(
    decoded: decoded_lib.Decoded, copies: Copies, how: str
) -> tuple[decoded_lib.Decoded, Copies, list[str]]:
  """Does what `data.copies` says.

  Args:
    decoded: the images.
    copies: what `find` has found among them.
    how: 'group', 'drop' or 'keep'.

  Returns:
    The images, with merged groups or without those that were dropped (these
    are listed in `examples.skipped`); the copies among them; and lines that
    the user should read.

  Raises:
    DataError: all images are copies of one, or copies to be grouped have
      different labels.
  """
  examples, sets = decoded.examples, copies.rows()
  if how != 'keep' and len(sets) == 1 and len(sets[0]) == len(examples):
    raise errors.DataError(
        f'{examples.name}: all {len(examples):,} images are copies of one '
        f'({_names(examples, sets[0])}): nothing can be learned from them; '
        'add other images'
    )
  torn = [rows for rows in sets if len(set(examples.labels[rows])) > 1]
  notes = []
  if torn:
    said = _contradiction(examples, torn)
    if how == 'group':
      raise errors.DataError(
          f'{said}; correct the labels, or leave all copies of such a picture '
          'out with --config.data.copies=drop, or keep them with '
          '--config.data.copies=keep'
      )
    notes.append(said)
  if how == 'group':
    return _grouped(decoded, sets), copies, notes
  if how == 'drop':
    reasons = _reasons(examples, sets)
    if len(reasons) == len(examples):
      raise errors.DataError(f'{said}; without them no image is left')
    dropped = [
        i for i, name in enumerate(examples.image_ids) if name in reasons
    ]
    if dropped:
      notes.append(f'{len(dropped):,} images dropped (data.copies=drop)')
    return decoded.without(reasons), copies.without(dropped), notes
  return decoded, copies, notes


def _contradiction(
    examples: examples_lib.Examples, torn: Sequence[np.ndarray]
) -> str:
  pairs = []
  for rows in torn[:_NAMED]:
    other = rows[examples.labels[rows] != examples.labels[rows[0]]][0]
    pairs.append(
        ' and '.join(
            f'{examples.image_ids[i]} '
            f'({examples.class_names[examples.labels[i]]})'
            for i in (rows[0], other)
        )
    )
  more = ', ...' if len(torn) > _NAMED else ''
  return (
      f'{examples.name}: {len(torn):,} pictures have copies with '
      f'different labels: {", ".join(pairs)}{more}'
  )


def _grouped(
    decoded: decoded_lib.Decoded, sets: Sequence[np.ndarray]
) -> decoded_lib.Decoded:
  """Merges the groups that share a picture; the first one's name stays."""
  examples = decoded.examples
  parent: dict[str, str] = {}

  def root(name: str) -> str:
    while parent.get(name, name) != name:
      name = parent[name]
    return name

  order = {name: i for i, name in reversed(list(enumerate(examples.groups)))}
  for rows in sets:
    roots = sorted(
        {root(examples.groups[i]) for i in rows}, key=order.__getitem__
    )
    parent.update((name, roots[0]) for name in roots[1:])
  groups = tuple(root(name) for name in examples.groups)
  return dataclasses.replace(
      decoded, examples=dataclasses.replace(examples, groups=groups)
  )


def _reasons(
    examples: examples_lib.Examples, sets: Sequence[np.ndarray]
) -> dict[str, str]:
  """Returns which images are dropped, and why."""
  published = examples.columns.get('published', ('',) * len(examples))
  reasons = {}
  for rows in sets:
    if len(set(examples.labels[rows])) > 1:
      for i in rows:
        reasons[examples.image_ids[i]] = (
            f'copies with different labels: {_names(examples, rows)}'
        )
      continue
    stays = min(
        rows,
        key=lambda i: (
            _SIDES.index(published[i])
            if published[i] in _SIDES
            else len(_SIDES),
            examples.image_ids[i],
        ),
    )
    for i in rows:
      if i != stays:
        reasons[examples.image_ids[i]] = (
            f'a copy of {examples.image_ids[stays]}'
        )
  return reasons


def _names(examples: examples_lib.Examples, rows: np.ndarray) -> str:
  more = ', ...' if len(rows) > _NAMED else ''
  return ', '.join(examples.image_ids[i] for i in rows[:_NAMED]) + more
