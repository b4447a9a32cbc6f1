"""The table and the folders of HAM10000, filled with phantoms."""

import numpy as np

from medxfer.data import ham10000
from medxfer.data.phantom import lesions
from medxfer.data.phantom import writing

_PARTS = ('HAM10000_images_part_1', 'HAM10000_images_part_2')
_FIRST_IMAGE = 24306
# Fractions of HAM10000's images in the order of its classes.
_FRACTIONS = (0.0327, 0.0513, 0.1097, 0.0115, 0.1111, 0.6695, 0.0142)
_NEVI = ham10000.CLASS_NAMES.index('nv')
# HAM10000's lesions with 1, 2, ... images.
_VIEWS = (5514, 1423, 490, 34, 5, 4)
# Three, one and one: the fewest that put a lesion in every subset of a
# 60/20/20 split.
_FEWEST_LESIONS = 5
_PLACES = (
    'abdomen',
    'back',
    'chest',
    'face',
    'foot',
    'lower extremity',
    'neck',
    'trunk',
    'unknown',
    'upper extremity',
)


def _plan(images: int, seed: int) -> list[writing.Picture]:
  """Pictures by image id, which tells nothing about the class.

  Classes have HAM10000's fractions, but never fewer than five lesions; what
  that takes is taken from nv.
  """
  counts = [max(_FEWEST_LESIONS, round(part * images)) for part in _FRACTIONS]
  counts[_NEVI] += images - sum(counts)
  drawn = [
      (code, lesion, views, _about(code, rng))
      for code, count in enumerate(counts)
      for lesion, views, rng in writing.groups(
          seed, code, count, _FEWEST_LESIONS, _VIEWS
      )
  ]
  shuffle = writing.generator(seed, len(counts))
  numbers = shuffle.permutation(images).tolist()
  pictures = []
  for name, (code, lesion, views, about) in zip(
      shuffle.permutation(len(drawn)).tolist(), drawn, strict=True
  ):
    for view in range(views):
      number = numbers.pop()
      image_id = f'ISIC_{_FIRST_IMAGE + number:07d}'
      row = {'lesion_id': f'HAM_{name:07d}', 'image_id': image_id} | about
      path = f'{_PARTS[2 * number >= images]}/{image_id}.jpg'
      pictures.append(writing.Picture(path, code, lesion, view, row))
  return sorted(pictures, key=lambda picture: picture.path)


def _about(code: int, rng: np.random.Generator) -> dict[str, str]:
  """The columns that a lesion's images share; only `dx_type` knows `dx`."""
  followed = code == _NEVI and rng.random() < 0.55
  age = np.clip(5 * np.round(rng.normal(52, 17) / 5), 0, 85)
  return {
      'dx': ham10000.CLASS_NAMES[code],
      'dx_type': 'follow_up' if followed else 'histo',
      'age': str(age) if rng.random() < 0.994 else '',
      'sex': str(rng.choice(('male', 'female'))),
      'localization': str(rng.choice(_PLACES)),
  }


KIND = writing.Kind(
    ham10000.NAME,
    version=2,
    fewest=50,
    size=(150, 112),
    plan=_plan,
    paint=lesions.photograph,
    table=ham10000.METADATA,
)
