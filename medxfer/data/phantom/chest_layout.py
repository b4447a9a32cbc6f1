"""The folders and names of the chest X-rays, filled with phantoms.

Everything follows from (seed, images, size). What person number k of a kind
looks like depends on the seed and k alone, not on how many are asked for.
"""

import dataclasses
import pathlib

import numpy as np
from PIL import Image

from medxfer.data import chest_xray
from medxfer.data.phantom import fields
from medxfer.data.phantom import film
from medxfer.data.phantom import opacities
from medxfer.data.phantom import thorax
from medxfer.data.phantom import writing

# Raise it whenever the same arguments give other bytes.
VERSION = 1

# Every so many persons of a kind one is published as test: a tenth, as in the
# real data. The first is, so that no kind lacks one.
_TEST = 10
# That one and five more: the fewest that also put a person of each class on
# every side of a split of train alone.
_FEWEST_PERSONS = 6
_JPEG_QUALITY = 92
_RGB = 0.05  # Share of images with three equal channels.
# The real images by kind, and the persons with 1, 2, ... of them.
_SHARES = {'normal': 0.27, 'bacteria': 0.47, 'virus': 0.26}
_VIEWS = {
    'normal': {1: 1361, 2: 14, 3: 58, 4: 3},
    'bacteria': {1: 939, 2: 197, 3: 101, 4: 57, 5: 50, 6: 36, 7: 21, 8: 13},
    'virus': {1: 1057, 2: 115, 3: 20, 4: 7, 5: 7, 6: 3, 7: 2},
}


@dataclasses.dataclass(frozen=True)
class _Picture:
  """View `view` of person `person` of a kind, and where it goes."""

  kind: str
  person: int
  view: int
  path: str


def smallest_chest_xray() -> int:
  """Returns the fewest images that can be split in every way."""
  return 40


def write_chest_xray(
    output: pathlib.Path,
    *,
    images: int = 600,
    seed: int = 0,
    size: tuple[int, int] = (140, 112),
) -> None:
  """Writes procedural chest X-rays in the layout of the public data set.

  Kinds have their real shares, one image in ten lies in test/, some persons
  have several images, and numbers of persons are used twice, once for bacteria
  and once for viruses. There is no val/.

  Args:
    output: folder that is absent or empty.
    images: number of images.
    seed: decides every byte, together with the other arguments.
    size: width and height of the images, pixels.

  Raises:
    errors.UsageError: too few or too small images, a negative seed, or an
      output that holds something.
    errors.DataError: the output cannot be written.
  """
  writing.check(images, smallest_chest_xray(), seed, size)
  with writing.staged(output) as stage:
    for side in ('train', 'test'):
      for class_name in chest_xray.CLASS_NAMES:
        (stage / side / class_name).mkdir(parents=True)
    for picture in _pictures(images, seed):
      _view(picture, seed, size).save(
          stage / picture.path, quality=_JPEG_QUALITY)


def _counts(images: int) -> dict[str, int]:
  """Kind -> number of images; bacteria take what the others leave."""
  counts = {kind: round(share * images) for kind, share in _SHARES.items()}
  counts['bacteria'] += images - sum(counts.values())
  return counts


def _pictures(images: int, seed: int) -> list[_Picture]:
  """All views of all persons."""
  pictures = []
  for kind, count in _counts(images).items():
    person = number = 0
    while number < count:
      rng = _generator(seed, kind, person, 0)
      others = max(0, _FEWEST_PERSONS - person - 1)
      views = min(writing.pick(rng, _VIEWS[kind]), count - number - others)
      for view in range(views):
        number += 1
        path = _path(kind, person, view, number)
        pictures.append(_Picture(kind, person, view, path))
      person += 1
  return pictures


def _path(kind: str, person: int, view: int, number: int) -> str:
  """Returns where an image goes, named as in the public data set."""
  side = 'train' if person % _TEST else 'test'
  if kind != 'normal':
    return f'{side}/PNEUMONIA/person{person + 1}_{kind}_{number}.jpeg'
  series = 'NORMAL2-' * (person % 5 > 1)
  return f'{side}/NORMAL/{series}IM-{person + 1:04d}-{view + 1:04d}.jpeg'


def _generator(
    seed: int, kind: str, person: int, *path: int
) -> np.random.Generator:
  code = chest_xray.KINDS.index(kind)
  return writing.generator(seed, code, person, *path)


def _view(
    picture: _Picture, seed: int, size: tuple[int, int]
) -> Image.Image:
  """Paints one view: the person's draws are the same in all their views."""
  body, illness = _generator(
      seed, picture.kind, picture.person, 1).spawn(2)
  view = _generator(seed, picture.kind, picture.person, 2, picture.view)
  frame = fields.Frame(
      *size,
      angle=view.normal(0, 0.04),
      zoom=float(np.exp(view.normal(-0.02, 0.07))),
      shift=tuple(view.normal(0, 0.05, 2).clip(-0.15, 0.15).tolist()),
  )
  anatomy = thorax.draw(body)
  thickness, lungs = thorax.paint(anatomy, body, frame)
  thickness += lungs * opacities.paint(picture.kind, anatomy, illness, frame)
  radiograph = film.expose(thickness, view)
  return radiograph.convert('RGB') if view.random() < _RGB else radiograph
