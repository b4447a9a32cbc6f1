"""Images of your own: one folder per class, with or without published subsets.

    DIR/CLASS/*                      (and in folders below CLASS)
    DIR/{train,val,test}/CLASS/*     (val may be absent)
    DIR/CENTRE/CLASS/*, DIR/CLASS/PATIENT/* and the like; see `layouts`

Class names are folder names. What must not stand in two subsets of an honest
split, such as the images of one patient, lies in a folder of its own, or is
named by a CSV file `image,group`; otherwise every image is a group of its own.

Only listings, first bytes and that file are read here, and nothing heavy is
imported: a wrong folder is refused at once.
"""

import collections
from collections.abc import Iterable
from collections.abc import Mapping
import os
import pathlib
import re
import sys
import unicodedata

import numpy as np

from medxfer import errors
from medxfer.data import examples as examples_lib
from medxfer.data import file_kinds
from medxfer.data import folder_groups
from medxfer.data import layouts
from medxfer.data import level_search
from medxfer.data import links
from medxfer.data import listing
from medxfer.data import registry
from medxfer.data import subset_names
from medxfer.data import unused_files

NAME = 'folder'
SUBSETS = subset_names.SUBSETS
# No table can hold these and be read back line by line.
_UNFIT = re.compile('[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]')
_WAY_OUT = (
    'give --config.data.dir=DIR with one folder of images per class in it'
)


def read(
    folder: pathlib.Path,
    *,
    groups: pathlib.Path | None = None,
    on_bad_image: str = 'fail',
    subsets: Mapping[str, str] | None = None,
    levels: str = level_search.AUTO,
    fewest_classes: int = 2,
) -> examples_lib.Examples:
  """Lists the images; their ids are their paths below the folder.

  Args:
    folder: holds one folder per class; see `layouts`.
    groups: see `folder_groups`, of a table `image,group`.
    on_bad_image: 'fail' raises at the first file that has the suffix of an
      image, but is none; 'skip' leaves it out and lists it in `skipped`.
    subsets: folder -> train, val or test, for unusual names.
    levels: see `layouts.find`.
    fewest_classes: a network needs two to learn; to be scored, one is enough.

  Returns:
    The table by image id. Its column 'published' says which subset an image
    lies in, 'source' from which centre it comes, where folders say so; the
    others are those of the table of groups.

  Raises:
    DataError: the folder, an image or the table of groups is wrong.
    UsageError: a subset that was named is not there.
  """
  if not folder.is_dir():
    raise errors.DataError(f'{folder}: no such folder; {_WAY_OUT}')
  found = listing.below(folder)
  layout = _layout(folder, found, subsets, levels, fewest_classes)
  paths = {name: found.images[name] for name in layout.places}
  bad = {name: why for name, why in found.bad.items() if name in paths}
  ids = examples_lib.good(folder, sorted(paths), bad, on_bad_image)
  places = [layout.places[name] for name in ids]
  labels = [layout.class_names.index(place.class_name) for place in places]
  grouped = folder_groups.read(groups, layout, paths, ids)
  return examples_lib.Examples(
      name=NAME,
      class_names=layout.class_names,
      image_ids=tuple(ids),
      paths=tuple(paths[name] for name in ids),
      labels=np.array(labels, np.int32),
      groups=grouped.names,
      columns={**grouped.columns, **_columns(places)},
      skipped=bad,
      left_out={
          **{k: v for k, v in found.left_out.items() if folder / k != groups},
          **layout.left_out,
      },
      pages={name: n for name, n in found.pages.items() if name in paths},
      notes=(
          *_notes(folder, layout, groups),
          *links.notes(folder, paths),
          *grouped.notes,
      ),
      groups_known=grouped.known,
  )


def _columns(places: list[level_search.Place]) -> dict[str, tuple[str, ...]]:
  """Returns what the folders say of images, beside class and group."""
  found = {
      'published': tuple(place.subset for place in places),
      'source': tuple(place.source for place in places),
  }
  return {name: values for name, values in found.items() if any(values)}


