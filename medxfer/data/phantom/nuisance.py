"""What a dermatoscope adds: hairs, rulers, gel bubbles, vignettes, light.

None of it depends on the diagnosis; a network has to learn to look past it.
"""

import numpy as np
from PIL import Image

from medxfer.data.phantom import fields

_HAIR = (38, 26, 24)
_INK = (30, 26, 30)
_PEN = (74, 40, 128)


def photograph(
    picture: np.ndarray, rng: np.random.Generator
) -> Image.Image:
  """Turns a painted lesion into one photograph of it.

  Args:
    picture: float32 [3, height, width] in 0..255.
    rng: the view's generator.

  Returns:
    An RGB image of the same size.
  """
  height, width = picture.shape[1:]
  frame = fields.Frame(width=width, height=height)
  for chance, cover in (
      (0.4, _hairs), (0.1, _ruler), (0.05, _pen),
  ):
    own = rng.spawn(1)[0]
    if rng.random() < chance:
      share, colour = cover(own, frame)
      ink = np.array(colour, np.float32)[:, None, None]
      picture = picture + share * (ink - picture)
  bubbles = rng.spawn(1)[0]
  if rng.random() < 0.1:
    picture = picture + _bubbles(bubbles, frame)
  picture = picture * _light(rng, frame)
  grain = rng.standard_normal((height, width), dtype=np.float32)
  picture = picture + grain * np.float32(rng.uniform(0.5, 2.5))
  pixels = np.clip(picture + 0.5, 0, 255).astype(np.uint8)
  return Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))


def _hairs(
    rng: np.random.Generator, frame: fields.Frame
) -> tuple[np.ndarray, tuple[int, int, int]]:
  """Curved dark or fair lines, mostly in one direction."""
  along = rng.uniform(0, 2 * np.pi)
  lines = []
  widths = []
  for _ in range(rng.integers(2, 18)):
    heading = along + rng.normal(0, 0.5) + np.linspace(0, rng.normal(0, 0.9), 9)
    steps = np.stack([np.cos(heading), np.sin(heading)], axis=1)
    start = rng.uniform((-1.5, -1.1), (1.5, 1.1))
    lines.append(start + np.cumsum(steps * rng.uniform(0.04, 0.2), axis=0))
    widths.append(rng.uniform(0.008, 0.02))
  opaque = rng.uniform(0.45, 0.95)
  return fields.strokes(frame, lines, widths) * opaque, _HAIR


def _ruler(
    rng: np.random.Generator, frame: fields.Frame
) -> tuple[np.ndarray, tuple[int, int, int]]:
  """Graduation marks along an arc in a corner."""
  side = rng.choice((-1, 1), 2)
  angle = np.linspace(0.1, 1.4, rng.integers(5, 9))
  rays = np.stack([np.cos(angle), np.sin(angle)], axis=1) * side
  reach = rng.uniform(1.3, 1.5)
  lines = [
      np.stack([ray * reach, ray * (reach + (0.14 if odd else 0.08))])
      for odd, ray in enumerate(rays)
  ]
  return fields.strokes(frame, lines, [0.016] * len(lines)), _INK


def _pen(
    rng: np.random.Generator, frame: fields.Frame
) -> tuple[np.ndarray, tuple[int, int, int]]:
  """A surgeon's violet mark near the rim."""
  start = rng.uniform(0, 2 * np.pi)
  angle = start + np.linspace(0, rng.uniform(0.3, 0.9), 12)
  reach = rng.uniform(1.0, 1.4) + rng.normal(0, 0.02, 12)
  line = np.stack([np.cos(angle), np.sin(angle)], axis=1) * reach[:, None]
  speckle = np.clip(0.6 + 0.4 * fields.noise(rng, frame, 20), 0, 1)
  return fields.strokes(frame, [line], [0.07]) * speckle, _PEN


def _bubbles(rng: np.random.Generator, frame: fields.Frame) -> np.ndarray:
  """Bright rings in the immersion gel, added to every channel."""
  count = int(rng.integers(1, 6))
  points = rng.uniform((-1.3, -1), (1.3, 1), (count, 2))
  radii = rng.uniform(0.03, 0.12, count)
  ring = fields.dots(frame, points, radii)
  ring = ring - fields.dots(frame, points, radii - 0.03)
  return 18 * np.clip(ring, 0, 1)


def _light(rng: np.random.Generator, frame: fields.Frame) -> np.ndarray:
  """Exposure, white balance and vignette, float32 [3, height, width]."""
  x, y = frame.grid()
  distance = np.hypot(x, y)
  fall = 1 - np.float32(rng.uniform(0, 0.16)) * np.square(distance)
  reach, rim = rng.uniform(1.15, 1.55), rng.random()
  if rim < 0.1:
    # The dark ring of a contact plate.
    fall = fall / (1 + np.exp(np.clip((distance - reach) * 22, -30, 30)))
  slope = 1 + np.float32(rng.normal(0, 0.03)) * x
  balance = rng.normal(1, (0.03, 0.025, 0.03)) * rng.normal(1, 0.06)
  light = np.clip(fall, 0, 1) * slope
  return light * balance.astype(np.float32)[:, None, None]
