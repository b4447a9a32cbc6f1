"""From thickness to a picture: beam, film, and what is left lying on it.

None of it depends on the diagnosis; a network has to learn to look past it.
"""

import numpy as np
from PIL import Image

from medxfer.data.phantom import fields

# The letter that marks the patient's right side, from its lower left corner.
_LETTER = (
    ((0, 1), (0, 0), (0.45, 0), (0.6, 0.15), (0.6, 0.35), (0.45, 0.5),
     (0, 0.5)),
    ((0.3, 0.5), (0.62, 1)),
)


def expose(thickness: np.ndarray, rng: np.random.Generator) -> Image.Image:
  """Turns thickness into one radiograph.

  Args:
    thickness: float32 [height, width], 0 in air and about 1 in muscle.
    rng: the view's generator.

  Returns:
    A grey image of the same size.
  """
  height, width = thickness.shape
  frame = fields.Frame(width=width, height=height)
  lead, wire = rng.spawn(2)
  if rng.random() < 0.15:
    thickness = thickness + 0.25 * _wires(wire, frame)
  # Beer-Lambert; a harder beam sees through more.
  light = 1 - np.exp(-rng.uniform(0.7, 1.3) * np.maximum(thickness, 0))
  light += np.float32(0.006 * rng.uniform(0.5, 2)) * rng.standard_normal(
      light.shape, dtype=np.float32)
  light = _blur(light, rng.uniform(0, 0.8))
  # Somebody has chosen a window to look through, each time another.
  low, high = np.quantile(light, (0.02, 0.99)).tolist()
  light = np.clip((light - low) / max(high - low, 1e-3), 0, 1)
  light = light ** rng.uniform(0.9, 2)
  dark, bright = rng.uniform(0, 45), rng.uniform(175, 255)
  picture = dark + (bright - dark) * light
  letter = _letter(lead, frame)
  picture += rng.uniform(0.6, 1) * letter * (250 - picture)
  pixels = np.clip(picture + 0.5, 0, 255).astype(np.uint8)
  return Image.fromarray(pixels)


def _blur(light: np.ndarray, radius: float) -> np.ndarray:
  """Averages over neighbours: the focus is no point, and children move."""
  share = np.float32(radius / 4)
  for axis in (0, 1):
    padded = np.pad(light, [(1, 1) if a == axis else (0, 0) for a in (0, 1)],
                    mode='edge')
    before, after = (
        np.take(padded, range(i, i + light.shape[axis]), axis) for i in (0, 2))
    light = light + share * (before + after - 2 * light)
  return light


def _wires(rng: np.random.Generator, frame: fields.Frame) -> np.ndarray:
  """Leads and tubes across the chest, with a round electrode each."""
  lines, ends = [], []
  for _ in range(rng.integers(1, 4)):
    start = rng.uniform((-0.7, -0.5), (0.7, 0.5))
    heading = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.25, 10))
    steps = 0.15 * np.stack([np.cos(heading), np.sin(heading)], axis=1)
    lines.append(start + np.cumsum(steps, axis=0))
    ends.append(lines[-1][0])
  dots = fields.dots(frame, np.array(ends), np.full(len(ends), 0.04))
  return np.maximum(fields.strokes(frame, lines, [0.014] * len(lines)), dots)


def _letter(rng: np.random.Generator, frame: fields.Frame) -> np.ndarray:
  """An R at the patient's right, where most radiographs have one, in 0..1."""
  place = rng.uniform((-1.15, -0.9), (-0.95, 0.1))
  size = rng.uniform(0.09, 0.13) * (rng.random() < 0.85)
  lines = [place + size * np.array(line) for line in _LETTER]
  return fields.strokes(frame, lines, [0.18 * size] * 2) * (size > 0)
