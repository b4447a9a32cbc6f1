"""Procedural chest X-rays of children.

Thicknesses of tissue add up; lungs are holes. The patient's left is on the
right.

Bacteria mostly fill one lobe: a dense patch with a soft edge. Viruses mostly
thicken the tissue between airways: fine lines and haze in both lungs, densest
at the roots (Kermany et al., Cell 172, 1122-1131, 2018, figure S6).
"""

import math

import numpy as np
from PIL import Image

from medxfer.data import chest_xray
from medxfer.data.phantom import drawing

# The R that marks the patient's right side, one line from its foot.
_LETTER = np.array(
    [(0, 1), (0, 0), (0.6, 0.1), (0.6, 0.4), (0, 0.5), (0.3, 0.5), (0.6, 1)]
)
_ROUND = 2.3  # Exponent of the rib cage's outline; 2 would be an ellipse.
_RGB = 0.05  # Fraction of images with three equal channels.


def radiograph(
    code: int,
    person: np.random.Generator,
    view: np.random.Generator,
    size: tuple[int, int],
) -> Image.Image:
  """Paints a grey radiograph, now and then as RGB; see `Kind.paint`."""
  frame = drawing.view(view, size, view.normal(0, 0.05), 0.06)
  body, illness = person.spawn(2)
  thickness, lungs = chest(body, frame)
  thickness += lungs * opacity(chest_xray.KINDS[code], illness, frame)
  # Beer-Lambert. Beam, contrast and marker do not depend on the illness.
  light = 1 - np.exp(-view.uniform(0.7, 1.3) * np.maximum(thickness, 0))
  light += view.uniform(0.003, 0.012) * view.standard_normal(
      light.shape, dtype=np.float32
  )
  low, high = np.quantile(light, (0.02, 0.99)).tolist()
  light = np.clip((light - low) / max(high - low, 1e-3), 0, 1)
  light = light ** view.uniform(0.9, 2)
  dark, bright = view.uniform(0, 45), view.uniform(175, 255)
  picture = dark + (bright - dark) * light
  letter = view.uniform((-1.15, -0.9), (-0.95, 0)) + 0.11 * _LETTER
  letter = drawing.Frame(*size).draw([(letter, 0.02)])
  picture += view.uniform(0.6, 1) * letter * (250 - picture)
  image = Image.fromarray(np.clip(picture + 0.5, 0, 255).astype(np.uint8))
  return image.convert('RGB') if view.random() < _RGB else image


def chest(
    rng: np.random.Generator, frame: drawing.Frame
) -> tuple[np.ndarray, np.ndarray]:
  """Returns thickness (muscle is 1) and where lung is (0..1), [h, w] each."""
  x, y = frame.grid()
  x = x - rng.normal(0, 0.04) * np.cos(1.6 * y)
  width, dome = rng.uniform(0.84, 1.02), rng.uniform(0.38, 0.58)
  half = width + rng.uniform(0.08, 0.18)
  half += rng.uniform(0.2, 0.6) * drawing.step(-0.6 - y, 0.07)  # Shoulders.
  half += (0.37 - half) * drawing.step(-rng.uniform(0.9, 1) - y, 0.03)  # Neck.
  body = np.minimum(1.25 * np.sqrt(np.clip(1 - (x / half) ** 2, 0, 1)), 1)
  body *= rng.uniform(0.85, 1.2)
  # Distance from the middle of the rib cage: a bell whose wall is at 1.
  cage = np.abs(x) * (1 + 0.3 * np.maximum(0.15 - y, 0)) / width
  cage = (cage**_ROUND + np.abs(y - 0.15) ** _ROUND) ** (1 / _ROUND)
  # Below two domes of the diaphragm: the right one is higher.
  below = y - dome - 0.05 * (x > 0) - 0.7 * (np.abs(x) / width - 0.45) ** 2
  # The heart points to the patient's left and down, and narrows upwards.
  left, down = x - 0.14 * width, y - dome + 0.2
  heart = np.hypot((0.8 * left + 0.6 * down) / 1.2, 0.8 * down - 0.6 * left)
  heart *= (1 + 0.35 * np.maximum(-down, 0)) / width / rng.uniform(0.4, 0.52)
  lungs = (
      drawing.step(0.95 - cage, 0.018)
      * drawing.step(-below, 0.016)
      * drawing.step(np.abs(x) - 0.17, 0.02)
      * (0.15 + 0.85 * drawing.step(heart - 1, 0.05))
  )
  spine = 0.2 * np.exp(-((x / 0.17) ** 2)) * drawing.step(0.3 - y, 0.1)
  spine += drawing.step(0.085 - np.abs(x), 0.012) * (
      0.18 + 0.05 * np.sin(40 * y)
  )
  vessels = [
      (line * (side, 1), wide)
      for side in (-1, 1)
      for heading in np.linspace(-1.2, 1.2, 6)
      for line, wide in drawing.vessel(
          rng, np.array([0.19, -0.02]), heading, rng.uniform(0.3, 0.55)
      )
  ]
  total = (
      body * (1 - 0.6 * lungs)
      + spine
      + _bones(rng, frame, width)
      + 0.25 * np.clip(1.08 - heart**2, 0, 1) * drawing.step(-below, 0.1)
      + 0.3 * body * drawing.step(below, 0.02)
      + rng.uniform(0.05, 0.14) * lungs * frame.draw(vessels)
  )
  return total * (1 + 0.02 * frame.noise(rng, 5)), lungs


