"""Noise, cells, lines and dots in the coordinates of a lesion or a chest."""

from collections.abc import Iterable
import dataclasses
import math

import numpy as np
from PIL import Image
from PIL import ImageDraw

_SPAN = 3.2  # How far a frame may reach from the origin, in units.
# The points [n, 2] of a line and its width; one point is a dot.
Shape = tuple[np.ndarray, float]


@dataclasses.dataclass(frozen=True)
class Frame:
  """One view: maps pixels to coordinates.

  The origin is the centre of what is painted, one unit is half the image's
  height (times `zoom`), y runs down. The same generator draws the same thing
  in any frame, so two views of a lesion show one lesion.
  """

  width: int  # Pixels.
  height: int
  angle: float = 0.0  # Radians.
  zoom: float = 1.0
  # Of the origin from the image's centre, in half heights.
  shift: tuple[float, float] = (0.0, 0.0)

  def _affine(self) -> tuple[np.ndarray, np.ndarray]:
    """Returns turn [2, 2] and origin [2]: xy = turn @ (pixel - origin)."""
    cosine, sine = math.cos(self.angle), math.sin(self.angle)
    turn = np.array([(cosine, sine), (-sine, cosine)])
    size = np.array([self.width, self.height])
    origin = (size + np.multiply(self.shift, self.height)) / 2
    return turn / (self.zoom * self.height / 2), origin

  def grid(self) -> tuple[np.ndarray, np.ndarray]:
    """Returns x and y of every pixel's centre, float32 [height, width]."""
    turn, (right, down) = self._affine()
    i = np.arange(self.width)[None] + 0.5 - right
    j = np.arange(self.height)[:, None] + 0.5 - down
    x, y = (a * i + b * j for a, b in turn)
    return x.astype(np.float32), y.astype(np.float32)

  def noise(self, rng: np.random.Generator, fineness: float) -> np.ndarray:
    """Interpolates `fineness` random values per unit, float32 [h, w]."""
    side = math.ceil(2 * _SPAN * fineness) + 4
    lattice = rng.standard_normal((side, side), dtype=np.float32)
    turn, origin = self._affine()
    turn *= fineness
    # Every second pixel, then enlarged: four times as fast.
    matrix = np.column_stack([2 * turn, side / 2 - turn @ origin])
    picture = Image.fromarray(lattice).transform(
        (-(-self.width // 2), -(-self.height // 2)),
        Image.Transform.AFFINE,
        matrix.ravel().tolist(),
        Image.Resampling.BICUBIC,
    )
    picture = picture.resize(
        (self.width, self.height),
        Image.Resampling.BICUBIC,
        box=(0, 0, self.width / 2, self.height / 2),
    )
    # Interpolation averages; the factor restores a variance of about 1.
    return np.asarray(picture) * np.float32(1.5)

  def cells(self, rng: np.random.Generator, fineness: float) -> np.ndarray:
    """Warped honeycomb, float32 [h, w]: 0 at walls, 1 in centres."""
    x, y = (
        axis + self.noise(rng, fineness / 4) * (0.3 / fineness)
        for axis in self.grid()
    )
    pace, angle = 2 * math.pi * fineness, rng.uniform(0, math.pi)
    total = np.float32(1.5)
    for turn in (angle, angle + 2 * math.pi / 3, angle + 4 * math.pi / 3):
      total = total + np.cos(pace * (math.cos(turn) * x + math.sin(turn) * y))
    return total / np.float32(4.5)

  def net(self, rng: np.random.Generator, fineness: float) -> np.ndarray:
    """The walls of cells, float32 [h, w] in 0..1."""
    return np.exp(-25 * np.square(self.cells(rng, fineness)))

  def draw(self, shapes: Iterable[Shape]) -> np.ndarray:
    """Draws lines and dots, float32 [h, w] in 0..1."""
    # Drawn at twice the size and averaged.
    canvas = Image.new('L', (2 * self.width, 2 * self.height))
    brush = ImageDraw.Draw(canvas)
    turn, origin = self._affine()
    unit = self.zoom * self.height / 2
    for points, width in shapes:
      pixels = 2 * (points @ turn * unit**2 + origin)
      width = max(2 * width * unit, 1)
      if len(pixels) > 1:
        brush.line(pixels.ravel().tolist(), 255, round(width))
      else:
        brush.ellipse([*(pixels[0] - width / 2), *(pixels[0] + width / 2)], 255)
    return np.asarray(canvas.reduce(2), np.float32) / np.float32(255)


def view(
    rng: np.random.Generator, size: tuple[int, int], angle: float, move: float
) -> Frame:
  """Returns a frame whose zoom and shift differ by about `move`."""
  shift = rng.normal(0, move, 2).clip(-0.25, 0.25)
  return Frame(*size, angle, math.exp(rng.normal(0, move)), tuple(shift))


def step(values: np.ndarray, soft: float) -> np.ndarray:
  """Rises from 0 to 1 where `values` crosses 0, over about 4 * `soft`."""
  return 1 / (1 + np.exp(np.clip(-values / soft, -30, 30)))


def walk(
    rng: np.random.Generator, start: np.ndarray, heading: float, length: float
) -> np.ndarray:
  """A winding line of 9 points, float64 [9, 2]."""
  turns = heading + np.cumsum(rng.normal(0, 0.2, 8))
  steps = np.column_stack([np.cos(turns), np.sin(turns)]) * length / 8
  return start + np.vstack([(0, 0), np.cumsum(steps, axis=0)])


def vessel(
    rng: np.random.Generator, start: np.ndarray, heading: float, length: float
) -> list[Shape]:
  """A walk and three thinner ones that branch off, for `Frame.draw`."""
  trunk = walk(rng, start, heading, length)
  return [(trunk, 0.028)] + [
      (walk(rng, trunk[knot], heading + turn, length / 2), 0.015)
      for knot, turn in ((3, -0.7), (5, 0.7), (6, -0.6))
  ]
