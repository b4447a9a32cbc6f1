"""Tables that say which images belong together: image,group."""

from collections.abc import Iterable
from collections.abc import Sequence
import pathlib

from medxfer import errors
from medxfer.data import tables

_COLUMNS = ('image', 'group')


def read(
    path: pathlib.Path, known: Iterable[str], needed: Sequence[str]
) -> tuple[str, ...]:
  """Returns the groups of images.

  Args:
    path: the table.
    known: ids that may have a row, at most one each.
    needed: those of them that must have one.

  Returns:
    The group of each of `needed`.
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
      reason = (
          f'{len(matches)} images are called {row["image"]!r}; name the '
          f'one that is meant, such as {matches[0]!r}'
      )
    elif matches[0] in groups:
      reason = f'the image {matches[0]!r} has a row already'
    if reason:
      raise errors.DataError(f'{path}, row {number}: {reason}')
    groups[matches[0]] = row['group']
  missing = sorted(set(needed) - groups.keys())
  if missing:
    raise errors.DataError(
        f'{path}: images without a row: {len(missing)}, the first is '
        f'{missing[0]!r}; every image needs a group'
    )
  return tuple(groups[name] for name in needed)


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
