"""Which images of class folders belong together: by a table, folders, or DICOM.

A table `image,group` counts alone. Without one, folders below the classes say
it, else the patients that DICOM files name; any other image is a group of its
own.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import pathlib
from typing import NamedTuple

from medxfer.data import dicom_headers
from medxfer.data import file_kinds
from medxfer.data import group_tables
from medxfer.data import layouts


class Groups(NamedTuple):
  """Groups of n images.

  Attributes:
    names: a group each.
    known: whether somebody says it of every image.
    columns: what else a table says of them, n values each.
    notes: where they are from, where that is not plain.
  """

  names: tuple[str, ...]
  known: bool
  columns: dict[str, tuple[str, ...]]
  notes: tuple[str, ...] = ()


def read(
    table: pathlib.Path | None,
    layout: layouts.Layout,
    paths: Mapping[str, pathlib.Path],
    ids: Sequence[str],
) -> Groups:
  """Returns the groups of images.

  Args:
    table: see `group_tables`, or None.
    layout: what the folders mean.
    paths: image id -> file, of all images.
    ids: those that are used.

  Raises:
    DataError: the table is wrong.
  """
  if table:
    columns = group_tables.read(table, paths, ids)
    return Groups(columns.pop('group'), True, columns)
  if 'group' in layout.levels:
    names = tuple(layout.places[name].group or name for name in ids)
    return Groups(names, True, {})
  patients = {
      name: dicom_headers.patient(paths[name])
      for name in ids
      # Files of other formats are not opened once more.
      if paths[name].suffix.lower() not in file_kinds.SUFFIXES
  }
  named = sum(map(bool, patients.values()))
  return Groups(
      tuple(patients.get(name) or name for name in ids),
      named == len(ids),
      {},
      (f'groups: the patients that {named:,} DICOM files name, hashed',)
      if named
      else (),
  )