def opacity(
    kind: str, rng: np.random.Generator, frame: drawing.Frame
) -> np.ndarray:
  """Returns the thickness that an illness adds to lungs, float32 [h, w]."""
  x, y = frame.grid()
  if kind == 'bacteria':
    middle = rng.uniform(0.35, 0.65) * (1 if rng.random() < 0.5 else -1)
    wide, high = rng.uniform(0.2, 0.4, 2).tolist()
    inside = 1 - np.hypot(
        (x - middle) / wide, (y - rng.uniform(-0.45, 0.3)) / high
    )
    inside += 0.25 * frame.noise(rng, 4) + 0.12 * frame.noise(rng, 10)
    return rng.uniform(0.22, 0.5) * drawing.step(
        inside, rng.uniform(0.14, 0.33)
    )
  if kind == 'virus':
    near = np.exp(-(((np.abs(x) - 0.25) / 0.5) ** 2) - ((y - 0.05) / 0.5) ** 2)
    texture = 0.3 * frame.net(rng, 5)
    texture += 0.5 * np.clip(0.5 + frame.noise(rng, 5), 0, 2)
    texture += 0.3 * np.maximum(frame.noise(rng, 16), 0)
    return rng.uniform(0.14, 0.34) * (0.35 + 0.8 * near) * texture
  return np.zeros_like(x)


def _bones(
    rng: np.random.Generator, frame: drawing.Frame, width: float
) -> np.ndarray:
  """Ribs, collar bones and upper arms; rims are denser than marrow."""
  bones = []
  drop, bow, thick = rng.uniform((0.2, 0.03, 0.06), (0.38, 0.09, 0.08))
  turn = np.linspace(0, math.pi / 2, 16)
  for side in (-1, 1):
    for start in np.linspace(-0.74, 0.62, 9):
      # From the spine down and outwards to the wall of the cage.
      low = start + drop
      wall = (1 - min(abs(low - 0.15), 0.97) ** _ROUND) ** (1 / _ROUND)
      wall *= width / (1 + 0.3 * max(0.15 - low, 0))
      x = 0.08 + (wall - 0.08) * np.sin(turn)
      y = start - bow * np.sin(2 * turn) + drop * (1 - np.cos(turn)) ** 1.4
      bones.append((np.column_stack([side * x, y]), thick))
    lift = rng.normal(0, 0.03)
    collar = np.array([(0.1, -0.62), (0.55, -0.7 + lift), (0.85, -0.82)])
    arm = np.array([(1.08, -0.8), (2, 0.2 + 9 * lift)])
    bones += [(collar * (side, 1), 0.06), (arm * (side, 1), 0.14)]
  marrow = [(line, 0.55 * wide) for line, wide in bones]
  return rng.uniform(0.13, 0.22) * (
      frame.draw(bones) - 0.45 * frame.draw(marrow)
  )
