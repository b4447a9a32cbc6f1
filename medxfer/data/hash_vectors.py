"""The vectors that perceptual hashes are, and how small changes move them."""

from collections.abc import Iterator

import numpy as np

from medxfer.data import registration

BLOCK = 1 << 24  # Elements of the largest temporary array.
SHAPE = (64, 64)  # Of a thumbnail.


SIDE = SHAPE[0]


_FREQUENCIES = (2.0, 12.0)  # Of the hash, above and below these.


CROPS = (0.0, 0.02, 0.05)


def turned(thumbnails: np.ndarray, turn: int) -> np.ndarray:
  """Mirrors (bits 1 and 2 of `turn`) and transposes (4) [n, s, s]."""
  if turn & 4:
    thumbnails = thumbnails.swapaxes(1, 2)
  return thumbnails[:, :: -1 if turn & 2 else 1, :: -1 if turn & 1 else 1]


def _spectrum(thumbnails: np.ndarray, crop: float = 0.0) -> np.ndarray:
  """Returns the weighted frequencies of a hash, float32 [n, d].

  Args:
    thumbnails: [n, 64, 64].
    crop: fraction of each side that is cut off first.
  """
  place = np.arange(SIDE)
  source = np.clip(
      ((place + 0.5) * (1 - 2 * crop) + crop * SIDE) - 0.5, 0, SIDE - 1
  )
  # Interpolation and cosine transform are linear in rows and columns: both
  # are one matrix.
  interpolation = np.maximum(1 - abs(source[:, None] - place), 0)
  weights = _weights()
  u = np.arange(len(weights))
  matrix = (
      np.cos(np.pi / SIDE * np.outer(u, place + 0.5)) @ interpolation
  ).astype(np.float32)
  spectrum = (
      np.concatenate(
          [
              matrix @ part.astype(np.float32) @ matrix.T
              for part in _parts(thumbnails)
          ]
      )
      * weights
  )
  return spectrum[:, weights > 0]


def _weights() -> np.ndarray:
  """Returns the weights of frequencies, float32; 0: not of a hash."""
  low, high = _FREQUENCIES
  u = np.arange(int(high))
  radius = np.hypot(u[:, None], u)
  weights = np.where((radius > low) & (radius < high), radius, 0)
  return weights.astype(np.float32)


def hashes(thumbnails: np.ndarray, crop: float = 0.0) -> np.ndarray:
  """Returns hashes of length 1, of flat images 0; float32 [n, d]."""
  spectrum = _spectrum(thumbnails, crop)
  length = np.linalg.norm(spectrum, axis=1, keepdims=True)
  return spectrum / np.maximum(length, 1)


def stems(thumbnails: np.ndarray) -> list[np.ndarray]:
  """Returns the directions in which small changes move hashes, for each of
  `CROPS`.

  Returns:
    Arrays [n, 5, d], orthonormal for each image.
  """
  grid = registration.grid(SIDE)
  found: list[list[np.ndarray]] = [[] for _ in CROPS]
  for part in _parts(thumbnails):
    images = part.astype(np.float32)
    slope_y, slope_x = map(np.asarray, np.gradient(images, axis=(1, 2)))
    changes = (
        images,
        slope_x,
        slope_x * grid,
        slope_y,
        slope_y * grid[:, None],
    )
    for crop, stem in zip(CROPS, found):
      stem.append(
          _orthonormal(
              np.stack([_spectrum(change, crop) for change in changes], 1)
          )
      )
  return [np.concatenate(stem) for stem in found]


def _orthonormal(stem: np.ndarray) -> np.ndarray:
  # A flat direction must not make the others lose their digits.
  gram = (stem @ stem.swapaxes(1, 2)).astype(np.float64)
  scale = np.sqrt(np.einsum('nii->ni', gram)) + 1
  gram = gram / scale[:, :, None] / scale[:, None] + 1e-6 * np.eye(5)
  inverse = np.linalg.inv(np.linalg.cholesky(gram)) / scale[:, None]
  return inverse.astype(np.float32) @ stem


def odd() -> tuple[np.ndarray, np.ndarray]:
  """Returns which values of a hash mirrors negate: in rows, in columns."""
  u, v = np.nonzero(_weights())
  return u % 2 == 1, v % 2 == 1


def signs(turn: int) -> np.ndarray:
  """Returns the factors by which mirroring changes a hash, float32 [d]."""
  rows, columns = odd()
  return np.where(rows & bool(turn & 2), -1, 1).astype(np.float32) * np.where(
      columns & bool(turn & 1), -1, 1
  ).astype(np.float32)


def _parts(thumbnails: np.ndarray) -> Iterator[np.ndarray]:
  """Yields parts of the images, none larger than a block; at least one."""
  step = BLOCK // SIDE**2
  for start in range(0, max(len(thumbnails), 1), step):
    yield thumbnails[start : start + step]
