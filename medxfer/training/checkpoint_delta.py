"""The parameters of a checkpoint as a difference to another checkpoint.

A finished run keeps its best epoch, and its last to resume from. Frozen layers
are the same in both: they are kept once.
"""

from collections.abc import Iterable
from collections.abc import Mapping
import pathlib

import numpy as np

from medxfer import containers
from medxfer import files

_NAME = 'since_{}.npz'


def write(
    path: pathlib.Path, base: pathlib.Path, tensors: Mapping[str, np.ndarray]
) -> None:
  """Writes what a checkpoint has that another lacks, whole or not at all.

  Args:
    path: its folder.
    base: folder of the other one, beside it.
    tensors: name -> array.
  """
  with (
      files.replacing(path / _NAME.format(base.name)) as temporary,
      temporary.open('wb') as file,
  ):
    np.savez(file, **tensors)  # pyright: ignore[reportArgumentType]


def base(path: pathlib.Path) -> pathlib.Path | None:
  """Returns the checkpoint that another one needs, or None."""
  found = _file(path)
  return path.with_name(found.stem.partition('_')[2]) if found else None


def read(path: pathlib.Path, names: Iterable[str]) -> dict[str, np.ndarray]:
  """Returns those of some tensors that a checkpoint has itself.

  Args:
    path: its folder; it has a `base`.
    names: of the tensors.

  Raises:
    DataError: the file is damaged. Wrong numbers are the caller's to find.
  """
  found, file = {}, _file(path)
  if file is None:
    return found
  with containers.opened_zip(
      file, 'Give another --workdir to start anew'
  ) as archive:
    for name in set(archive.namelist()) & {f'{name}.npy' for name in names}:
      with archive.open(name) as file:
        found[name.removesuffix('.npy')] = np.lib.format.read_array(
            file, allow_pickle=False
        )
  return found


def _file(path: pathlib.Path) -> pathlib.Path | None:
  return next(iter(path.glob(_NAME.format('[0-9]*'))), None)
