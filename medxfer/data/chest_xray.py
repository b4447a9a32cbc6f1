"""Chest X-rays of children, normal or with pneumonia, as published.

Kermany, Goldbaum et al., 'Identifying medical diagnoses and treatable
diseases by image-based deep learning' (Cell 172, 1122-1131, 2018),
doi:10.17632/rscbjbr9sj, CC BY 4.0:

    DIR/{train,test,val}/NORMAL/IM-0115-0001.jpeg ...
    DIR/{train,test,val}/PNEUMONIA/person1_bacteria_1.jpeg ...

Names tell patients and, for pneumonia, its cause. Numbers of persons are
given anew for each cause: person1_bacteria and person1_virus are two
patients. The 16 images of val/, which some copies lack, are too few to
validate anything and count as train.
"""

from collections.abc import Sequence
import pathlib
import re
from typing import NamedTuple

import numpy as np

from medxfer import errors
from medxfer.data import examples as examples_lib
from medxfer.data import file_kinds
from medxfer.data import folders
from medxfer.data import listing
from medxfer.data import registry
from medxfer.data import unused_files

NAME = 'chest_xray'
CLASS_NAMES = ('NORMAL', 'PNEUMONIA')
KINDS = ('normal', 'bacteria', 'virus')
ORIGIN = (
    'download it from Mendeley Data (doi:10.17632/rscbjbr9sj) or from Kaggle '
    '(chest-xray-pneumonia) and unpack it so that DIR holds train/ and test/'
)
_WAY_OUT = (
    f'{ORIGIN}; name DIR with --config.data.dir=DIR or '
    f'$MEDXFER_DATA/{NAME}, or add the modifier `phantom` to run without it'
)
# Group and kind. The third is that of the last edition on Mendeley Data.
_NAMES = (
    re.compile(r'(?P<group>person\d+_(?P<kind>bacteria|virus))_\d+(_\d+)?'),
    re.compile(r'(?P<group>(NORMAL2-)?IM-\d+)-\d+(-\d+)?'),
    re.compile(r'(?P<group>(?P<kind>NORMAL|BACTERIA|VIRUS)-\d+)-\d+'),
)


def read(
    folder: pathlib.Path, *, on_bad_image: str = 'fail'
) -> examples_lib.Examples:
  """Lists the images; their ids are their names less the extension.

  Args:
    folder: holds train/ and test/ and perhaps val/, or a folder that does.
    on_bad_image: 'fail' raises at the first image that is empty, unreadable
      or not named like those of this data set; 'skip' leaves it out and lists
      it in `skipped`.

  Returns:
    The table by image id. Groups are patients. Columns: 'kind' (one of
    `KINDS`), 'folder' (where the image lies) and 'published' (what that
    means: train or test).

  Raises:
    DataError: a folder or an image is missing or wrong.
  """
  if not folder.is_dir():
    raise errors.DataError(f'{folder}: no such folder; {_WAY_OUT}')
  found = listing.below(folder)
  left_out = dict(found.left_out)
  places = _places(folder, found, left_out)
  about = {
      image_id: _describe(place, found.images[place.name])
      for image_id, place in places.items()
  }
  reasons = {
      image_id: about[image_id][2] or found.bad.get(place.name)
      for image_id, place in places.items()
  }
  bad = {image_id: why for image_id, why in reasons.items() if why}
  ids = examples_lib.good(folder, sorted(places), bad, on_bad_image)
  used = [places[image_id] for image_id in ids]
  labels = [CLASS_NAMES.index(place.class_name) for place in used]
  return examples_lib.Examples(
      name=NAME,
      class_names=CLASS_NAMES,
      image_ids=tuple(ids),
      paths=tuple(found.images[place.name] for place in used),
      labels=np.array(labels, np.int32),
      groups=tuple(about[name][0] for name in ids),
      columns={
          'kind': tuple(about[name][1] for name in ids),
          'folder': tuple(place.subset for place in used),
          'published': tuple(
              'test' if place.subset == 'test' else 'train' for place in used
          ),
      },
      skipped=bad,
      left_out=left_out,
      pages={
          image_id: found.pages[place.name]
          for image_id, place in zip(ids, used)
          if place.name in found.pages
      },
  )


class _Place(NamedTuple):
  """Where an image lies."""

  name: str  # Its path below the data set's folder.
  root: str  # What holds the subsets, '' or 'chest_xray/'.
  subset: str
  class_name: str


def _rank(place: _Place) -> tuple[int, int, bool, str]:
  """Returns what sorts originals before what may be copies of them."""
  return (
      place.root.count('/'),
      folders.SUBSETS.index(place.subset),
      bool(file_kinds.numbered(pathlib.PurePath(place.name).stem)),
      place.name,
  )


