"""Which files below a folder are images: one rule for every reader.

Names and first bytes are read, nothing else, so that ten thousand files take
about a second. What is not an image is left out, by a reason that can be
counted; nothing vanishes.
"""

import collections
from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
import filecmp
import os
import pathlib
import stat
import warnings

from medxfer import console
from medxfer import errors
from medxfer.data import dicom_headers
from medxfer.data import file_kinds

_MANY = 1000  # Pairs of files; comparing as many may take seconds.
# Folders that link to one another would be listed in every order.
_VISITS = 16


@dataclasses.dataclass(frozen=True, eq=False)
class Listing:
  """The files below a folder; keys are POSIX paths relative to it, sorted.

  A name that is no UTF-8 holds surrogate escapes, as `os.fsdecode` makes them.

  Attributes:
    images: what is an image by its content, and what is none, but has the
      suffix of one.
    left_out: all other files -> why, as a noun (`kinds`).
    bad: those of `images` that certainly cannot be read -> why, a clause.
    pages: those of `images` that hold several pictures -> how many.
  """

  images: dict[str, pathlib.Path]
  left_out: dict[str, str]
  bad: dict[str, str] = dataclasses.field(default_factory=dict)
  pages: dict[str, int] = dataclasses.field(default_factory=dict)


def below(folder: pathlib.Path) -> Listing:
  """Lists all files in a folder and in the folders below it.

  Links to files and folders are followed. Hidden files and folders, and what
  systems leave behind, are left out, one entry a file; so are masks and
  thumbnails of images that lie beside them (NAME_mask, masks/NAME,
  thumbs/NAME).

  Raises:
    DataError: a folder cannot be listed.
  """
  files, left_out = _walk(folder)
  images, bad, pages = {}, {}, {}
  for name in sorted(files):
    path = files[name]
    reason, count = look(path)
    if not reason or (
        reason != file_kinds.SYSTEM
        and path.suffix.lower() in file_kinds.SUFFIXES
    ):
      images[name] = path
      if reason:
        bad[name] = clause(path, reason)
      if count > 1:
        pages[name] = count
    else:
      left_out[name] = reason
  for name, reason in _derived(images):
    left_out[name] = reason
    for table in (images, bad, pages):
      table.pop(name, None)
  return Listing(images, dict(sorted(left_out.items())), bad, pages)


def look(path: pathlib.Path) -> tuple[str, int]:
  """Returns why a file is not an image, as a noun, and its number of pictures.

  The noun is '' if the file is an image; a pipe is not opened.
  """
  try:
    status = path.stat()
    # Opening a pipe would never return.
    if not stat.S_ISREG(status.st_mode):
      return file_kinds.NO_FILE, 0
    if not status.st_size:
      return file_kinds.EMPTY, 0
    with open(path, 'rb', buffering=0) as file:
      head = file.read(file_kinds.HEAD)
  except OSError:
    broken = os.path.islink(path) and not os.path.exists(path)
    return file_kinds.BROKEN if broken else file_kinds.LOCKED, 0
  reason = file_kinds.of(path.name, head)
  if not reason and dicom_headers.is_dicom(head):
    count = dicom_headers.frames(path)
    return ('', count) if count else (file_kinds.NO_PIXELS, 0)
  paged = not reason and file_kinds.may_hold_pages(head)
  return reason, _pages(path) if paged else 1


def clause(path: pathlib.Path, reason: str) -> str:
  """Returns why a file that should be an image is not one."""
  if reason == file_kinds.BROKEN:
    return f'{path} is a link that leads to nothing'
  what = f'{path} is a link; what it leads to' if path.is_symlink() else path
  if reason in (file_kinds.EMPTY, file_kinds.NO_FILE):
    return f'{what} is empty or not a file'
  if reason == file_kinds.LOCKED:
    return f'{what} may not be read by this user'
  return f'{what} is not an image by its content, but: {reason}'


