"""A child's thorax, painted as how much it weakens X-rays.

Tissues are thicknesses that add up: muscle, heart, spine and ribs weaken the
beam, lungs and trachea are holes in them. Coordinates are those of `fields`:
the origin is the middle of the chest, one unit is half the image's height, y
runs down, and the patient's left is on the right. `paint` is a function of
the anatomy, the person's generator and the frame only, so views of a person
agree.
"""

import dataclasses
import math

import numpy as np

from medxfer.data.phantom import fields

_RIBS = 10
_SPINE = 0.085  # Half the width of a vertebra.
_ROUND = 2.3  # Of the cage's outline; 2 would be an ellipse.


@dataclasses.dataclass(frozen=True)
class Anatomy:
  """What makes one chest differ from another, in units.

  Attributes:
    width: half the width of the rib cage.
    height: half its height.
    middle: y of its widest place.
    domes: y of the top of the diaphragm, right and left side of the patient.
    heart: half the width of the heart.
    lean: how far the spine bends sideways.
    muscle: thickness of soft tissue; the lungs take 0.6.
    bones: how far bones stand out.
    vessels: how far the vessels of the lungs stand out.
  """

  width: float
  height: float
  middle: float
  domes: tuple[float, float]
  heart: float
  lean: float
  muscle: float
  bones: float
  vessels: float


def draw(rng: np.random.Generator) -> Anatomy:
  """Draws a person; health is none of it."""
  width = rng.uniform(0.8, 0.98)
  dome = rng.uniform(0.34, 0.56)
  return Anatomy(
      width=width,
      height=rng.uniform(0.92, 1.02),
      middle=rng.uniform(0.14, 0.22),
      domes=(dome, dome + rng.uniform(0, 0.1)),
      heart=width * rng.uniform(0.36, 0.48),
      lean=rng.normal(0, 0.03),
      muscle=rng.uniform(0.85, 1.2),
      bones=rng.uniform(0.7, 1.2),
      vessels=rng.uniform(0.5, 1.3),
  )


def paint(
    anatomy: Anatomy, rng: np.random.Generator, frame: fields.Frame
) -> tuple[np.ndarray, np.ndarray]:
  """Paints a chest with clear lungs.

  Args:
    anatomy: the person's numbers.
    rng: the person's generator; the same state paints the same person.
    frame: where to look.

  Returns:
    The thickness, float32 [height, width], 0 in air and about 1 in muscle;
    and where lung is, in 0..1, of the same shape.
  """
  x, y = frame.grid()
  x = x - anatomy.lean * np.cos(1.6 * y)
  lungs = _lungs(anatomy, x, y)
  body = _body(anatomy, rng, frame, x, y)
  thickness = body - 0.6 * lungs * np.sqrt(np.clip(body, 0, 1))
  thickness += _middle(anatomy, x, y)
  thickness += _belly(anatomy, rng, x, y)
  thickness += anatomy.bones * _bones(anatomy, rng, frame)
  tree = _vessels(anatomy, rng, frame)
  thickness += 0.09 * anatomy.vessels * tree * lungs
  mottle = fields.noise(rng, frame, 5) + 0.6 * fields.noise(rng, frame, 14)
  return thickness * (1 + 0.02 * mottle), lungs


def _step(values: np.ndarray, soft: float) -> np.ndarray:
  """Rises from 0 to 1 where `values` crosses 0, over about 4 * `soft`."""
  return 1 / (1 + np.exp(np.clip(-values / soft, -30, 30)))


def _cage(anatomy: Anatomy, x: np.ndarray, y: np.ndarray) -> np.ndarray:
  """Distance from the middle of the rib cage; 1 is its wall."""
  across = np.abs(x) * _taper(anatomy, y) / anatomy.width
  along = np.abs(y - anatomy.middle) / anatomy.height
  return (across ** _ROUND + along ** _ROUND) ** (1 / _ROUND)


def _taper(
    anatomy: Anatomy, y: np.ndarray | float
) -> np.ndarray | float:
  """How much narrower the cage is above its widest place: it is a bell."""
  return 1 + 0.28 * np.maximum(anatomy.middle - y, 0)


def _floor(anatomy: Anatomy, x: np.ndarray) -> np.ndarray:
  """y of the diaphragm: two domes that fall off towards the sides."""
  right, left = np.array(anatomy.domes, np.float32)
  beside = np.abs(x) / anatomy.width - 0.45
  return np.where(x < 0, right, left) + 0.75 * np.square(beside)


