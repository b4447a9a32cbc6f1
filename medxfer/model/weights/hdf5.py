"""HDF5 files of strangers, opened with care.

HDF5 can point outside of itself (external links, external storage, virtual
datasets), so that reading one file reads another; none of that is followed.
"""

from collections.abc import Iterator
import contextlib
import pathlib
from typing import BinaryIO

import h5py

from medxfer import errors

_MOST_OBJECTS = 20_000
_DEEPEST = 32


@contextlib.contextmanager
def opened(
    path: pathlib.Path, file: BinaryIO | None = None
) -> Iterator[h5py.File]:
  """Opens a file for reading.

  Args:
    path: the file, or the archive that `file` comes from.
    file: an open file to read instead of `path`.

  Yields:
    The root of the file.

  Raises:
    DataError: the file, or what the body reads of it, is damaged.
  """
  try:
    with h5py.File(file or path, 'r') as root:
      yield root
  # h5py reports damage as any of these, depending on what is hit; TypeError
  # and ValueError are types that NumPy does not have.
  except (OSError, RuntimeError, KeyError, TypeError, ValueError) as e:
    raise errors.DataError(
        f'{path}: damaged or truncated HDF5 ({e}). Fetch or save the file '
        'again'
    ) from e


def datasets(
    root: h5py.Group, path: pathlib.Path, *, skip: tuple[str, ...] = ()
) -> dict[str, h5py.Dataset]:
  """Lists the datasets of a group without reading them.

  Args:
    root: where to start.
    path: the file, for the message.
    skip: names directly below `root` that are not entered.

  Returns:
    Path relative to `root` -> dataset.

  Raises:
    DataError: the file links or reaches out of itself, or is a maze.
  """
  found: dict[str, h5py.Dataset] = {}
  waiting = [(f'{n}', root, f'{n}') for n in root if n not in skip]
  seen = 0
  while waiting:
    place, parent, name = waiting.pop()
    seen += 1
    if seen > _MOST_OBJECTS or place.count('/') > _DEEPEST:
      raise errors.DataError(
          f'{path}: has more than {_MOST_OBJECTS} objects or is nested deeper '
          f'than {_DEEPEST} groups, at {place:.80}. This is not a weights file'
      )
    _check_link(parent, name, place, path)
    item = parent[name]
    if isinstance(item, h5py.Group):
      waiting += [(f'{place}/{n}', item, f'{n}') for n in item]
    elif isinstance(item, h5py.Dataset):
      _check_storage(item, place, path)
      found[place] = item
  # Keras' own order is lost in HDF5; sort, so that messages are stable.
  return dict(sorted(found.items()))


def text(holder: h5py.Group, attribute: str) -> str | None:
  """Returns a string attribute, or None if it is absent or no string."""
  value = holder.attrs.get(attribute)
  if isinstance(value, bytes):
    value = value.decode('utf-8', 'replace')
  return value if isinstance(value, str) else None


def _check_link(
    parent: h5py.Group, name: str, place: str, path: pathlib.Path
) -> None:
  link = parent.get(name, getlink=True)
  if not isinstance(link, h5py.HardLink):
    kind = 'an external' if isinstance(link, h5py.ExternalLink) else 'a soft'
    raise errors.DataError(
        f'{path}: {place} is {kind} link, which medxfer does not follow. '
        'Save the weights again with Keras; it writes no links'
    )


def _check_storage(
    dataset: h5py.Dataset, place: str, path: pathlib.Path
) -> None:
  if dataset.external or dataset.is_virtual:
    raise errors.DataError(
        f'{path}: {place} keeps its data in other files (external or virtual '
        'storage), which medxfer does not open. Save the weights again with '
        'Keras'
    )
