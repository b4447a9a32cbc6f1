"""Registers one picture on another and compares their pixels.

Scales, shifts and contrast are found by Gauss-Newton steps on the squared
difference (Lucas and Kanade, "An iterative image registration technique with
an application to stereo vision", IJCAI 1981). Then, in a like brightness,
details of 3 to 9 pixels of 64 must correlate by more than `_SAME`: outlines,
which images of one series share, are coarser, and noise is finer.

Coarser details must not differ by more than `_DIFFERENT` grey levels in the
root of the mean square, nor one place by much more than the rest (`_LESION`
grey levels and `_SPREAD` times that root): the same body with another lesion
is another image. A frame of `_FRAME` pixels, where crops differ, is left out.

In an image of few pixels JPEG changes details of 3 to 9. Such a pair is the
same picture if coarser ones differ by no more than JPEG leaves (`_LEFT`), and
if the finest correlate at all: noise of its own over one outline makes another
image.
"""

import numpy as np

_SAME = 0.96
# Details lie between squares of so many pixels on each side of the middle.
_DETAILS = (1, 4)
_FINEST, _COARSER = (0, 1), (2, 9)
_LIKE = {
    _FINEST: 0.25,
    _DETAILS: 0.65,
    _COARSER: 0.94,
}  # Where JPEG blurs them.
_LEFT, _DIFFERENT = 1.6, 3.0
_LESION, _SPREAD = 9, 6
_FRAME = 6
_CONTRAST = 1.5  # Largest factor between copies,
_BRIGHTNESS = 50.0  # and largest difference of their mean grey levels.
_LARGEST_SHIFT = 0.12  # Of the side; a registration that needs more failed.


def same(moved: np.ndarray, fixed: np.ndarray) -> np.ndarray:
  """Returns whether grey images show the same picture, bool [m].

  Args:
    moved: float32 [m, 64, 64], shifted and scaled until they lie over
    fixed: the same.
  """
  return _agree(*_laid_over(moved, fixed))


def grid(side: int) -> np.ndarray:
  """Returns the places of pixels from -1 to 1, float32."""
  return ((np.arange(side) + 0.5) / side * 2 - 1).astype(np.float32)


