"""The folders and names of the chest X-rays, filled with phantoms."""

from medxfer.data import chest_xray
from medxfer.data.phantom import thoraxes
from medxfer.data.phantom import writing

# Every tenth person of a cause is published as test, as in the real data. The
# first is, so that no cause lacks one.
_TEST = 10
# That one and five more: the fewest that also put a person of each class in
# every subset of a split of train alone.
_FEWEST_PERSONS = 6
# Fraction of the real images, and its persons with 1, 2, ... images.
_CAUSES = {
    'normal': (0.27, (1361, 14, 58, 3)),
    'bacteria': (0.47, (939, 197, 101, 57, 50, 36, 21, 13)),
    'virus': (0.26, (1057, 115, 20, 7, 7, 3, 2)),
}


def _plan(images: int, seed: int) -> list[writing.Picture]:
  """All views of all persons; viruses have what the others leave.

  Numbers of persons are used twice, for bacteria and for viruses, as in the
  real data. There is no val/.
  """
  pictures, left = [], images
  for code, (cause, (part, sizes)) in enumerate(_CAUSES.items()):
    count = left if cause == 'virus' else round(part * images)
    left -= count
    number = 0
    for person, views, _ in writing.groups(
        seed, code, count, _FEWEST_PERSONS, sizes
    ):
      for view in range(views):
        number += 1
        path = _path(cause, person, view, number)
        pictures.append(writing.Picture(path, code, person, view))
  return pictures


def _path(cause: str, person: int, view: int, number: int) -> str:
  """Returns where an image lies, named as in the public data set."""
  subset = 'train' if person % _TEST else 'test'
  if cause != 'normal':
    return f'{subset}/PNEUMONIA/person{person + 1}_{cause}_{number}.jpeg'
  series = 'NORMAL2-' * (person % 5 > 1)
  return f'{subset}/NORMAL/{series}IM-{person + 1:04d}-{view + 1:04d}.jpeg'


KIND = writing.Kind(
    chest_xray.NAME,
    version=2,
    fewest=40,
    size=(140, 112),
    plan=_plan,
    paint=thoraxes.radiograph,
)
