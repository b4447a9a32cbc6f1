"""Labelled images from elsewhere: folders, a table, or a known data set."""

from collections.abc import Mapping
import dataclasses
import pathlib
from typing import Any

from medxfer import errors
from medxfer.data import examples as examples_lib
from medxfer.data import labelled_table
from medxfer.data import registry
from medxfer.external import class_mapping

FOLDER = 'folder'


def read(
    source: pathlib.Path,
    class_names: tuple[str, ...],
    *,
    classes: Mapping[str, str] | None = None,
    groups: pathlib.Path | None = None,
    dataset: str = FOLDER,
    on_bad_image: str = 'fail',
) -> examples_lib.Examples:
  """Lists labelled images, whatever subset they were published in.

  Args:
    source: a folder with a folder per class, as `data.folders` reads it; a
      table, as `data.labelled_table` reads it; or the folder of a known data
      set.
    class_names: of the network.
    classes: see `class_mapping.apply`.
    groups: of a folder, a table `image,group`.
    dataset: name of a known data set that `source` holds, or 'folder'.
    on_bad_image: 'fail' or 'skip'.

  Returns:
    The table; labels are those of the network.

  Raises:
    DataError: images are missing or damaged, or a class is none of the
      network.
    UsageError: groups or classes are named that do not go with the source.
  """
  known = registry.get(dataset)
  options: dict[str, Any] = {'on_bad_image': on_bad_image}
  if groups and (source.is_file() or not known.user_folder):
    raise errors.UsageError(
        f'{source}: names its groups itself; leave --groups out'
    )
  if groups:
    options['groups'] = groups
  if known.user_folder and source.is_dir():
    options['fewest_classes'] = 1
  if source.is_file():
    examples = labelled_table.read(source, **options)
  elif source.is_dir():
    examples = known.read(source, **options)
  else:
    raise errors.DataError(
        f'{source}: no such folder or table; name a folder with a folder of '
        'images per class, or a CSV file image,label'
    )
  examples = class_mapping.apply(examples, classes or {}, class_names)
  return dataclasses.replace(
      examples,
      # Subsets that were published there say nothing here.
      columns={k: v for k, v in examples.columns.items() if k != 'published'},
  )