def _lungs(anatomy: Anatomy, x: np.ndarray, y: np.ndarray) -> np.ndarray:
  """Where lung is, in 0..1, behind the heart only a little."""
  wall = _step(0.94 - _cage(anatomy, x, y), 0.018)
  floor = _step(_floor(anatomy, x) - y, 0.016)
  # The mediastinum widens downwards; the apex of a lung leans on it.
  beside = _step(np.abs(x) - 0.17 - 0.05 * _step(y, 0.2), 0.018)
  heart = _step(_heart(anatomy, x, y) - 1, 0.06)
  return wall * floor * beside * (0.15 + 0.85 * heart)


def _heart(anatomy: Anatomy, x: np.ndarray, y: np.ndarray) -> np.ndarray:
  """Distance from the middle of the heart; 1 is its wall."""
  bottom = anatomy.domes[1]
  left, down = x - 0.32 * anatomy.heart, y - bottom + 0.2
  # The apex points to the patient's left and down; above, the heart narrows
  # towards the great vessels.
  along, across = 0.8 * left + 0.6 * down, 0.8 * down - 0.6 * left
  narrow = 1 + 0.35 * np.maximum(-down, 0)
  return narrow * np.hypot(along / (1.2 * anatomy.heart),
                           across / (0.88 * anatomy.heart))


def _body(
    anatomy: Anatomy, rng: np.random.Generator, frame: fields.Frame,
    x: np.ndarray, y: np.ndarray,
) -> np.ndarray:
  """Muscle and fat: trunk, shoulders, neck and, in some, the chin."""
  trunk = 1.02 * anatomy.width + rng.uniform(0.06, 0.14)
  shoulders = rng.uniform(0.2, 0.6)
  slope = rng.uniform(-0.68, -0.5)
  half = trunk + shoulders * _step(slope - y, 0.07)
  neck = rng.uniform(0.32, 0.42)
  half = half + (neck - half) * _step(rng.uniform(-1.02, -0.92) - y, 0.03)
  body = np.sqrt(np.clip(1 - np.square(x / half), 0, 1))
  body = np.minimum(1.25 * body, 1)
  chin = np.hypot(x / 0.5, (y + rng.uniform(1.15, 1.4)) / 0.35)
  head = 0.7 * np.sqrt(np.clip(1 - np.square(chin), 0, 1))
  # Skin folds and the shoulder blades.
  folds = 0.03 * fields.noise(rng, frame, 2)
  blade = np.exp(-np.square((np.abs(x) - 0.9 * anatomy.width) / 0.16)
                 - np.square((y + 0.42) / 0.3))
  return anatomy.muscle * (body * (1 + folds) + 0.14 * blade * body) + head


def _middle(anatomy: Anatomy, x: np.ndarray, y: np.ndarray) -> np.ndarray:
  """Heart, great vessels, spine and trachea."""
  ball = np.clip(1.08 - np.square(_heart(anatomy, x, y)), 0, 1)
  # Below the diaphragm the liver hides it.
  heart = 0.2 * ball * _step(_floor(anatomy, x) + 0.08 - y, 0.03)
  vessels = 0.2 * np.exp(-np.square(x / 0.16)) * _step(0.3 - y, 0.1)
  arch = 0.12 * np.exp(-np.square((x - 0.13) / 0.09)
                       - np.square((y + 0.3) / 0.12))
  discs = 1 + 0.3 * np.sin((y + 1) * (2 * math.pi / 0.155))
  spine = 0.22 * _step(_SPINE - np.abs(x), 0.012) * discs
  trachea = 0.16 * np.exp(-np.square(x / 0.045)) * _step(-0.28 - y, 0.05)
  return heart + vessels + arch + anatomy.bones * spine - trachea


def _belly(
    anatomy: Anatomy, rng: np.random.Generator, x: np.ndarray, y: np.ndarray
) -> np.ndarray:
  """Liver and spleen below the diaphragm, and the stomach's bubble of air."""
  inside = _step(0.99 - _cage(anatomy, x, y), 0.03)
  organs = 0.3 * _step(y - _floor(anatomy, x), 0.02) * (0.35 + 0.65 * inside)
  right, down = rng.uniform(0.25, 0.5), rng.uniform(0.1, 0.25)
  wide, high = rng.uniform(0.1, 0.25), rng.uniform(0.06, 0.13)
  bubble = np.hypot((x - right) / wide, (y - anatomy.domes[1] - down) / high)
  air = rng.uniform(0, 0.3) * _step(1 - bubble, 0.12)
  return organs - air * _step(y - _floor(anatomy, x) - 0.04, 0.02)


