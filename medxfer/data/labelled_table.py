"""Images with labels in a table: `image,label[,group]` and further columns.

    image,label,group,sex
    1.png,mel,lesion_7,female
    more/2.png,nv,lesion_9,

Images are named by their paths from the table's folder, or by absolute paths;
the suffix may be missing. Further columns are kept: results may be divided by
them.
"""

from collections.abc import Container
from collections.abc import Mapping
import glob
import pathlib

import numpy as np

from medxfer import errors
from medxfer.data import examples as examples_lib
from medxfer.data import folders
from medxfer.data import listing
from medxfer.data import tables

NAME = 'table'
_IMAGE, _LABEL, _GROUP = 'image', 'label', 'group'


def read(
    path: pathlib.Path, *, on_bad_image: str = 'fail'
) -> examples_lib.Examples:
  """Reads the table; image ids are the names that it gives the images.

  Args:
    path: the table, in any form that `tables.read` reads.
    on_bad_image: 'fail' raises at the first image that is not there; 'skip'
      leaves it out and lists it in `skipped`.

  Raises:
    DataError: the table or an image is missing or wrong.
  """
  names, rows = tables.read(path)
  missing = [name for name in (_IMAGE, _LABEL) if name not in names]
  if missing:
    raise errors.DataError(
        f'{path}: no column {" and no column ".join(missing)}; the first row '
        f'is {_IMAGE},{_LABEL} or {_IMAGE},{_LABEL},{_GROUP}, with further '
        'columns if you like'
    )
  if not rows:
    raise errors.DataError(f'{path}: the table has no rows')
  grouped = _GROUP in names
  by_id: dict[str, tables.Row] = {}
  for number, row in rows:
    if problem := _problem(row, by_id, grouped):
      raise errors.DataError(f'{path}, row {number}: {problem}')
    by_id[row[_IMAGE]] = row
  files = {name: _file(path.parent, name) for name in by_id}
  bad, pages = _looked_at(path, files)
  ids = examples_lib.good(path, by_id, bad, on_bad_image)
  class_names = tuple(sorted({row[_LABEL] for row in by_id.values()}))
  return examples_lib.Examples(
      name=NAME,
      class_names=class_names,
      image_ids=tuple(ids),
      paths=tuple(files[name] for name in ids),
      labels=np.array(
          [class_names.index(by_id[name][_LABEL]) for name in ids], np.int32
      ),
      groups=tuple(by_id[name][_GROUP] if grouped else name for name in ids),
      columns={
          column: tuple(by_id[name][column] for name in ids)
          for column in names
          if column and column not in (_IMAGE, _LABEL, _GROUP)
      },
      skipped=bad,
      pages=pages,
      groups_known=grouped,
  )


def _problem(row: tables.Row, seen: Container[str], grouped: bool) -> str:
  """Returns what is wrong with a row, or ''."""
  if None in row or None in row.values():
    return 'too many or too few values; repair the row'
  name = row[_IMAGE]
  if not name:
    return 'no image is named'
  folders.check_name(pathlib.Path(name))
  if name in seen:
    return f'the image {name!r} has a row already; keep one'
  if not row[_LABEL]:
    return f'the image {name!r} has no label; label it, or take the row out'
  if grouped and not row[_GROUP]:
    return f'the group of {name!r} is empty'
  return ''


def _file(folder: pathlib.Path, name: str) -> pathlib.Path:
  """Returns the file of an image, which may be named without its suffix."""
  path = folder / name
  if path.exists() or path.suffix:
    return path
  found = list(path.parent.glob(f'{glob.escape(path.name)}.*'))
  return found[0] if len(found) == 1 else path


def _looked_at(
    table: pathlib.Path, files: Mapping[str, pathlib.Path]
) -> tuple[dict[str, str], dict[str, int]]:
  """Returns image -> why it cannot be read, and -> its number of pictures."""
  bad, pages = {}, {}
  for name, file in files.items():
    if not (file.exists() or file.is_symlink()):
      bad[name] = f'{table.name} lists it, but there is no file {file}'
      continue
    reason, count = listing.look(file)
    if reason:
      bad[name] = listing.clause(file, reason)
    elif count > 1:
      pages[name] = count
  return bad, pages
