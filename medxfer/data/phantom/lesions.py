"""Procedural skin lesions as a dermatoscope shows them.

The criteria of each class are those that HAM10000's paper names (Tschandl,
Rosendahl and Kittler, Scientific Data 5, 180161, 2018). Ranges overlap, a
criterion may be absent, and some lesions mix two classes: a classifier can be
right often, not always.
"""

import math

import numpy as np
from PIL import Image

from medxfer.data import ham10000
from medxfer.data.phantom import drawing

# Class -> criterion -> (low, high) or (low, high, probability of presence).
# Lengths are in half image heights, the rest are strengths: `hub` darkens the
# centre, `vary` makes pigment uneven, `veil` is blue-white, `white` a scar or
# regression, `cysts` are pale dots, `plugs` dark and `nests` blue ones.
_RANGES = {
    'akiec': dict(
        size=(0.45, 1),
        lobes=(0.12, 0.3),
        soft=(0.12, 0.3),
        brown=(0.05, 0.5),
        vary=(0.3, 0.8),
        red=(0.35, 0.9),
        follicles=(0.4, 1, 0.7),
    ),
    'bcc': dict(
        size=(0.3, 0.85),
        lobes=(0.1, 0.25),
        soft=(0.08, 0.2),
        brown=(0.05, 0.4),
        vary=(0.2, 0.6),
        red=(0.2, 0.6),
        white=(0.2, 0.5, 0.4),
        vessels=(0.5, 1, 0.8),
        nests=(0.4, 0.9, 0.65),
    ),
    'bkl': dict(
        size=(0.35, 0.9),
        lobes=(0.08, 0.25),
        soft=(0.02, 0.07),
        brown=(0.35, 1.1),
        hub=(-0.3, 0.2),
        vary=(0.15, 0.45),
        red=(0, 0.25),
        veil=(0.05, 0.35),
        cysts=(0.4, 1, 0.7),
        plugs=(0.4, 1, 0.7),
    ),
    'df': dict(
        size=(0.35, 0.7),
        lobes=(0.02, 0.1),
        soft=(0.12, 0.3),
        brown=(0.3, 0.8),
        hub=(-0.6, -0.1),
        vary=(0.05, 0.25),
        red=(0.15, 0.55),
        white=(0.55, 1, 0.9),
        network=(0.2, 0.55, 0.6),
    ),
    'mel': dict(
        size=(0.4, 0.95),
        lobes=(0.12, 0.35),
        soft=(0.03, 0.12),
        brown=(0.7, 1.7),
        hub=(-0.3, 0.6),
        vary=(0.35, 0.85),
        red=(0.1, 0.5),
        veil=(0.4, 1.3, 0.6),
        white=(0.3, 0.8, 0.35),
        network=(0.4, 0.9, 0.5),
        globules=(0.3, 0.8, 0.3),
    ),
    'nv': dict(
        size=(0.25, 0.72),
        lobes=(0, 0.13),
        soft=(0.04, 0.18),
        brown=(0.45, 1.5),
        hub=(-0.1, 0.6),
        vary=(0.08, 0.4),
        red=(0.1, 0.4),
        network=(0.2, 0.8, 0.55),
        globules=(0.3, 0.9, 0.3),
    ),
    'vasc': dict(
        size=(0.16, 0.5),
        lobes=(0.03, 0.2),
        soft=(0.02, 0.08),
        brown=(0, 0.2),
        vary=(0.1, 0.4),
        red=(1.2, 2.2),
        veil=(0.3, 1, 0.35),
        lacunae=(0.5, 1, 0.75),
    ),
}
_CRITERIA = sorted(set().union(*_RANGES.values()))
# Dots over the pigment: number, least and greatest diameter, colour.
_DOTS = {
    'nests': (9, 0.06, 0.2, (70, 72, 96)),
    'cysts': (22, 0.03, 0.07, (228, 208, 166)),
    'plugs': (16, 0.04, 0.1, (52, 34, 30)),
}
_MIXED = 0.12  # Fraction of lesions that mix two classes.


def _colour(*rgb: float) -> np.ndarray:
  # Channels come first: several times faster than interleaved ones.
  return np.array(rgb, np.float32)[:, None, None]


# Absorption per unit of density in red, green and blue.
_BROWN = _colour(0.48, 0.9, 1.1)
_RED = _colour(0.22, 0.95, 0.6)
_BLUE = _colour(1.0, 0.7, 0.45)


