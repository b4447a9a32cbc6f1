"""The table of a data set's images."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import pathlib

import numpy as np

from medxfer import errors


@dataclasses.dataclass(frozen=True, eq=False)
class Examples:
  """A table of n images.

  Attributes:
    name: name of the data set.
    class_names: the k classes; labels index into them.
    image_ids: n unique names, in the table's order.
    paths: n image files.
    labels: int32 [n], each in [0, k).
    groups: n names of what must not stand in two subsets of an honest split: a
      lesion, a patient.
    columns: further metadata, n strings a column.
    skipped: image id -> why it was left out.
    left_out: path below the data set's folder -> why the file is no image of
      the data set, as `data.file_kinds` words it.
    pages: image id -> how many pictures the file holds, where it is several;
      the first is used.
    notes: how the reader understood the data set where it had a choice, a line
      each.
    groups_known: False if nobody says what belongs together, so that every
      image is a group of its own.
  """

  name: str
  class_names: tuple[str, ...]
  image_ids: tuple[str, ...]
  paths: tuple[pathlib.Path, ...]
  labels: np.ndarray
  groups: tuple[str, ...]
  columns: Mapping[str, tuple[str, ...]] = dataclasses.field(
      default_factory=dict
  )
  skipped: Mapping[str, str] = dataclasses.field(default_factory=dict)
  left_out: Mapping[str, str] = dataclasses.field(default_factory=dict)
  pages: Mapping[str, int] = dataclasses.field(default_factory=dict)
  notes: tuple[str, ...] = ()
  groups_known: bool = True

  def __len__(self) -> int:
    return len(self.image_ids)

  def without(self, reasons: Mapping[str, str]) -> 'Examples':
    """Returns the table less the images that `reasons` names and explains."""
    keep = [i for i, name in enumerate(self.image_ids) if name not in reasons]
    return dataclasses.replace(
        self.take(keep), skipped={**self.skipped, **reasons}
    )

  def take(self, indices: Sequence[int]) -> 'Examples':
    """Returns the rows at `indices`, in that order."""
    pick = lambda values: tuple(values[i] for i in indices)
    return dataclasses.replace(
        self,
        image_ids=pick(self.image_ids),
        paths=pick(self.paths),
        labels=self.labels[np.asarray(indices, np.int64)],
        groups=pick(self.groups),
        columns={name: pick(values) for name, values in self.columns.items()},
    )


def good(
    folder: pathlib.Path,
    ids: Iterable[str],
    bad: Mapping[str, str],
    on_bad_image: str,
) -> list[str]:
  """Returns the ids of the images that can be used, in the order of `ids`.

  Args:
    folder: of the data set, for messages.
    ids: of all images.
    bad: image id -> what is wrong with it.
    on_bad_image: 'fail', or 'skip' to leave bad images out.

  Raises:
    DataError: names the first bad image, the reason and the way out; or no
      image is left.
  """
  for image_id, reason in bad.items():
    if on_bad_image == 'fail':
      more = f' (the first of {len(bad):,} bad images)' * (len(bad) > 1)
      raise errors.DataError(
          f'{image_id}: {reason}{more}; repair it, or leave such images out '
          'with --config.data.on_bad_image=skip'
      )
  found = [image_id for image_id in ids if image_id not in bad]
  if not found:
    raise errors.DataError(f'{folder}: no image is left')
  return found
