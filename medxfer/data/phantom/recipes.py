"""What each diagnosis looks like, as ranges of numbers.

The cues follow the dermatoscopic criteria that HAM10000's paper names for its
classes (Tschandl, Rosendahl and Kittler, Scientific Data 5, 180161, 2018).
Ranges overlap, a cue may be absent and some lesions borrow from another
class, so that a classifier of phantoms is right often but not always.
"""

from collections.abc import Mapping
import dataclasses
import types

import numpy as np

# Share of HAM10000's images, in its alphabetical order of classes.
SHARES: Mapping[str, float] = types.MappingProxyType({
    'akiec': 0.0327,
    'bcc': 0.0513,
    'bkl': 0.1097,
    'df': 0.0115,
    'mel': 0.1111,
    'nv': 0.6695,
    'vasc': 0.0142,
})
CLASSES: tuple[str, ...] = tuple(SHARES)

# Share of lesions that borrow from another class, and how much they take.
_BORROWERS = 0.18
_BORROWED = (0.25, 0.65)


@dataclasses.dataclass(frozen=True)
class Recipe:
  """One lesion. Lengths in half image heights, the rest are strengths.

  Attributes:
    size: mean radius.
    stretch: long over short axis, less one.
    lobes: depth of the outline's slow waves.
    rough: depth of the outline's fine noise.
    soft: width of the border.
    melanin: optical density of brown pigment.
    hub: how much darker the centre is than the rim (may be negative).
    variegate: unevenness of the pigment.
    haem: optical density of blood.
    blue: optical density of deep pigment, in patches.
    white: scar or regression, in the middle when `variegate` is low.
    network: pigment network.
    globules: brown globules.
    streaks: radial streaks at the rim.
    cysts: pale milia-like cysts.
    crypts: dark comedo-like openings.
    ridges: fingerprint-like ridges.
    vessels: arborising vessels.
    nests: blue-grey ovoid nests.
    ulcer: a small bleeding ulcer.
    scale: white to yellow scale.
    follicles: pale follicles on red ('strawberry').
    lacunae: red to purple lacunae.
    clot: black thrombosed parts.
  """

  size: float = 0.0
  stretch: float = 0.0
  lobes: float = 0.0
  rough: float = 0.0
  soft: float = 0.0
  melanin: float = 0.0
  hub: float = 0.0
  variegate: float = 0.0
  haem: float = 0.0
  blue: float = 0.0
  white: float = 0.0
  network: float = 0.0
  globules: float = 0.0
  streaks: float = 0.0
  cysts: float = 0.0
  crypts: float = 0.0
  ridges: float = 0.0
  vessels: float = 0.0
  nests: float = 0.0
  ulcer: float = 0.0
  scale: float = 0.0
  follicles: float = 0.0
  lacunae: float = 0.0
  clot: float = 0.0


_FIELDS = tuple(field.name for field in dataclasses.fields(Recipe))