def _layout(
    folder: pathlib.Path,
    found: listing.Listing,
    subsets: Mapping[str, str] | None,
    levels: str,
    fewest_classes: int,
) -> layouts.Layout:
  """Returns what the folders mean; refuses what no network can learn."""
  if not found.images:
    raise errors.DataError(
        f'{folder}: no folder of images{_also(found.left_out)}; {_WAY_OUT}'
    )
  try:
    layout = layouts.find(found.images, levels=levels, named=subsets)
  except errors.DataError as error:
    raise errors.DataError(f'{folder}: {error}{_table(folder)}') from error
  for name in filter(_UNFIT.search, layout.places):
    for path in reversed([folder / name, *pathlib.Path(name).parents]):
      check_name(path)
  _refuse_alike(folder, layout.class_names)
  _refuse_empty(folder, layout, found)
  if len(layout.class_names) < fewest_classes:
    only = ''.join(map(repr, layout.class_names)) or 'no image'
    raise errors.DataError(
        f'{folder}: only one class, {only}{_also(found.left_out)}; a network '
        'needs two or more to tell apart, each in a folder of its own'
        f'{_table(folder)}'
    )
  return layout


def _notes(
    folder: pathlib.Path, layout: layouts.Layout, groups: pathlib.Path | None
) -> list[str]:
  """Returns lines about the folders."""
  found = [
      line
      for kind, lines in layout.notes.items()
      for line in lines
      if not groups or kind not in ('group', 'part')
  ]
  for above in layout.above:
    for path in visible(folder / above):
      subset = path.relative_to(folder).as_posix()
      if (
          subset_names.find([path.name], {})
          and path.is_dir()
          and not any(
              name.startswith(f'{subset}/')
              for name in (*layout.places, *layout.left_out)
          )
      ):
        found.append(f'{subset}/ holds no image and is not used')
  classes = collections.defaultdict(set)
  for place in layout.places.values():
    classes[place.group].add(place.class_name)
  several = [
      name for name, labels in classes.items() if name and len(labels) > 1
  ]
  if several and not groups:
    found.append(
        f'{len(several):,} groups, such as {several[0]}, lie in two or more '
        'classes; each is one group'
    )
  return found


def _refuse_empty(
    folder: pathlib.Path, layout: layouts.Layout, found: listing.Listing
) -> None:
  """Refuses a folder of a class in which there is no image in any subset."""
  for parent in layout.parents:
    for path in filter(pathlib.Path.is_dir, visible(folder / parent)):
      top = f'{path.relative_to(folder).as_posix()}/'
      if path.name in layout.class_names or any(
          name.startswith(top) for name in found.images
      ):
        continue
      others = {
          name: why
          for name, why in found.left_out.items()
          if name.startswith(top)
      }
      if others.keys() and set(others.values()) <= {
          file_kinds.MASK,
          file_kinds.THUMBNAIL,
          file_kinds.SYSTEM,
      }:
        continue
      check_name(path)
      raise errors.DataError(
          f'{path}: no image{_also(others)}; fill the folder or remove it'
      )


def _also(left_out: Mapping[str, str]) -> str:
  return f' ({unused_files.said(left_out)})' if left_out else ''


def _table(folder: pathlib.Path) -> str:
  """Returns a hint at a table of labels in a folder or beside it, or ''."""
  for place in (folder, folder.resolve().parent):
    for path in visible(place):
      if file_kinds.of(path.name, b'') == 'table':
        return (
            f'; the labels in {path} are read by `medxfer evaluate` alone: '
            'to train, sort the images into a folder a class by it'
        )
  return ''


def visible(folder: pathlib.Path) -> list[pathlib.Path]:
  """Returns a folder's entries by name, less what systems put there.

  Raises:
    DataError: the folder cannot be listed.
  """
  try:
    return sorted(
        path for path in folder.iterdir() if not file_kinds.is_system(path.name)
    )
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
        'a control character or bytes that are no UTF-8); rename it'
        + (
            ''
            if sys.getfilesystemencoding() == 'utf-8'
            else ', or, if it is UTF-8, set LC_ALL=C.UTF-8'
        )
    )


def _unlisted(error: OSError) -> errors.DataError:
  return errors.DataError(
      f'{error.filename}: the folder cannot be listed ({error.strerror}); '
      'allow reading it'
  )


def _refuse_alike(folder: pathlib.Path, names: Iterable[str]) -> None:
  """Refuses class names that some file systems take for one."""
  seen: dict[str, str] = {}
  for name in names:
    other = seen.setdefault(unicodedata.normalize('NFC', name).casefold(), name)
    if other != name:
      raise errors.DataError(
          f'{folder}: the classes {other!r} and {name!r} differ only in upper '
          'and lower case; rename or merge them'
      )


DATASET = registry.Dataset(
    name=NAME,
    title='Folder',
    description='Images of your own, a folder per class.',
    read=read,
    user_folder=True,
    published_split=True,
    source='source',
    recipe='folder',
)