def _place(name: str) -> _Place | None:
  """Returns subset and class of an image by its path, or None."""
  parts = name.split('/')
  for i, (subset, class_name) in enumerate(zip(parts[:-2], parts[1:-1])):
    if subset.lower() in folders.SUBSETS and class_name.upper() in CLASS_NAMES:
      return _Place(
          name,
          ''.join(f'{part}/' for part in parts[:i]),
          subset.lower(),
          class_name.upper(),
      )
  return None


def _places(
    folder: pathlib.Path, found: listing.Listing, left_out: dict[str, str]
) -> dict[str, _Place]:
  """Returns image id -> where it lies, and fills `left_out`.

  The public archive wraps its folders in another, and some hold all of them
  once more; the same file in a second place is left out.

  Raises:
    DataError: a class is missing or strange, or two files of one name differ.
  """
  known = [place for name in found.images if (place := _place(name))]
  _refuse_strange(folder, found, known)
  listing.say_twice(place.name for place in known)
  places: dict[str, _Place] = {}
  for place in sorted(known, key=_rank):
    folders.check_name(pathlib.Path(place.name))
    stem = pathlib.PurePath(place.name).stem
    other = places.get(stem) or places.get(file_kinds.numbered(stem))
    # On another subset or in another class the same file is no mere copy.
    if (
        other
        and place[2:] == other[2:]
        and listing.same_bytes(
            found.images[place.name], found.images[other.name]
        )
    ):
      left_out[place.name] = file_kinds.COPY
    elif stem in places:
      raise errors.DataError(
          f'{folder / place.name}: an image of that name is also at '
          f'{folder / places[stem].name}; keep one'
      )
    else:
      places[stem] = place
  for name in found.images:
    if not _place(name):
      left_out[name] = file_kinds.OUTSIDE
  return places


def _refuse_strange(
    folder: pathlib.Path, found: listing.Listing, known: Sequence[_Place]
) -> None:
  """Refuses a folder that lacks a class, or has one of another data set."""
  if not known:
    raise errors.DataError(_nothing(folder, found))
  there = {place[2:] for place in known}
  top = folder / min((place.root for place in known), key=len)
  for subset in ('train', 'test'):
    for class_name in CLASS_NAMES:
      if (subset, class_name) not in there:
        way_out = unused_files.packed(found.left_out) or ORIGIN
        raise errors.DataError(
            f'{top / subset / class_name}: no such folder, or no image in it; '
            f'{way_out}'
        )
  subsets = {
      folder / name[: len(root) + len(subset)]
      for name, root, subset, _ in known
  }
  for subset in sorted(subsets):
    for path in folders.visible(subset):
      if path.is_dir() and path.name.upper() not in CLASS_NAMES:
        raise errors.DataError(
            f'{path}: no class of {NAME} ({", ".join(CLASS_NAMES)}); move it '
            'out of the data, or read it as a folder of your own '
            '(configs/folder.py)'
        )


def _nothing(folder: pathlib.Path, found: listing.Listing) -> str:
  """Returns words for a folder in which no image is at its place."""
  if unused_files.packed(found.left_out):
    return f'{folder}: no image; {unused_files.packed(found.left_out)}'
  if not found.images:
    return f'{folder}: no image below train/ and test/; {_WAY_OUT}'
  return (
      f'{folder}: holds {len(found.images):,} images, such as '
      f'{min(found.images)}, but none in train/ or test/ and there in '
      f'{" or ".join(CLASS_NAMES)}; arrange them so, or read them as a folder '
      'of your own (configs/folder.py)'
  )


def _describe(place: _Place, path: pathlib.Path) -> tuple[str, str, str]:
  """Returns an image's group and kind, or ('', '', what is wrong with it)."""
  match = next(filter(None, (n.fullmatch(path.stem) for n in _NAMES)), None)
  if not match:
    return (
        '',
        '',
        (
            f'{path} is not named like an image of {NAME} (IM-0115-0001, '
            'person1_bacteria_1), so its patient is unknown'
        ),
    )
  kind = (match.groupdict().get('kind') or 'normal').lower()
  if (kind == 'normal') != (place.class_name == CLASS_NAMES[0]):
    return '', '', f'{path} is named {kind}, but lies in {place.class_name}'
  return match['group'], kind, ''


DATASET = registry.Dataset(
    name=NAME,
    title='Chest X-rays',
    description='5,856 chest X-rays of children, normal or with pneumonia.',
    read=read,
    origin=ORIGIN,
    group='patient',
    published_split=True,
    subgroups=('kind',),
    phantom='chest_xray',
    recipe='xray',
    other='ham10000',
    thesis_table='7.2',
)