def say_twice(images: Iterable[str]) -> None:
  """Prints a line if comparing files of the same name will take long."""
  stems = [pathlib.PurePosixPath(name).stem for name in images]
  twice = len(stems) - len(set(stems))
  if twice >= _MANY:
    console.line(
        f'comparing {twice:,} images that are there twice, byte for byte'
    )


def same_bytes(one: pathlib.Path, other: pathlib.Path) -> bool:
  """Whether two files can be read and are the same, byte for byte."""
  try:
    return os.path.samefile(one, other) or filecmp.cmp(
        one, other, shallow=False
    )
  except OSError:
    return False


def _walk(
    folder: pathlib.Path,
) -> tuple[dict[str, pathlib.Path], dict[str, str]]:
  """Returns files that may be images, and what needs no look -> why."""
  files: dict[str, pathlib.Path] = {}
  left_out: dict[str, str] = {}
  visits: collections.Counter[tuple[int, int]] = collections.Counter()
  # A link to what the folder itself lies in would list it once more.
  above = frozenset(map(_identity, (folder.resolve() / '_').parents))
  stack = [('', folder, above, False, False)]
  while stack:
    prefix, place, chain, hidden, linked = stack.pop()
    try:
      with os.scandir(place) as scan:
        entries = list(scan)
    except OSError as error:
      if not hidden and not linked:
        raise errors.DataError(
            f'{place}: the folder cannot be listed ({error.strerror}); allow '
            'reading it'
        ) from error
      left_out[prefix] = file_kinds.SYSTEM if hidden else file_kinds.LOCKED
      continue
    for entry in entries:
      name, path = prefix + entry.name, place / entry.name
      link = entry.is_symlink()
      system = hidden or file_kinds.is_system(entry.name)
      is_folder = entry.is_dir(follow_symlinks=False) or (
          link and not system and os.path.isdir(path)
      )
      if file_kinds.is_version_control(entry.name) and is_folder:
        left_out[f'{name}/'] = file_kinds.VERSIONS
      elif is_folder:
        identity = _identity(path)
        if link and (identity in chain or visits[identity] >= _VISITS):
          left_out[name] = file_kinds.BACK
          continue
        visits[identity] += 1
        stack.append(
            (f'{name}/', path, chain | {identity}, system, linked or link)
        )
      elif system:
        left_out[name] = file_kinds.SYSTEM
      else:
        files[name] = path
  return files, left_out


def _identity(folder: pathlib.Path) -> tuple[int, int]:
  """Returns the identity of a folder, which is the same through every link."""
  try:
    status = folder.stat()
  except OSError:
    return (-1, -1)
  return status.st_dev, status.st_ino


def _pages(path: pathlib.Path) -> int:
  """Returns how many pictures an image file holds, 1 if that is unknown."""
  from PIL import Image

  try:
    with warnings.catch_warnings(action='ignore'), Image.open(
        path, formats=('TIFF', 'GIF', 'WEBP', 'PNG')
    ) as image:
      return getattr(image, 'n_frames', 1)
  # Pillow's plugins raise anything; whoever decodes the file says what.
  except Exception:
    return 1


def _derived(images: Mapping[str, pathlib.Path]) -> list[tuple[str, str]]:
  """Returns images that are made of others, by their names, and what as."""
  split = {
      name: (name.rpartition('/')[0], pathlib.PurePosixPath(name).stem)
      for name in images
  }
  there = set(split.values())
  found = []
  for name, (folder, stem) in split.items():
    above, _, last = folder.rpartition('/')
    if file_kinds.is_folder_of_thumbnails(last) and (above, stem) in there:
      found.append((name, file_kinds.THUMBNAIL))
      continue
    stems = {file_kinds.masked(stem)} - {''}
    places = {folder}
    if file_kinds.is_folder_of_masks(last):
      beside = (f'{above}/{n}'.lstrip('/') for n in file_kinds.IMAGE_FOLDERS)
      places = {above, *beside}
      stems.add(stem)
    if any((place, s) in there for place in places for s in stems):
      found.append((name, file_kinds.MASK))
  return found