def photograph(
    code: int,
    lesion: np.random.Generator,
    view: np.random.Generator,
    size: tuple[int, int],
) -> Image.Image:
  """Paints an RGB photograph; see `Kind.paint`."""
  frame = drawing.view(view, size, view.uniform(0, 2 * math.pi), 0.1)
  own = _criteria(ham10000.CLASS_NAMES[code], lesion)
  picture = _lesion(own, lesion, frame)
  frame = drawing.Frame(*size)
  if view.random() < 0.4:
    along = view.uniform(0, 2 * math.pi)
    hairs = [
        (
            drawing.walk(
                view,
                view.uniform((-1.5, -1.1), (1.5, 1.1)),
                view.normal(along, 0.5),
                view.uniform(0.4, 1.6),
            ),
            view.uniform(0.008, 0.02),
        )
        for _ in range(view.integers(2, 18))
    ]
    picture = _blend(picture, frame.draw(hairs), (44, 30, 26))
  distance = np.hypot(*frame.grid())
  light = 1 - view.uniform(0, 0.16) * np.square(distance)
  if view.random() < 0.1:  # The dark rim of the lens.
    light *= drawing.step(view.uniform(1.15, 1.55) - distance, 0.05)
  picture *= light * _colour(*view.normal(1, 0.03, 3) * view.normal(1, 0.06))
  picture += view.uniform(0.5, 2.5) * view.standard_normal(
      distance.shape, dtype=np.float32
  )
  pixels = np.clip(picture + 0.5, 0, 255).astype(np.uint8)
  return Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))


def _criteria(dx: str, rng: np.random.Generator) -> dict[str, float]:
  """Draws the size and the strengths of one lesion."""
  other = rng.choice([name for name in _RANGES if name != dx])
  taken = rng.uniform(0.25, 0.65) * (rng.random() < _MIXED)
  drawn = dict.fromkeys(_CRITERIA, 0.0)
  for name in _CRITERIA:
    for source, part in ((dx, 1 - taken), (other, taken)):
      low, high, *chance = _RANGES[source].get(name, (0, 0))
      level, presence = rng.uniform(low, high), rng.random()
      drawn[name] += part * level * (presence < (chance or [1])[0])
  return drawn


def _lesion(
    own: dict[str, float], rng: np.random.Generator, frame: drawing.Frame
) -> np.ndarray:
  """Skin seen through pigment and blood; float32 [3, h, w] in 0..255."""
  x, y = frame.grid()
  size, stretch = own['size'], math.sqrt(rng.uniform(1, 1.6))
  radius = np.hypot(x / stretch, y * stretch) / size
  edge = frame.noise(rng, 1 / size) + 0.4 * frame.noise(rng, 6)
  mask = drawing.step(
      1 - radius + own['lobes'] * edge, 0.6 * own['soft'] / size
  )
  coarse = frame.noise(rng, 2.2)
  brown = np.exp(
      np.clip(own['vary'] * (coarse + 0.5 * frame.noise(rng, 6)), -2, 0.8)
  )
  brown += own['hub'] * (1 - np.minimum(radius, 1.5))
  if own['network']:
    brown *= 1 + own['network'] * np.clip(0.7 + 0.6 * coarse, 0, 1) * (
        1.6 * frame.net(rng, 9) - 0.6
    )
  if own['globules']:
    round_ = drawing.step(frame.cells(rng, 9) - 0.5, 0.1)
    brown *= 1 + own['globules'] * (2 * round_ - 0.4)
  red = own['red'] * np.exp(0.25 * coarse)
  if own['lacunae']:
    red *= 1.2 - own['lacunae'] * frame.net(rng, 4)
  if own['vessels']:
    for angle in rng.uniform(0, 2 * math.pi, 4):
      rim = size * np.array([math.cos(angle), math.sin(angle)])
      red += own['vessels'] * frame.draw(
          drawing.vessel(rng, rim, angle + math.pi, size)
      )
  blue = own['veil'] * np.clip(0.6 * frame.noise(rng, 1.8) + 0.1, 0, 1.2)
  skin = np.clip(
      _colour(*rng.normal((212, 165, 158), (10, 10, 12))) + rng.normal(0, 15),
      90,
      246,
  )
  mottle = 0.025 * frame.noise(rng, 4) + 0.02 * frame.noise(rng, 14)
  brown = own['brown'] * np.maximum(brown, 0.05)
  picture = skin * np.exp(
      -mottle * _RED - mask * (_BROWN * brown + _RED * red + _BLUE * blue)
  )
  if own['white']:  # In the middle, or anywhere if the lesion varies.
    stray = 1.2 * own['vary'] * frame.noise(rng, 1.8)
    scar = mask * drawing.step(0.5 - radius + stray, 0.12)
    picture = _blend(picture, own['white'] * scar, (236, 212, 214))
  if own['follicles']:
    pores = mask * drawing.step(frame.cells(rng, 7) - 0.4, 0.1)
    picture = _blend(picture, own['follicles'] * pores, (238, 214, 200))
  for name, (count, small, large, colour) in _DOTS.items():
    if own[name]:
      points = rng.normal(0, 0.4 * size, (count, 1, 2))
      widths = rng.uniform(small, large, count).tolist()
      dots = mask * frame.draw(zip(points, widths))
      picture = _blend(picture, own[name] * dots, colour)
  return picture


def _blend(
    picture: np.ndarray, cover: np.ndarray, colour: tuple[int, int, int]
) -> np.ndarray:
  return picture + 0.7 * cover * (_colour(*colour) - picture)
