"""Tables that say which images belong together: image,group.

Further columns are kept: results may be divided by them.
"""

from collections.abc import Iterable
from collections.abc import Sequence
import pathlib

from medxfer import errors
from medxfer.data import tables

_COLUMNS = ('image', 'group')


def read(
    path: pathlib.Path, known: Iterable[str], needed: Sequence[str]
) -> dict[str, tuple[str, ...]]:
  """Returns the groups of images, and what else the table says of them.

  Args:
    path: the table.
    known: ids that may have a row, at most one each.
    needed: those of them that must have one.

  Returns:
    Column -> the value of each of `needed`; 'group' is the first.
  """
  by_name: dict[str, list[str]] = {}
  for image_id in known:
    for name in (image_id, image_id.rsplit('/', 1)[-1]):
      by_name.setdefault(name, []).append(image_id)
  found: dict[str, tables.Row] = {}
  for number, row in _rows(path):
    matches = by_name.get(row['image'], [])
    reason = ''
    if not row['group']:
      reason = 'the group is empty'
    elif not matches:
      reason = f'there is no image {row["image"]!r}'
    elif len(matches) > 1:
      reason = (
          f'{len(matches)} images are called {row["image"]!r}; name the '
          f'one that is meant, such as {matches[0]!r}'
      )
    elif matches[0] in found:
      reason = f'the image {matches[0]!r} has a row already'
    if reason:
      raise errors.DataError(f'{path}, row {number}: {reason}')
    found[matches[0]] = row
  missing = sorted(set(needed) - found.keys())
  if missing:
    raise errors.DataError(
        f'{path}: images without a row: {len(missing)}, the first is '
        f'{missing[0]!r}; every image needs a group'
    )
  names = [name for name in next(iter(found.values()), {}) if name]
  return {
      name: tuple(found[image][name] for image in needed)
      for name in ['group', *names]
      if name != 'image'
  }


def _rows(path: pathlib.Path) -> list[tuple[int, tables.Row]]:
  """Returns the rows of a table of groups, numbered as in a spreadsheet."""
  names, rows = tables.read(path)
  if set(_COLUMNS) - set(names):
    raise errors.DataError(
        f'{path}: not a table of groups; the first row is '
        f'{",".join(_COLUMNS)}'
    )
  for number, row in rows:
    if None in row or None in row.values():
      raise errors.DataError(
          f'{path}, row {number}: too many or too few values; repair the row'
      )
  return rows
