"""Which images from elsewhere are images of the run itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medxfer import cache
from medxfer import errors
from medxfer import predictor
from medxfer.data import copies as copies_lib
from medxfer.data import datasets
from medxfer.data import decoded as decoded_lib
from medxfer.data import splits
from medxfer.external import pixels
from medxfer.runs import workdir

if TYPE_CHECKING:
  from medxfer import classifier


def rows(
    trained: predictor.Predictor, images: decoded_lib.Decoded
) -> tuple[np.ndarray, str]:
  """Finds copies of the images that trained, validated or tested a network.

  Of several networks, those of each.

  Args:
    trained: the network.
    images: those from elsewhere.

  Returns:
    Rows of `images`, ascending; and why nobody could look, '' if it was
    done: the images of the run may be elsewhere by now.

  Raises:
    DataError: the run's table of images is missing or damaged.
  """
  used: dict[tuple, tuple[classifier.Classifier, set[str]]] = {}
  for member in trained.members:
    data = member.spec.data
    _, names = used.setdefault(
        (data.name, data.dir, data.phantom, data.levels), (member, set())
    )
    names.update(
        row[0]
        for row in workdir.Workdir(member.path).split()
        if row[3] in splits.SUBSETS
    )
  found = np.zeros(0, np.int64)
  for member, names in used.values():
    these, why = _among(member, names, images)
    if why:
      return np.zeros(0, np.int64), why
    found = np.union1d(found, these)
  return found, ''


def _among(
    trained: classifier.Classifier, used: set[str], images: decoded_lib.Decoded
) -> tuple[np.ndarray, str]:
  """Finds copies of images of one data set, as `rows` does."""
  none = np.zeros(0, np.int64)
  try:
    examples = datasets.read(trained.spec.data)
    known = pixels.read(trained, examples, on_bad_image='skip', is_own=True)
  except errors.DataError as error:
    reason = str(error).partition(';')[0].partition(': give')[0]
    return none, f'its own images cannot be read ({reason})'
  ids = known.examples.image_ids
  missing = used.difference(ids)
  if missing:
    return none, (
        f'{len(missing):,} of its own images are no longer there, such as '
        f'{min(missing)}'
    )
  own = [i for i, name in enumerate(ids) if name in used]
  where = cache.folder(trained.spec.cache_dir)
  return copies_lib.among(images, known, own, where), ''
