"""Which thumbnails show the same picture: saved again, resized, cropped, ...

A perceptual hash that is not rounded to bits. Of each image a grey thumbnail
of 64x64 is kept, and each pair passes three sieves, the cheap one first:

1. Its hashes, low frequencies of the thumbnail without the lowest (which all
   X-rays share), weighted by frequency and of length 1, are near each other:
   a product above `_NEAR`. One image is also tried cropped by 2 and by 5 % of
   each side, and in the eight ways that a square can be turned and mirrored.
2. One hash is the other's but for a small shift, crop and change of contrast,
   to first order (the tangent distance of Simard, LeCun and Denker, "Efficient
   pattern recognition using a new transformation distance", NIPS 1992): the
   cosine between them is then above `_NEARER`.
3. The pixels agree once one thumbnail is laid over the other; see
`registration`.

Measured by `python -m tests.data.copies_rates` (`results/copies.json`) on
HAM10000, two collections of chest X-rays and 18 ways to copy (JPEG of quality
50 to 95, resized, cropped by up to 6 pixels, brighter or darker, turned,
mirrored, several at once): 2 of 16,200 copies are missed. Of 67 million pairs
of images, those of different lesions or patients are joined in three cases,
which are copies to the eye; images of one lesion where they are one photograph
or cannot be told from one. The same three are joined among the images squeezed
into 28, 48, 64, 96 and 128 pixels. Copies in 17 ways (crops by up to 2 pixels)
that are missed of these: of 28 pixels, all at half the size, seven of ten
saved as JPEG of quality 50, two of five cropped by 0 to 2 pixels per side, 4 of
900 saved as JPEG of quality 75; of 48, one of nine at half the size; from 64
on, 22 of 45,900. The thresholds were set with all three collections in view,
not on others.

Not told apart: a photograph from the same with a faint or broad lesion drawn
into it (15 of 255 grey levels, or a tenth of the side), a slide of text from
one with a few other letters, a mask from one like it but for shift and scale.
"""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from medxfer import progress
from medxfer.data import hash_vectors
from medxfer.data import registration

_SMALLEST = 16  # Pixels.
_NEAR = 0.88
_NEARER = 0.985
# An image of a series of look-alikes is compared with so many of them.
_MOST = 200
_PRODUCTS = 1 << 20  # Of the largest array of products: stays in the caches.
_MANY = 5_000  # Images whose comparison takes seconds.
_TURNS = 8
_TRANSPOSED = 4
VERSION = 2  # Counts the changes of what is found: kept sets are of one.


def thumbnail(image: np.ndarray) -> np.ndarray:
  """Returns what an image is recognised by, uint8 `SHAPE`.

  Args:
    image: uint8 [height, width, 3], of any size; one with a side below
      `_SMALLEST` shows too little, and is like a flat one.
  """
  if min(image.shape[:2]) < _SMALLEST:
    return np.zeros(hash_vectors.SHAPE, np.uint8)
  grey = Image.fromarray(image).convert('L')
  return np.asarray(grey.resize(hash_vectors.SHAPE, Image.Resampling.BILINEAR))


