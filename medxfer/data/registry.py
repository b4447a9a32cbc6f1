"""The data sets, by name: one record holds all that is known of each.

A new data set is a module with a reader and its record, `DATASET`, and a line
in `_MODULES`. Where it needs arms of its own, it also has a recipe.

A module is imported when its record is asked for; what a record names by text
(phantoms, the download, the recipe) where it is used. So a specification is
checked without TensorFlow and without the painters of phantoms.
"""

from collections.abc import Callable
import dataclasses
import functools
import importlib
from typing import Any

# Name -> the module that holds its record. Reports list data sets in this
# order.
_MODULES = {
    'ham10000': 'medxfer.data.ham10000',
    'chest_xray': 'medxfer.data.chest_xray',
    'folder': 'medxfer.data.folders',
}
NAMES: tuple[str, ...] = tuple(_MODULES)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dataset:
  """What the project knows of a data set.

  Attributes:
    name: as `data.name` says it, and of its folder in $MEDXFER_DATA.
    title: what people call it.
    read: `(folder, *, on_bad_image='fail') -> Examples`; of user folders also
      `subsets`, `levels` and `groups`.
    origin: where to get it, for messages; '' of user folders.
    description: one sentence.
    group: what a group of images is: a lesion, a patient.
    group_column: what TFDS calls the column of groups; '' if like `group`.
    user_folder: whether users bring the images, so that `data.dir`, not the
      record, says which they are, and they may name groups, subsets and levels.
    published_split: whether it was published with a test set, which the
      `official` splits keep; the reader says it in the column 'published'.
    source: column of the reader's table with the origin of an image, such as
      a clinic; '' if there is none.
    subgroups: columns of the reader's table by which results may be divided.
    phantom: its phantoms in `data.phantom.KINDS`, or ''.
    download: module with `plan` and `fetch` that downloads it, or ''.
    recipe: module of its arms below `medxfer.recipes`, or ''.
    other: data set from which its layer study transfers layers, or ''.
    thesis_table: number of the thesis' table, or ''.
  """

  name: str
  title: str
  read: Callable[..., Any]
  origin: str = ''
  description: str = ''
  group: str = 'group'
  group_column: str = ''
  user_folder: bool = False
  published_split: bool = False
  source: str = ''
  subgroups: tuple[str, ...] = ()
  phantom: str = ''
  download: str = ''
  recipe: str = ''
  other: str = ''
  thesis_table: str = ''


@functools.cache
def get(name: str) -> Dataset:
  """Returns the record of a data set.

  Raises:
    KeyError: no data set has this name.
  """
  return importlib.import_module(_MODULES[name]).DATASET


def having(field: str) -> dict[str, Dataset]:
  """Returns name -> record of the data sets whose record fills a field."""
  return {name: get(name) for name in NAMES if getattr(get(name), field)}


def by_recipe() -> dict[str, Dataset]:
  """Returns recipe -> record of its data set."""
  return {known.recipe: known for known in having('recipe').values()}