def _bones(
    anatomy: Anatomy, rng: np.random.Generator, frame: fields.Frame
) -> np.ndarray:
  """Ribs, collar bones and upper arms; rims are brighter than marrow."""
  backs, fronts, arms = [], [], []
  pitch = 1.5 * anatomy.height / _RIBS
  drop, bow = rng.uniform(0.16, 0.3), rng.uniform(0.02, 0.06)
  lift = rng.normal(0, 0.02)
  for side in (-1, 1):
    for number in range(_RIBS):
      start = anatomy.middle - 0.86 * anatomy.height + number * pitch
      back, front = _rib(anatomy, side, start, drop, bow)
      backs.append(back)
      fronts.append(front)
    turn = rng.normal(0, 0.04) + lift
    collar = np.array([[0.1, -0.62], [0.3, -0.68 + turn], [0.55, -0.7 + turn],
                       [0.85, -0.82 + 2 * turn]]) * (side, 1)
    arm = np.array([[1.05, -0.8], [2 + turn, 0.2 + 9 * lift]]) * (side, 1)
    arms += [collar, arm]
  wide = rng.uniform(0.055, 0.075)
  return (
      0.18 * _tubes(frame, backs, [wide] * len(backs))
      + 0.06 * _tubes(frame, fronts, [1.1 * wide] * len(fronts))
      + 0.2 * _tubes(frame, arms, [0.06, 0.14] * 2)
  )


def _rib(
    anatomy: Anatomy, side: int, start: float, drop: float, bow: float
) -> tuple[np.ndarray, np.ndarray]:
  """A rib from the spine to the wall, and on to the front; [n, 2] each."""
  turn = np.linspace(0, math.pi / 2, 16)
  low = start + drop
  # Where the wall of the cage is at the rib's turn.
  along = min(abs(low - anatomy.middle) / anatomy.height, 0.97)
  reach = anatomy.width * (1 - along ** _ROUND) ** (1 / _ROUND)
  reach /= _taper(anatomy, low)
  x = _SPINE + (reach - _SPINE) * np.sin(turn)
  y = start - bow * np.sin(2 * turn) + drop * (1 - np.cos(turn)) ** 1.4
  share = np.linspace(0, 1, 10)
  front_x = reach - (reach - 0.3) * share ** 1.3
  front_y = low + 0.3 * np.sin(share * math.pi / 2) ** 1.2
  return (np.stack([side * x, y], axis=1),
          np.stack([side * front_x, front_y], axis=1))


def _tubes(
    frame: fields.Frame, lines: list[np.ndarray], widths: list[float]
) -> np.ndarray:
  """Bones from the side: a rim of 1 around marrow of about a half."""
  marrow = [0.55 * width for width in widths]
  return (fields.strokes(frame, lines, widths)
          - 0.45 * fields.strokes(frame, lines, marrow))


def _vessels(
    anatomy: Anatomy, rng: np.random.Generator, frame: fields.Frame
) -> np.ndarray:
  """Vessels that branch from the roots of the lungs, thinner outwards."""
  lines, widths = [], []
  for side in (-1, 1):
    for heading in np.linspace(-1.2, 1.2, 7) + rng.normal(0, 0.15, 7):
      point = np.array([0.19, -0.02]) + rng.normal(0, 0.03, 2)
      length = rng.uniform(0.3, 0.6) * anatomy.width
      trunk = _branch(rng, point, heading, length)
      twigs = [_branch(rng, trunk[4], heading + bend, 0.55 * length)
               for bend in (-0.5, 0.5)]
      lines += [line * (side, 1) for line in (trunk, *twigs)]
      widths += [0.03, 0.016, 0.016]
  return fields.strokes(frame, lines, widths)


def _branch(
    rng: np.random.Generator, start: np.ndarray, heading: float, length: float
) -> np.ndarray:
  """A slightly bent line, float64 [7, 2]."""
  turns = heading + np.cumsum(rng.normal(0, 0.12, 6))
  steps = np.stack([np.cos(turns), np.sin(turns)], axis=1) * length / 6
  return np.concatenate([start[None], start + np.cumsum(steps, axis=0)])