def _laid_over(
    moved: np.ndarray, fixed: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Shifts and scales images [m, s, s] until they lie over `fixed`.

  Returns:
    The moved images, `fixed`, and where both are known, bool.
  """
  change = np.zeros((len(moved), 4), np.float32)
  for halves, steps in ((2, 3), (1, 2)):  # The coarse way first.
    a, b = _reduced(moved, halves), _reduced(fixed, halves)
    for _ in range(steps):
      change = _step(a, b, change)
  image, known = _sampled(moved, change)
  return image, fixed, known


def _step(
    moved: np.ndarray, fixed: np.ndarray, change: np.ndarray
) -> np.ndarray:
  """Returns a better change: shift and scale in x, then in y; [m, 4]."""
  m, side, _ = moved.shape
  places = grid(side)
  image, known = _sampled(moved, change)
  slope_y, slope_x = np.gradient(image, axis=(1, 2))
  terms = np.stack(
      [
          slope_x,
          slope_x * places,
          slope_y,
          slope_y * places[:, None],
          image,
          np.ones_like(image),
      ],
      1,
  )
  terms = (terms * known[:, None]).reshape(m, 6, -1).astype(np.float64)
  normal = terms @ terms.swapaxes(1, 2) + 1e-3 * np.eye(6)
  right = terms @ (fixed * known).reshape(m, -1, 1)
  found = np.linalg.solve(normal, right)[:, :, 0]
  contrast = np.where(abs(found[:, 4]) > 0.2, found[:, 4], 1)
  change = change + found[:, :4] / contrast[:, None] / side
  return np.clip(change, -_LARGEST_SHIFT, _LARGEST_SHIFT).astype(np.float32)


def _sampled(
    images: np.ndarray, change: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
  """Samples [m, s, s] at changed places; also returns which lie inside."""
  side = images.shape[-1]
  places, pixel = grid(side), np.arange(side, dtype=np.float32)
  x, y = (
      pixel + side * (change[:, k, None] + change[:, k + 1, None] * places)
      for k in (0, 2)
  )
  rows = np.arange(len(images))[:, None]
  inside = []
  for at in (y, x):  # Along rows, then, transposed, along columns; and back.
    inside.append((at >= -0.5) & (at <= side - 0.5))
    at = np.clip(at, 0, side - 1)
    low = np.minimum(at.astype(int), side - 2)
    part = (at - low)[:, :, None]
    images = images[rows, low] * (1 - part) + images[rows, low + 1] * part
    images = images.swapaxes(1, 2)
  return images, inside[0][:, :, None] & inside[1][:, None]


def _agree(
    image: np.ndarray, other: np.ndarray, known: np.ndarray
) -> np.ndarray:
  """Whether two images [m, s, s] are the same where both are known."""
  mean, deviation = [], []
  for a in (image, other):
    mean.append(_mean(a, known))
    deviation.append(np.sqrt(_mean((a - mean[-1]) ** 2, known)))
  alike = (abs(mean[0] - mean[1]) < _BRIGHTNESS) & (
      np.maximum(*deviation) < _CONTRAST * np.minimum(*deviation)
  )
  inside = np.zeros_like(known)
  inside[:, _FRAME:-_FRAME, _FRAME:-_FRAME] = True
  inside &= known
  details, _ = _compared(image, other, inside, _DETAILS)
  # The rest is for the few that may be the same.
  rows = np.flatnonzero(alike.reshape(-1) & (details > _LIKE[_DETAILS]))
  images = image[rows], other[rows], inside[rows]
  finest, _ = _compared(*images, _FINEST)
  coarser, difference = _compared(*images, _COARSER)
  left = np.sqrt(_mean(difference**2, images[2])).reshape(-1)
  largest = abs(difference).max((1, 2), initial=0)
  blurred = (
      (finest > _LIKE[_FINEST]) & (coarser > _LIKE[_COARSER]) & (left < _LEFT)
  )
  same = np.zeros(len(image), bool)
  same[rows] = (
      ((details[rows] > _SAME) | blurred)
      & (left < _DIFFERENT)
      & (largest < np.maximum(_LESION, _SPREAD * left))
  )
  return same


def _compared(
    image: np.ndarray,
    other: np.ndarray,
    known: np.ndarray,
    details: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray]:
  """Compares details of some size.

  Returns:
    How they correlate, [m]; and how they differ at one contrast, the larger
    of both, in grey levels, [m, s, s].
  """
  small, large = details
  fine = [_blurred(a, small) - _blurred(a, large) for a in (image, other)]
  fine = [a - _mean(a, known) for a in fine]
  power = [np.sqrt(_mean(a**2, known)) for a in fine]
  # A flat image has no details, which are like none.
  unit = [a / np.maximum(b, 1e-6) for a, b in zip(fine, power)]
  difference = (unit[0] - unit[1]) * np.maximum(*power) * known
  return _mean(unit[0] * unit[1], known).reshape(-1), difference


def _mean(values: np.ndarray, known: np.ndarray) -> np.ndarray:
  total = (values * known).sum((1, 2), keepdims=True)
  return total / known.sum((1, 2), keepdims=True)


def _blurred(images: np.ndarray, reach: int) -> np.ndarray:
  """Returns the means of squares around pixels, mirrored at the borders."""
  wide = 2 * reach + 1
  padded = np.pad(
      images.astype(np.float64),
      ((0, 0), (reach + 1, reach), (reach + 1, reach)),
      'reflect',
  )
  sums = padded.cumsum(1).cumsum(2)
  return (
      sums[:, wide:, wide:]
      - sums[:, :-wide, wide:]
      - sums[:, wide:, :-wide]
      + sums[:, :-wide, :-wide]
  ) / wide**2


def _reduced(images: np.ndarray, factor: int) -> np.ndarray:
  m, side, _ = images.shape
  small = side // factor
  return images.reshape(m, small, factor, small, factor).mean((2, 4))
