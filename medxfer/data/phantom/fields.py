"""Noise, cells, dots and strokes in the frame of a lesion.

A frame maps pixels to lesion coordinates (origin at the lesion's centre, one
unit is half the image's height). Everything is a function of those
coordinates, so that two views of one lesion show the same lesion.
"""

from collections.abc import Sequence
import dataclasses
import math

import numpy as np
from PIL import Image
from PIL import ImageDraw

# Lesion coordinates that a frame may reach, either side of the centre.
_SPAN = 3.2
# Noise this coarse (pixels a cell) is sampled on every fourth pixel.
_COARSE = 8
# Strokes and dots are drawn this much larger and averaged down.
_SUPERSAMPLING = 2


@dataclasses.dataclass(frozen=True)
class Frame:
  """Where a picture looks.

  Attributes:
    width: pixels.
    height: pixels.
    angle: rotation of the lesion, radians.
    zoom: size of the lesion relative to its own unit.
    shift: centre of the lesion from the picture's centre, in units.
  """

  width: int
  height: int
  angle: float = 0.0
  zoom: float = 1.0
  shift: tuple[float, float] = (0.0, 0.0)

  @property
  def unit(self) -> float:
    """Pixels in one lesion unit."""
    return self.zoom * self.height / 2

  def affine(self) -> tuple[float, ...]:
    """Returns (a, b, c, d, e, f): x = a*i + b*j + c, y = d*i + e*j + f."""
    cosine, sine = math.cos(self.angle), math.sin(self.angle)
    a, b = cosine / self.unit, sine / self.unit
    middle_i = self.width / 2 + self.shift[0] * self.height / 2
    middle_j = self.height / 2 + self.shift[1] * self.height / 2
    return (
        a, b, -a * middle_i - b * middle_j,
        -b, a, b * middle_i - a * middle_j,
    )

  def grid(self) -> tuple[np.ndarray, np.ndarray]:
    """Returns lesion x and y of every pixel centre, float32 [h, w]."""
    a, b, c, d, e, f = self.affine()
    i = np.arange(self.width, dtype=np.float32)[None, :] + 0.5
    j = np.arange(self.height, dtype=np.float32)[:, None] + 0.5
    return (
        (a * i + b * j + c).astype(np.float32),
        (d * i + e * j + f).astype(np.float32),
    )

  def to_pixels(self, points: np.ndarray) -> np.ndarray:
    """Maps lesion coordinates [n, 2] to pixels [n, 2]."""
    a, b, c, d, e, f = self.affine()
    return (points - (c, f)) @ np.linalg.inv([[a, b], [d, e]]).T


def noise(rng: np.random.Generator, frame: Frame, cells: float) -> np.ndarray:
  """Smooth noise of about unit variance, float32 [height, width].

  Args:
    rng: draws the lattice; the same state gives the same field in any frame.
    frame: where to look.
    cells: lattice points in one lesion unit, the fineness of the noise.
  """
  side = math.ceil(2 * _SPAN * cells) + 4
  step = 4 if frame.unit / cells > _COARSE else 1
  lattice = rng.standard_normal((side, side), dtype=np.float32)
  a, b, c, d, e, f = (cells * value for value in frame.affine())
  middle = side / 2
  picture = Image.fromarray(lattice).transform(
      (-(-frame.width // step), -(-frame.height // step)),
      Image.Transform.AFFINE,
      (a * step, b * step, c + middle, d * step, e * step, f + middle),
      Image.Resampling.BICUBIC,
  )
  if step > 1:
    picture = picture.resize(
        (frame.width, frame.height),
        Image.Resampling.BICUBIC,
        box=(0, 0, frame.width / step, frame.height / step),
    )
  # Bicubic weights average the lattice; 1.5 restores the spread.
  return np.asarray(picture) * np.float32(1.5)


def cells(
    rng: np.random.Generator, frame: Frame, count: float
) -> tuple[np.ndarray, np.ndarray]:
  """Distances to the nearest and second nearest of scattered points.

  Worley, 'A cellular texture basis function' (SIGGRAPH 1996), on a jittered
  lattice.

  Args:
    rng: draws the points; the same state gives the same points.
    frame: where to look.
    count: points in one lesion unit.

  Returns:
    Two float32 [height, width] arrays, in lattice cells.
  """
  side = math.ceil(2 * _SPAN * count) + 4
  jitter = rng.uniform(0.1, 0.9, (2, side, side)).astype(np.float32)
  x, y = (axis * np.float32(count) + side / 2 for axis in frame.grid())
  column = np.clip(x.astype(np.int32), 1, side - 2)
  row = np.clip(y.astype(np.int32), 1, side - 2)
  # int32 with float32 would make float64, at twice the time.
  x, y = x - column.astype(np.float32), y - row.astype(np.float32)
  first = np.full(x.shape, 9.0, np.float32)
  second = first.copy()
  for down in (-1, 0, 1):
    for right in (-1, 0, 1):
      index = (row + down) * side + column + right
      distance = np.square(x - right - jitter[0].ravel()[index])
      distance += np.square(y - down - jitter[1].ravel()[index])
      second = np.minimum(second, np.maximum(first, distance))
      first = np.minimum(first, distance)
  return np.sqrt(first), np.sqrt(second)


def scatter(
    rng: np.random.Generator, count: int, reach: float
) -> np.ndarray:
  """Points evenly spread over a disc of radius `reach`, float64 [count, 2]."""
  radius = reach * np.sqrt(rng.random(count))
  angle = rng.uniform(0, 2 * np.pi, count)
  return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def dots(
    frame: Frame, points: np.ndarray, radii: np.ndarray
) -> np.ndarray:
  """Discs at lesion coordinates, float32 [height, width] in 0..1.

  Args:
    frame: where to look.
    points: [n, 2].
    radii: [n], in lesion units.
  """
  canvas = _canvas(frame)
  draw = ImageDraw.Draw(canvas)
  centres = frame.to_pixels(points) * _SUPERSAMPLING
  sizes = np.maximum(radii * frame.unit * _SUPERSAMPLING, 0.7)
  for (i, j), size in zip(centres.tolist(), sizes.tolist(), strict=True):
    draw.ellipse((i - size, j - size, i + size, j + size), fill=255)
  return _reduce(canvas)


def strokes(
    frame: Frame, lines: Sequence[np.ndarray], widths: Sequence[float]
) -> np.ndarray:
  """Polylines at lesion coordinates, float32 [height, width] in 0..1.

  Args:
    frame: where to look.
    lines: each [n, 2].
    widths: in lesion units, one a line.
  """
  canvas = _canvas(frame)
  draw = ImageDraw.Draw(canvas)
  for line, width in zip(lines, widths, strict=True):
    pixels = frame.to_pixels(line) * _SUPERSAMPLING
    draw.line(
        [tuple(point) for point in pixels.tolist()],
        fill=255,
        width=max(1, round(width * frame.unit * _SUPERSAMPLING)),
    )
  return _reduce(canvas)


def _canvas(frame: Frame) -> Image.Image:
  size = (frame.width * _SUPERSAMPLING, frame.height * _SUPERSAMPLING)
  return Image.new('L', size)


def _reduce(canvas: Image.Image) -> np.ndarray:
  reduced = canvas.reduce(_SUPERSAMPLING)
  return np.asarray(reduced, np.float32) * np.float32(1 / 255)
