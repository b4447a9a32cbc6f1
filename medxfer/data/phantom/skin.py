"""A lesion's recipe painted as light through skin.

Colour comes from absorption: the skin's reflectance times the transmittance
of brown, red and deep blue pigment (Beer-Lambert, three channels). Scar,
scale and keratin lie on top. `paint` is a function of the recipe, the
lesion's generator and the frame only, so views of a lesion agree.
"""

import math

import numpy as np

from medxfer.data.phantom import fields
from medxfer.data.phantom import recipes

# Absorption per unit of density in red, green, blue. Planes come first here:
# numpy is several times faster on them than on interleaved channels.
_BROWN = np.array([[[0.42]], [[0.95]], [[1.2]]], np.float32)
_RED = np.array([[[0.28]], [[1.0]], [[0.55]]], np.float32)
_DEEP = np.array([[[0.95]], [[0.7]], [[0.5]]], np.float32)

# Steps of one turn around the outline.
_TURN = 720

_SCAR = (238, 214, 218)
_SCALE = (240, 232, 218)
_KERATIN = (226, 205, 160)
_PLUG = (52, 34, 30)
_CLOT = (26, 12, 20)
_BLOOD = (120, 14, 26)


def paint(
    recipe: recipes.Recipe, rng: np.random.Generator, frame: fields.Frame
) -> np.ndarray:
  """Paints a lesion on skin.

  Args:
    recipe: the lesion's numbers.
    rng: the lesion's generator; the same state paints the same lesion.
    frame: where to look.

  Returns:
    float32 [3, height, width] in 0..255, not clipped.
  """
  skin = _background(rng, frame)
  mask, radius = _outline(recipe, rng, frame)
  brown = _pigment(recipe, rng, frame, mask, radius)
  red = _blood(recipe, rng, frame, mask)
  deep = _deep(recipe, rng, frame, mask)
  picture = skin * np.exp(-(brown * _BROWN + red * _RED + deep * _DEEP))
  return _surface(recipe, rng, frame, mask, picture)


def _background(
    rng: np.random.Generator, frame: fields.Frame
) -> np.ndarray:
  """Skin without the lesion: tone, mottling, faint flush; [3, h, w]."""
  light = rng.normal(0, 18)
  tone = np.array([204, 156, 157]) + light + rng.normal(0, (10, 9, 11))
  tone = np.clip(tone, 90, 246).astype(np.float32)[:, None, None]
  mottle = fields.noise(rng, frame, 2.5) * np.float32(rng.uniform(0.01, 0.04))
  fine = fields.noise(rng, frame, 14) * np.float32(rng.uniform(0.008, 0.03))
  rosy = fields.noise(rng, frame, 5) * np.float32(rng.uniform(0.01, 0.05))
  return tone * np.exp(-(mottle + fine) - np.maximum(rosy, 0) * _RED)


def _outline(
    recipe: recipes.Recipe, rng: np.random.Generator, frame: fields.Frame
) -> tuple[np.ndarray, np.ndarray]:
  """Returns the mask in 0..1 and the radius relative to the outline."""
  x, y = frame.grid()
  turn = rng.uniform(0, 2 * np.pi)
  # math, not numpy: its scalars would make float64 of everything.
  cosine, sine = math.cos(turn), math.sin(turn)
  along, across = cosine * x + sine * y, cosine * y - sine * x
  long = math.sqrt(1 + recipe.stretch)
  along, across = along / long, across * long
  angle = np.arctan2(across, along)
  # A table of the outline: a cosine for every pixel would be slow.
  around = np.linspace(0, 2 * np.pi, _TURN, endpoint=False)
  table = np.ones(_TURN)
  for wave in (2, 3, 4, 5, 7):
    depth = recipe.lobes * rng.normal(0, 1.3) / wave
    table += depth * np.cos(wave * around + rng.uniform(0, 2 * np.pi))
  turns = (angle * np.float32(_TURN / (2 * np.pi))).astype(np.int32) % _TURN
  edge = table.astype(np.float32)[turns]
  ragged = fields.noise(rng, frame, 4) + 0.8 * fields.noise(rng, frame, 12)
  edge = np.maximum(edge + 0.5 * recipe.rough * ragged, 0.35)
  radius = np.hypot(along, across) / (recipe.size * edge)
  steep = recipe.size / max(recipe.soft, 0.01) * 1.6
  return 1 / (1 + np.exp(np.clip(steep * (radius - 1), -30, 30))), radius