# Class -> field -> (low, high) or (low, high, probability of being there).
_RANGES: Mapping[str, Mapping[str, tuple[float, ...]]] = {
    'akiec': dict(
        size=(0.45, 1.0), stretch=(0, 0.5), lobes=(0.08, 0.25),
        rough=(0.1, 0.28), soft=(0.1, 0.28), melanin=(0.05, 0.5),
        variegate=(0.3, 0.8), haem=(0.35, 0.9), white=(0.1, 0.4, 0.3),
        scale=(0.4, 1.0, 0.7), follicles=(0.4, 1.0, 0.55),
        vessels=(0.2, 0.5, 0.2), crypts=(0.1, 0.4, 0.15),
    ),
    'bcc': dict(
        size=(0.3, 0.85), stretch=(0, 0.6), lobes=(0.05, 0.2),
        rough=(0.05, 0.2), soft=(0.06, 0.2), melanin=(0.05, 0.4),
        variegate=(0.2, 0.6), haem=(0.2, 0.6), blue=(0.1, 0.4, 0.3),
        white=(0.2, 0.5, 0.4), vessels=(0.5, 1.0, 0.8),
        nests=(0.5, 1.0, 0.65), ulcer=(0.5, 1.0, 0.35),
        scale=(0.2, 0.5, 0.2),
    ),
    'bkl': dict(
        size=(0.35, 0.9), stretch=(0, 0.7), lobes=(0.08, 0.25),
        rough=(0.06, 0.2), soft=(0.015, 0.06), melanin=(0.35, 1.1),
        hub=(-0.3, 0.2), variegate=(0.15, 0.45), haem=(0, 0.25),
        blue=(0.05, 0.35), cysts=(0.4, 1.0, 0.6), crypts=(0.4, 1.0, 0.6),
        ridges=(0.4, 0.9, 0.5), scale=(0.2, 0.5, 0.2),
        network=(0.2, 0.5, 0.2),
    ),
    'df': dict(
        size=(0.35, 0.7), stretch=(0, 0.3), lobes=(0.02, 0.1),
        rough=(0.04, 0.12), soft=(0.12, 0.3), melanin=(0.3, 0.8),
        hub=(-0.6, -0.1), variegate=(0.05, 0.25), haem=(0.15, 0.55),
        white=(0.55, 1.0, 0.9), network=(0.2, 0.55, 0.6),
        vessels=(0.2, 0.4, 0.2),
    ),
    'mel': dict(
        size=(0.4, 0.95), stretch=(0, 0.8), lobes=(0.1, 0.3),
        rough=(0.08, 0.25), soft=(0.02, 0.1), melanin=(0.8, 2.1),
        hub=(-0.3, 0.6), variegate=(0.35, 0.85), haem=(0.15, 0.6),
        blue=(0.4, 1.3, 0.6), white=(0.3, 0.8, 0.35),
        network=(0.4, 0.9, 0.5), globules=(0.3, 0.8, 0.3),
        streaks=(0.4, 1.0, 0.4), crypts=(0.2, 0.5, 0.15),
    ),
    'nv': dict(
        size=(0.25, 0.72), stretch=(0, 0.5), lobes=(0, 0.13),
        rough=(0.02, 0.12), soft=(0.03, 0.16), melanin=(0.45, 1.7),
        hub=(-0.1, 0.6), variegate=(0.08, 0.4), haem=(0.1, 0.5),
        blue=(0.1, 0.5, 0.12), network=(0.2, 0.8, 0.55),
        globules=(0.3, 0.9, 0.3), white=(0.1, 0.3, 0.06),
    ),
    'vasc': dict(
        size=(0.16, 0.5), stretch=(0, 0.4), lobes=(0.02, 0.14),
        rough=(0.01, 0.08), soft=(0.012, 0.06), melanin=(0, 0.2),
        variegate=(0.1, 0.4), haem=(1.3, 2.6), blue=(0.3, 1.2, 0.35),
        lacunae=(0.5, 1.0, 0.75), clot=(0.5, 1.0, 0.25),
        scale=(0.1, 0.4, 0.1),
    ),
}


def draw(dx: str, rng: np.random.Generator) -> Recipe:
  """Draws one lesion of a class.

  Args:
    dx: one of `CLASSES`.
    rng: decides everything; always advanced by the same number of draws.

  Returns:
    The lesion's numbers.
  """
  own, other = _values(dx, rng), _values(_other(dx, rng), rng)
  taken = rng.uniform(*_BORROWED)
  if rng.random() >= _BORROWERS:
    taken = 0.0
  mixed = (1 - taken) * own + taken * other
  return Recipe(**dict(zip(_FIELDS, mixed.tolist(), strict=True)))


def _other(dx: str, rng: np.random.Generator) -> str:
  """Another class, frequent ones more often, as confusions in life are."""
  names = [name for name in CLASSES if name != dx]
  weights = np.sqrt([SHARES[name] for name in names])
  return names[rng.choice(len(names), p=weights / weights.sum())]


def _values(dx: str, rng: np.random.Generator) -> np.ndarray:
  """One draw of every field, float64 [fields]."""
  values = np.zeros(len(_FIELDS))
  for index, name in enumerate(_FIELDS):
    level, chance = rng.random(2)
    low, high, *there = _RANGES[dx].get(name, (0.0, 0.0))
    if chance < (there[0] if there else 1.0):
      values[index] = low + level * (high - low)
  return values
