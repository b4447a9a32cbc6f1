"""Images of your own: a folder a class, with or without published sides.

    DIR/CLASS/*                      (and in folders below CLASS)
    DIR/{train,val,test}/CLASS/*     (val may be absent)

Class names are folder names. What must not stand on two sides of an honest
split, such as the images of one patient, is named by a CSV file
`image,group`; without it every image is a group of its own.

Only listings and that file are read here, and nothing heavy is imported: a
wrong folder is refused at once.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import csv
import os
import pathlib
import re
import unicodedata

import numpy as np

from medxfer import errors
from medxfer.data import examples as examples_lib
from medxfer.data import kinds
from medxfer.data import listing

NAME = 'folder'
SIDES = ('train', 'val', 'test')
_COLUMNS = ('image', 'group')
# Read as classes, these would train a network to tell the sides apart.
_LIKE_SIDES = re.compile(
    '(train|val|valid|validation|dev|test)(ing)?[ _-]?(set|data|images)?',
    re.IGNORECASE)
# No table can hold these and be read back line by line.
_UNFIT = re.compile('[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]')
_WAY_OUT = 'give --config.data.dir=DIR with a folder of images a class in it'


def read(
    folder: pathlib.Path, *, groups: pathlib.Path | None = None,
    on_bad_image: str = 'fail',
) -> examples_lib.Examples:
  """Lists the images; their ids are their paths below the folder.

  Args:
    folder: holds a folder a class, or train/, test/ and perhaps val/ with a
      folder a class in each.
    groups: CSV file with the columns image (an id, or a file name that occurs
      once) and group; None makes every image a group.
    on_bad_image: 'fail' raises at the first file that has the suffix of an
      image, but certainly is none; 'skip' leaves it out and lists it in
      `skipped`.

  Returns:
    The table by image id. Where there are sides, its column 'published' says
    which one an image lies in.

  Raises:
    DataError: the folder, an image or the table of groups is wrong.
  """
  if not folder.is_dir():
    raise errors.DataError(f'{folder}: no such folder; {_WAY_OUT}')
  sides = _sides(folder)
  class_names = _class_names(folder, sides)
  found = listing.below(folder)
  tops = [f'{side}/{name}/'.lstrip('/')
          for side in sides or ('',) for name in class_names]
  paths = _images(folder, tops, found)
  bad = {name: why for name, why in found.bad.items() if name in paths}
  examples_lib.refuse_bad(bad, on_bad_image)
  ids = sorted(paths.keys() - bad)
  if not ids:
    raise errors.DataError(f'{folder}: no image is left')
  group_of = _groups(groups, paths, ids) if groups else {n: n for n in ids}
  parts = [name.split('/') for name in ids]
  return examples_lib.Examples(
      name=NAME,
      class_names=class_names,
      image_ids=tuple(ids),
      paths=tuple(paths[name] for name in ids),
      labels=np.array(
          [class_names.index(part[bool(sides)]) for part in parts], np.int32),
      groups=tuple(group_of[name] for name in ids),
      columns={'published': tuple(p[0] for p in parts)} if sides else {},
      skipped=bad,
      left_out={
          name: why for name, why in found.left_out.items()
          if not groups or folder / name != groups} | {
              name: kinds.OUTSIDE for name in found.images
              if name not in paths},
      pages=found.pages,
      groups_known=groups is not None,
  )


def visible(folder: pathlib.Path) -> list[pathlib.Path]:
  """Returns a folder's entries by name, less what systems put there.

  Raises:
    DataError: the folder cannot be listed.
  """
  try:
    return sorted(path for path in folder.iterdir()
                  if not kinds.is_system(path.name))
  except OSError as error:
    raise _unlisted(error) from error


def check_name(path: pathlib.Path) -> None:
  """Refuses a name that no table of images or classes can hold.

  Raises:
    DataError: the last part of the path is not plain text.
  """
  if _UNFIT.search(path.name):
    raise errors.DataError(
        f'{os.fspath(path)!r}: the name holds what is not text (a line break, '
        'a control character or bytes that are no UTF-8); rename it')


def _unlisted(error: OSError) -> errors.DataError:
  return errors.DataError(
      f'{error.filename}: the folder cannot be listed ({error.strerror}); '
      'allow reading it')


def _folders(folder: pathlib.Path) -> list[str]:
  """Returns the names of the folders in a folder, each checked."""
  names = []
  for path in visible(folder):
    if path.is_dir():
      check_name(path)
      names.append(path.name)
  return names


def _sides(folder: pathlib.Path) -> tuple[str, ...]:
  """Returns the published sides that are there; () where classes are."""
  names = _folders(folder)
  sides = tuple(side for side in SIDES if side in names)
  others = [name for name in names if name not in SIDES]
  if sides and others:
    raise errors.DataError(
        f'{folder}: holds {sides[0]}/, a side, beside {others[0]}/, which is '
        'none; give a folder that holds classes, or train, val and test alone')
  for name in others:
    if _LIKE_SIDES.fullmatch(name):
      raise errors.DataError(
          f'{folder / name}: sides are called train, val and test, exactly; '
          'rename it (or, if it is a class, give it another name)')
  return sides


def _class_names(
    folder: pathlib.Path, sides: Sequence[str]
) -> tuple[str, ...]:
  """Returns the classes in order of their names, the same on all sides."""
  found = {side: _folders(folder / side) for side in sides or ('',)}
  names = sorted({name for there in found.values() for name in there})
  _refuse_alike(folder, names)
  for side, there in found.items():
    for name in names:
      if name not in there:
        raise errors.DataError(
            f'{folder / side}: no folder {name!r}, which another side has; '
            'the sides need the same classes')
  if len(names) < 2:
    only = f'only one class, {names[0]!r}' if names else 'no folder of images'
    raise errors.DataError(
        f'{folder}: {only}; a network needs two or more to tell apart, each '
        'in a folder of its own')
  return tuple(names)


def _refuse_alike(folder: pathlib.Path, names: Iterable[str]) -> None:
  """Refuses class names that some file systems take for one."""
  seen: dict[str, str] = {}
  for name in names:
    other = seen.setdefault(
        unicodedata.normalize('NFC', name).casefold(), name)
    if other != name:
      raise errors.DataError(
          f'{folder}: the classes {other!r} and {name!r} differ only in upper '
          'and lower case; rename or merge them')


def _images(
    folder: pathlib.Path, tops: Sequence[str], found: listing.Listing
) -> dict[str, pathlib.Path]:
  """Returns image id -> file in and below the class folders `tops`.

  Raises:
    DataError: a class folder holds no image, or a name is no text.
  """
  images = {}
  for top in tops:
    there = {name: path for name, path in found.images.items()
             if name.startswith(top)}
    if not there:
      others = {name: why for name, why in found.left_out.items()
                if name.startswith(top)}
      also = f' ({listing.said(others)})' if others else ''
      raise errors.DataError(
          f'{folder / top}: no image{also}; fill the folder or remove it')
    images |= there
  for name in images:
    path = pathlib.PurePath(name)
    for part in (path, *path.parents):
      check_name(part)
  return images


def _groups(
    path: pathlib.Path, known: Iterable[str], needed: Iterable[str]
) -> dict[str, str]:
  """Returns image id -> group, from the table.

  Args:
    path: the table.
    known: ids that may have a row, at most one each.
    needed: those of them that must have one.
  """
  by_name: dict[str, list[str]] = {}
  for image_id in known:
    for name in (image_id, image_id.rsplit('/', 1)[-1]):
      by_name.setdefault(name, []).append(image_id)
  groups: dict[str, str] = {}
  for number, row in _rows(path):
    matches = by_name.get(row['image'], [])
    reason = ''
    if not row['group']:
      reason = 'the group is empty'
    elif not matches:
      reason = f'there is no image {row["image"]!r}'
    elif len(matches) > 1:
      reason = (f'{len(matches)} images are called {row["image"]!r}; name the '
                f'one that is meant, such as {matches[0]!r}')
    elif matches[0] in groups:
      reason = f'the image {matches[0]!r} has a row already'
    if reason:
      raise errors.DataError(f'{path}, row {number}: {reason}')
    groups[matches[0]] = row['group']
  missing = sorted(set(needed) - groups.keys())
  if missing:
    raise errors.DataError(
        f'{path}: images without a row: {len(missing)}, the first is '
        f'{missing[0]!r}; every image needs a group')
  return groups


def _rows(path: pathlib.Path) -> list[tuple[int, Mapping[str, str]]]:
  """Returns the rows of a table of groups, numbered as in a spreadsheet."""
  header = f'the first row is {",".join(_COLUMNS)}'
  try:
    with path.open(newline='', encoding='utf-8-sig') as file:
      reader = csv.DictReader(file, strict=True)
      if set(_COLUMNS) - set(reader.fieldnames or ()):
        raise errors.DataError(f'{path}: not a table of groups; {header}')
      rows = [(reader.line_num, row) for row in reader]
  except OSError as error:
    raise errors.DataError(
        f'{path}: cannot be read ({error.strerror}); give '
        '--config.data.groups=FILE') from error
  except (csv.Error, UnicodeDecodeError) as error:
    raise errors.DataError(
        f'{path}: not a CSV table in UTF-8 ({error}); {header}') from error
  for number, row in rows:
    if None in row or None in row.values():
      raise errors.DataError(
          f'{path}, row {number}: too many or too few values; repair the row')
  return rows