def _pigment(
    recipe: recipes.Recipe, rng: np.random.Generator, frame: fields.Frame,
    mask: np.ndarray, radius: np.ndarray,
) -> np.ndarray:
  """Optical density of melanin: ground, network, globules, streaks, ridges."""
  coarse, middle = fields.noise(rng, frame, 2.2), fields.noise(rng, frame, 6)
  fine = fields.noise(rng, frame, 16)
  uneven = recipe.variegate * (coarse + 0.5 * middle) + 0.08 * fine
  ground = np.exp(np.clip(uneven, -2, 1.1))
  ground += recipe.hub * (1 - np.minimum(radius, 1.5))
  density = recipe.melanin * np.maximum(ground, 0.05) * mask
  # The draws happen whether a cue is there or not: a lesion's later fields
  # must not move when a range changes.
  mesh, fill = rng.spawn(2)
  if recipe.network > 0.02:
    first, second = fields.cells(mesh, frame, 12)
    lines = np.exp(-np.square((second - first) / 0.18))
    patchy = np.clip(0.6 + 0.6 * coarse, 0, 1)
    density *= 1 + recipe.network * patchy * (1.3 * lines - 0.45)
  if recipe.globules > 0.02:
    first, _ = fields.cells(fill, frame, 7)
    round_ = 1 / (1 + np.exp((first - 0.32) * 18))
    density *= 1 + recipe.globules * (1.5 * round_ - 0.45)
  rays, whorl = rng.spawn(2)
  if recipe.streaks > 0.02:
    density += (
        recipe.streaks * recipe.melanin * _streaks(rays, radius, frame)
    )
  if recipe.ridges > 0.02:
    warp = 0.1 * coarse + 0.05 * middle
    wave = np.sin(whorl.uniform(38, 60) * (frame.grid()[0] + warp))
    density *= 1 + 0.4 * recipe.ridges * wave
  return np.maximum(density, 0)


def _streaks(
    rng: np.random.Generator, radius: np.ndarray, frame: fields.Frame
) -> np.ndarray:
  """Radial fingers just outside the outline."""
  x, y = frame.grid()
  count, phase = int(rng.integers(14, 26)), rng.uniform(0, 2 * np.pi)
  side = rng.uniform(0, 2 * np.pi)
  angle = np.arctan2(y, x)
  fingers = np.maximum(np.cos(count * angle + phase), 0)
  ring = np.exp(-np.square((radius - 1.05) / 0.16))
  return fingers * ring * np.clip(0.4 + np.cos(angle - side), 0, 1)


def _blood(
    recipe: recipes.Recipe, rng: np.random.Generator, frame: fields.Frame,
    mask: np.ndarray,
) -> np.ndarray:
  """Optical density of blood: flush, vessels and lacunae."""
  patches = fields.noise(rng, frame, 3)
  density = recipe.haem * mask * np.exp(0.25 * patches)
  tree, lake = rng.spawn(2)
  if recipe.vessels > 0.02:
    density += 0.9 * recipe.vessels * mask * _vessels(tree, recipe, frame)
  if recipe.lacunae > 0.02:
    first, second = fields.cells(lake, frame, 5.5)
    walls = np.exp(-np.square((second - first) / 0.22))
    density *= 1 - recipe.lacunae * (0.75 * walls - 0.2)
  return density


def _vessels(
    rng: np.random.Generator, recipe: recipes.Recipe, frame: fields.Frame
) -> np.ndarray:
  """Branching, tapering red lines from the rim inwards."""
  lines, widths = [], []
  for _ in range(rng.integers(3, 6)):
    start = rng.uniform(0, 2 * np.pi)
    point = recipe.size * np.array([np.cos(start), np.sin(start)])
    heading = start + np.pi + rng.normal(0, 0.5)
    trunk = _walk(rng, point, heading, recipe.size)
    lines.append(trunk)
    widths.append(0.026)
    for knot in rng.integers(2, len(trunk) - 1, 3):
      bend = heading + rng.choice((-1, 1)) * rng.uniform(0.5, 1.1)
      lines.append(_walk(rng, trunk[knot], bend, recipe.size * 0.5))
      widths.append(0.012)
  return fields.strokes(frame, lines, widths)


