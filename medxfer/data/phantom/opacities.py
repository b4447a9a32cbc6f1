"""What pneumonia adds to a lung, as thickness.

Bacteria mostly fill one lobe: a dense patch with a soft edge, in which the
airways stand out as dark lines. Viruses mostly thicken the tissue between
airways everywhere: a haze of fine lines in both lungs, densest at the roots.
Kermany et al. (Cell 172, 1122-1131, 2018), figure S6.
"""

import numpy as np

from medxfer.data.phantom import fields
from medxfer.data.phantom import thorax


def paint(
    kind: str, anatomy: thorax.Anatomy, rng: np.random.Generator,
    frame: fields.Frame,
) -> np.ndarray:
  """Paints what a kind of illness adds where there is lung.

  Args:
    kind: 'normal', 'bacteria' or 'virus'.
    anatomy: the person's numbers.
    rng: the person's generator; the same state paints the same illness.
    frame: where to look.

  Returns:
    float32 [height, width], 0 where the lung is clear.
  """
  return {'normal': _clear, 'bacteria': _lobar, 'virus': _interstitial}[kind](
      anatomy, rng, frame)


def _clear(
    anatomy: thorax.Anatomy, rng: np.random.Generator, frame: fields.Frame
) -> np.ndarray:
  del anatomy, rng
  return np.zeros((frame.height, frame.width), np.float32)


def _lobar(
    anatomy: thorax.Anatomy, rng: np.random.Generator, frame: fields.Frame
) -> np.ndarray:
  """One patch, or two."""
  x, y = frame.grid()
  total = _clear(anatomy, rng, frame)
  for _ in range(1 + (rng.random() < 0.3)):
    side = rng.choice((-1, 1)).item()
    middle = side * anatomy.width * rng.uniform(0.4, 0.72)
    level = rng.uniform(-0.45, anatomy.domes[0] - 0.12)
    wide, high = rng.uniform(0.16, 0.34), rng.uniform(0.16, 0.36)
    distance = np.hypot((x - middle) / wide, (y - level) / high)
    ragged = fields.noise(rng, frame, 4) + 0.5 * fields.noise(rng, frame, 10)
    edge = (distance + 0.22 * ragged - 1) * rng.uniform(3, 7)
    patch = 1 / (1 + np.exp(np.clip(edge, -30, 30)))
    root = np.array([side * 0.2, 0.0])
    ways = [np.linspace(root, (middle, level) + rng.normal(0, 0.2, 2), 6)
            for _ in range(4)]
    air = fields.strokes(frame, ways, [0.022] * 4)
    total += rng.uniform(0.22, 0.5) * patch * (1 - 0.3 * air)
  return total


def _interstitial(
    anatomy: thorax.Anatomy, rng: np.random.Generator, frame: fields.Frame
) -> np.ndarray:
  """A net of lines, soft patches and haze, denser at the roots."""
  x, y = frame.grid()
  beside = (np.abs(x) - 0.25) / (0.55 * anatomy.width)
  near = np.exp(-np.square(beside) - np.square((y - 0.05) / 0.5))
  first, second = fields.cells(rng, frame, rng.uniform(6, 9))
  net = np.exp(-np.square((second - first) / 0.2))
  patches = np.clip(0.5 + fields.noise(rng, frame, 5), 0, 2)
  fine = np.maximum(fields.noise(rng, frame, 16), 0)
  texture = 0.25 * net + 0.5 * patches + 0.3 * fine
  return rng.uniform(0.14, 0.34) * (0.35 + 0.8 * near) * texture
