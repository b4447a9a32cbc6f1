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

from collections.abc import Iterator
import pathlib
import re

import numpy as np

from medxfer import errors
from medxfer.data import examples as examples_lib
from medxfer.data import folders

NAME = 'chest_xray'
CLASS_NAMES = ('NORMAL', 'PNEUMONIA')
KINDS = ('normal', 'bacteria', 'virus')
ORIGIN = (
    'it is had from Mendeley Data (doi:10.17632/rscbjbr9sj) or from Kaggle '
    '(chest-xray-pneumonia); unpack it so that DIR holds train/ and test/')
_WAY_OUT = (
    f'{ORIGIN}; name DIR with --config.data.dir=DIR or '
    f'$MEDXFER_DATA/{NAME}, or add the modifier `phantom` to run without it')
_SUFFIXES = frozenset(('.jpeg', '.jpg', '.png'))
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
    folder: holds train/ and test/ and perhaps val/, or chest_xray/ that does.
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
  paths = _paths(_root(folder))
  about = {name: _describe(path) for name, path in paths.items()}
  bad = {name: reason for name, (_, _, reason) in about.items() if reason}
  examples_lib.refuse_bad(bad, on_bad_image)
  ids = sorted(paths.keys() - bad)
  if not ids:
    raise errors.DataError(f'{folder}: no image is left')
  sides = tuple(paths[name].parts[-3] for name in ids)
  return examples_lib.Examples(
      name=NAME,
      class_names=CLASS_NAMES,
      image_ids=tuple(ids),
      paths=tuple(paths[name] for name in ids),
      labels=np.array([CLASS_NAMES.index(paths[name].parent.name)
                       for name in ids], np.int32),
      groups=tuple(about[name][0] for name in ids),
      columns={
          'kind': tuple(about[name][1] for name in ids),
          'folder': sides,
          'published': tuple('test' if s == 'test' else 'train'
                             for s in sides),
      },
      skipped=bad,
  )


def _root(folder: pathlib.Path) -> pathlib.Path:
  """Returns the folder that holds train/ and test/."""
  if not folder.is_dir():
    raise errors.DataError(f'{folder}: no such folder; {_WAY_OUT}')
  # The public archive wraps its folders in another.
  nested = folder / NAME
  wrapped = nested.is_dir() and not (folder / 'train').exists()
  root = nested if wrapped else folder
  for side in ('train', 'test'):
    for class_name in CLASS_NAMES:
      if not (root / side / class_name).is_dir():
        raise errors.DataError(
            f'{root / side / class_name}: no such folder; {_WAY_OUT}')
  return root


def _paths(root: pathlib.Path) -> dict[str, pathlib.Path]:
  """Returns image id -> file over all sides."""
  paths: dict[str, pathlib.Path] = {}
  for side in folders.SIDES:
    for path in _images(root / side):
      if path.stem in paths:
        raise errors.DataError(
            f'{path}: an image of that name is also at {paths[path.stem]}; '
            'keep one')
      paths[path.stem] = path
  if not paths:
    raise errors.DataError(
        f'{root}: no image ({" ".join(sorted(_SUFFIXES))}); {_WAY_OUT}')
  return paths


def _images(side: pathlib.Path) -> Iterator[pathlib.Path]:
  """Yields the image files of one side, if it is there."""
  there = folders.visible(side) if side.is_dir() else []
  for class_folder in filter(pathlib.Path.is_dir, there):
    if class_folder.name not in CLASS_NAMES:
      raise errors.DataError(
          f'{class_folder}: no class of {NAME} ({", ".join(CLASS_NAMES)}); '
          'move it out of the data')
    for path in folders.visible(class_folder):
      if path.suffix.lower() in _SUFFIXES:
        folders.check_name(path)
        yield path


def _describe(path: pathlib.Path) -> tuple[str, str, str]:
  """Returns an image's group and kind, or ('', '', what is wrong with it)."""
  match = next(filter(None, (n.fullmatch(path.stem) for n in _NAMES)), None)
  if not match:
    return '', '', (
        f'{path} is not named like an image of {NAME} (IM-0115-0001, '
        'person1_bacteria_1), so its patient is unknown')
  kind = (match.groupdict().get('kind') or 'normal').lower()
  if (kind == 'normal') != (path.parent.name == CLASS_NAMES[0]):
    return '', '', f'{path} is named {kind}, but lies in {path.parent.name}'
  return match['group'], kind, folders.problem(path)