def _walk(
    rng: np.random.Generator, start: np.ndarray, heading: float, length: float
) -> np.ndarray:
  """A wandering line, float64 [9, 2]."""
  turns = heading + np.cumsum(rng.normal(0, 0.28, 8))
  steps = np.stack([np.cos(turns), np.sin(turns)], axis=1) * length / 8
  return np.concatenate([start[None], start + np.cumsum(steps, axis=0)])


def _deep(
    recipe: recipes.Recipe, rng: np.random.Generator, frame: fields.Frame,
    mask: np.ndarray,
) -> np.ndarray:
  """Optical density of deep pigment: veil and ovoid nests."""
  veil = np.clip(0.55 * fields.noise(rng, frame, 1.8) + 0.1, 0, 1.2)
  density = recipe.blue * veil * mask
  count = rng.integers(5, 12)
  points = fields.scatter(rng, count, 0.8 * max(recipe.size, 0.1))
  radii = rng.uniform(0.03, 0.1, count)
  if recipe.nests > 0.02:
    smear = 1 + 0.25 * fields.noise(rng.spawn(1)[0], frame, 7)
    density += 1.1 * recipe.nests * smear * fields.dots(frame, points, radii)
  return np.maximum(density, 0)


def _surface(
    recipe: recipes.Recipe, rng: np.random.Generator, frame: fields.Frame,
    mask: np.ndarray, picture: np.ndarray,
) -> np.ndarray:
  """Lays scar, keratin, scale, clot and ulcer over the picture."""
  scar, horn, flake, clot, hole = rng.spawn(5)
  if recipe.white > 0.02:
    cover = recipe.white * mask * _scar(recipe, scar, frame)
    picture = _over(picture, 0.75 * cover, _SCAR)
  for strength, count, low, high, colour in (
      (recipe.cysts, (12, 30), 0.012, 0.035, _KERATIN),
      (recipe.crypts, (8, 22), 0.018, 0.05, _PLUG),
  ):
    number = horn.integers(*count)
    points = fields.scatter(horn, number, 0.9 * recipe.size)
    radii = horn.uniform(low, high, number)
    if strength > 0.02:
      spots = fields.dots(frame, points, radii)
      picture = _over(picture, 0.7 * strength * mask * spots, colour)
  if recipe.follicles > 0.02:
    first, _ = fields.cells(flake, frame, 5)
    spots = 1 / (1 + np.exp((first - 0.3) * 14))
    picture = _over(picture, 0.5 * recipe.follicles * mask * spots, _SCAR)
  if recipe.scale > 0.02:
    flakes = fields.noise(flake, frame, 9) + fields.noise(flake, frame, 20)
    cover = np.clip(0.5 * flakes - 0.35, 0, 0.7) * recipe.scale * mask
    picture = _over(picture, 0.85 * cover, _SCALE)
  if recipe.clot > 0.02:
    part = np.clip(3 * fields.noise(clot, frame, 1.5) + 0.5, 0, 1)
    picture = _over(picture, 0.9 * recipe.clot * mask * part, _CLOT)
  if recipe.ulcer > 0.02:
    point = fields.scatter(hole, 1, 0.5 * recipe.size)
    radii = hole.uniform(0.05, 0.12, 1)
    spot = fields.dots(frame, point, radii)
    picture = _over(picture, 0.85 * recipe.ulcer * spot, _BLOOD)
  return picture


def _scar(
    recipe: recipes.Recipe, rng: np.random.Generator, frame: fields.Frame
) -> np.ndarray:
  """A pale patch, 0..1: central and even, or off centre when variegated."""
  x, y = frame.grid()
  stray = recipe.size * min(1, 1.5 * recipe.variegate)
  right, down = rng.normal(0, 0.6 * stray, 2).tolist()
  reach = recipe.size * rng.uniform(0.35, 0.6)
  distance = np.hypot(x - right, y - down) / reach
  wavy = distance + 0.2 * fields.noise(rng, frame, 6)
  return 1 / (1 + np.exp(np.clip((wavy - 1) * 4, -30, 30)))


def _over(
    picture: np.ndarray, cover: np.ndarray, colour: tuple[int, int, int]
) -> np.ndarray:
  """Blends an opaque colour over the picture where `cover` says."""
  ink = np.array(colour, np.float32)[:, None, None]
  return picture + np.clip(cover, 0, 1) * (ink - picture)
