"""Copies of images: one picture under several names.

A copy that is tested on while another is trained on makes a score too good,
whatever the table says of patients. `copies_policy` decides what becomes of
them; they are counted in any case, see `leaks.audit`.

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
from medxfer.data import decoded as decoded_lib
from medxfer.data import perceptual_hash

_KIND = 'copies'  # Of the cache.
_SMALL = 64  # Pixels of a side, below which copies are missed more often.
_LOOKED_AT = 20  # Images whose sizes are read.


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


def among(
    images: decoded_lib.Decoded,
    known: decoded_lib.Decoded,
    rows: Sequence[int],
    where: pathlib.Path | None = None,
) -> np.ndarray:
  """Returns the rows of images that are copies of known ones, ascending.

  Args:
    images: n images of one data set.
    known: those of another, decoded at the same size.
    rows: of `known`, those that count.
    where: folder of the cache, which keeps what was found; None for none.
  """
  found = find(
      dataclasses.replace(
          images,
          digests=(*images.digests, *(known.digests[i] for i in rows)),
          thumbnails=np.concatenate(
              [
                  np.asarray(images.thumbnails),
                  np.asarray(known.thumbnails)[np.asarray(rows, np.int64)],
              ]
          )
          if images.thumbnails is not None and known.thumbnails is not None
          else None,
      ),
      where,
  ).sets
  n = len(images.digests)
  return np.flatnonzero(np.isin(found[:n], found[n:]))


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