def candidates(thumbnails: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Returns the pairs that may show the same picture, the likeliest first.

  Args:
    thumbnails: uint8 [n, 64, 64], no two of them of one set known already.

  Returns:
    int [m, 2], rows i and j, no pair twice; and int [m], how thumbnail i is
    to be turned (see `hash_vectors.turned`) to show what j shows.
  """
  found = [np.zeros((0, 4))]
  whole = [
      hash_vectors.hashes(hash_vectors.turned(thumbnails, turn))
      for turn in (0, _TRANSPOSED)
  ]
  cropped = [
      hash_vectors.hashes(thumbnails, crop) for crop in hash_vectors.CROPS
  ]
  stems = hash_vectors.stems(thumbnails)
  n = len(thumbnails)
  size = max(_PRODUCTS // max(n, 1), 64)
  steps = [
      (transposed, crop, start)
      for transposed in range(2)
      for crop in range(len(hash_vectors.CROPS))
      for start in range(0, n, size)
  ]
  for transposed, crop, start in progress.track(
      steps,
      total=len(steps),
      title=f'looking for copies among {n:,} images',
      unit='steps',
      announced=n < _MANY,
  ):
    hashes = whole[transposed][start : start + size]
    for turn, i, j in _near(
        hashes, cropped[crop], start, half=not hash_vectors.CROPS[crop]
    ):
      nearness = _explained(
          hashes[i] * hash_vectors.signs(turn), stems[crop], j
      )
      kept = nearness > _NEARER
      turn |= transposed * _TRANSPOSED
      turns = np.full(kept.sum(), turn)
      columns = [-nearness[kept], i[kept] + start, j[kept], turns]
      found.append(np.stack(columns, 1))
  found = np.concatenate(found)
  found = found[np.argsort(found[:, 0], kind='stable')].astype(np.int64)
  # The likeliest of the ways in which two images were found.
  ends = np.sort(found[:, 1:3], axis=1)
  _, first = np.unique(ends, axis=0, return_index=True)
  first.sort()
  return found[first, 1:3], found[first, 3]


def same(
    thumbnails: np.ndarray, pairs: np.ndarray, turns: np.ndarray
) -> np.ndarray:
  """Compares pixels.

  Args:
    thumbnails: uint8 [n, 64, 64].
    pairs: int [m, 2], rows.
    turns: int [m], how the first of each is turned.

  Returns:
    bool [m], whether both show the same picture.
  """
  confirmed = np.zeros(len(pairs), bool)
  step = hash_vectors.BLOCK // (16 * hash_vectors.SIDE**2)
  for start in range(0, len(pairs), step):
    rows = slice(start, start + step)
    fixed = thumbnails[pairs[rows, 0]].astype(np.float32)
    for turn in range(_TURNS):
      which = turns[rows] == turn
      fixed[which] = hash_vectors.turned(fixed[which], turn)
    moved = thumbnails[pairs[rows, 1]].astype(np.float32)
    confirmed[rows] = registration.same(moved, fixed)
  return confirmed


def _near(
    hashes: np.ndarray, others: np.ndarray, start: int, *, half: bool
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
  """Yields a mirroring, and rows i of `hashes` and j of `others` near by it.

  A mirror negates the odd frequencies: the products of even and of odd ones
  make those of all four mirrorings.

  Args:
    hashes: float32 [m, d], of the images from `start` on.
    others: float32 [n, d], of all.
    start: the image of the first row of `hashes`.
    half: whether images j after i are enough; else all but i.
  """
  skipped = start if half else 0
  rows, columns = hash_vectors.odd()
  even, column, row, both = (
      hashes[:, which] @ others[skipped:, which].T
      for which in (
          ~rows & ~columns,
          ~rows & columns,
          rows & ~columns,
          rows & columns,
      )
  )
  for (plus, minus), sure, unsure in (
      ((0, 3), even + both, column + row),
      ((2, 1), even - both, column - row),
  ):
    i, j = _above(sure + abs(unsure))
    turns = np.where(unsure[i, j] >= 0, plus, minus)
    j = j + skipped
    kept = j > i + start if half else j != i + start
    for turn in (plus, minus):
      which = kept & (turns == turn)
      yield turn, i[which], j[which]


def _above(products: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Returns the places of products above `_NEAR`, the largest if many."""
  near = products > _NEAR
  found = np.flatnonzero(near)
  if len(found) > _MOST * len(products):
    most = min(_MOST, products.shape[1])
    near &= products >= np.partition(products, -most)[:, -most, None]
    found = np.flatnonzero(near)
  return np.divmod(found, products.shape[1])


def _explained(
    hashes: np.ndarray, stems: np.ndarray, rows: np.ndarray
) -> np.ndarray:
  """Returns the cosines between hashes and the span of changes of rows."""
  step = hash_vectors.BLOCK // (8 * stems.shape[2])
  parts = [
      (stems[rows[k : k + step]] @ hashes[k : k + step, :, None])[..., 0]
      for k in range(0, len(rows), step)
  ]
  return np.linalg.norm(np.concatenate([np.zeros((0, 5)), *parts]), axis=1)
