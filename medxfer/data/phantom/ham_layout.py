"""The table and the folders of HAM10000, filled with phantoms.

Everything follows from (seed, images, size). What lesion number k of a class
looks like depends on the seed and k alone, not on how many are asked for.
"""

import csv
import dataclasses
import pathlib

import numpy as np
from PIL import Image

from medxfer.data import ham10000
from medxfer.data.phantom import fields
from medxfer.data.phantom import nuisance
from medxfer.data.phantom import recipes
from medxfer.data.phantom import skin
from medxfer.data.phantom import writing

# Raise it whenever the same arguments give other bytes.
VERSION = 1

PARTS = ('HAM10000_images_part_1', 'HAM10000_images_part_2')

# Three, one and one: the fewest that put a lesion on every side of a
# 60/20/20 split.
_FEWEST_LESIONS = 5
_FIRST_IMAGE = 24306  # of HAM10000
_JPEG_QUALITY = 92
# HAM10000's lesions with 1, 2, ... 6 images.
_VIEWS = {1: 5514, 2: 1423, 3: 490, 4: 34, 5: 5, 6: 4}
# HAM10000's images by how the diagnosis was made, for each class.
_DX_TYPES = {
    'akiec': {'histo': 327},
    'bcc': {'histo': 514},
    'bkl': {'histo': 766, 'consensus': 264, 'confocal': 69},
    'df': {'consensus': 60, 'histo': 55},
    'mel': {'histo': 1113},
    'nv': {'follow_up': 3704, 'histo': 2498, 'consensus': 503},
    'vasc': {'consensus': 75, 'histo': 67},
}
# The rest is drawn alike for all classes, so that it tells nothing.
_AGES = {
    '0.0': 39, '5.0': 86, '10.0': 41, '15.0': 77, '20.0': 169, '25.0': 247,
    '30.0': 464, '35.0': 753, '40.0': 985, '45.0': 1299, '50.0': 1187,
    '55.0': 1009, '60.0': 803, '65.0': 731, '70.0': 756, '75.0': 618,
    '80.0': 404, '85.0': 290, '': 57,
}
_SEXES = {'male': 5406, 'female': 4552, 'unknown': 57}
_PLACES = {
    'back': 2192, 'lower extremity': 2077, 'trunk': 1404,
    'upper extremity': 1118, 'abdomen': 1022, 'face': 745, 'chest': 407,
    'foot': 319, 'unknown': 234, 'neck': 168, 'scalp': 128, 'hand': 90,
    'ear': 56, 'genital': 48, 'acral': 7,
}


@dataclasses.dataclass(frozen=True)
class _Picture:
  """View `view` of lesion `lesion` of class `dx`, and its row."""

  dx: str
  lesion: int
  view: int
  row: dict[str, str]


def smallest_ham10000() -> int:
  """Returns the fewest images that keep nv ahead and all classes split."""
  rare = len(recipes.CLASSES) - 1
  return 10 * (rare * _FEWEST_LESIONS // 10 + 2)


def write_ham10000(
    output: pathlib.Path,
    *,
    images: int = 600,
    seed: int = 0,
    size: tuple[int, int] = (150, 112),
) -> None:
  """Writes procedural skin lesions in the layout of HAM10000.

  Classes have HAM10000's shares, but never fewer than five lesions; what
  that takes is taken from nv.

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
  writing.check(images, smallest_ham10000(), seed, size)
  with writing.staged(output) as stage:
    _write(stage, _table(images, seed), seed, size)


def _counts(images: int) -> dict[str, int]:
  """Class -> number of images; nv takes what the others leave."""
  counts = {
      dx: max(_FEWEST_LESIONS, round(share * images))
      for dx, share in recipes.SHARES.items()
  }
  counts['nv'] += images - sum(counts.values())
  return counts


def _table(images: int, seed: int) -> list[_Picture]:
  """Rows in the order of image ids, which tell nothing about the class."""
  lesions = []
  for code, (dx, count) in enumerate(_counts(images).items()):
    lesion = 0
    while count:
      rng = writing.generator(seed, code, lesion, 0)
      others = max(0, _FEWEST_LESIONS - lesion - 1)
      views = min(writing.pick(rng, _VIEWS), count - others)
      about = {
          'dx': dx, 'dx_type': writing.pick(rng, _DX_TYPES[dx]),
          'age': writing.pick(rng, _AGES), 'sex': writing.pick(rng, _SEXES),
          'localization': writing.pick(rng, _PLACES),
      }
      lesions.append((dx, lesion, views, about))
      count -= views
      lesion += 1
  shuffle = writing.generator(seed, len(recipes.CLASSES))
  names = shuffle.permutation(len(lesions)).tolist()
  numbers = iter(shuffle.permutation(images).tolist())
  pictures = []
  for name, (dx, lesion, views, about) in zip(names, lesions, strict=True):
    for view in range(views):
      row = about | {
          'lesion_id': f'HAM_{name:07d}',
          'image_id': f'ISIC_{_FIRST_IMAGE + next(numbers):07d}',
      }
      pictures.append(_Picture(dx, lesion, view, row))
  return sorted(pictures, key=lambda picture: picture.row['image_id'])


def _write(
    stage: pathlib.Path, pictures: list[_Picture], seed: int,
    size: tuple[int, int],
) -> None:
  """Writes the table and the JPEG files."""
  target = stage / ham10000.METADATA
  with open(target, 'w', newline='', encoding='utf-8') as file:
    table = csv.DictWriter(file, ham10000.COLUMNS, lineterminator='\n')
    table.writeheader()
    table.writerows(picture.row for picture in pictures)
  for part in PARTS:
    (stage / part).mkdir()
  for index, picture in enumerate(pictures):
    part = PARTS[2 * index >= len(pictures)]
    _view(picture, seed, size).save(
        stage / part / f'{picture.row["image_id"]}.jpg',
        quality=_JPEG_QUALITY,
        subsampling='4:2:0',
    )


def _view(
    picture: _Picture, seed: int, size: tuple[int, int]
) -> Image.Image:
  """Paints one view: the lesion's draws are the same in all its views."""
  code = recipes.CLASSES.index(picture.dx)
  lesion = writing.generator(seed, code, picture.lesion, 1)
  view = writing.generator(seed, code, picture.lesion, 2, picture.view)
  recipe = recipes.draw(picture.dx, lesion)
  frame = fields.Frame(
      *size,
      angle=view.uniform(0, 2 * np.pi),
      zoom=float(np.exp(view.normal(0, 0.1))),
      shift=tuple(view.normal(0, 0.1, 2).clip(-0.25, 0.25).tolist()),
  )
  return nuisance.photograph(skin.paint(recipe, lesion, frame), view)
