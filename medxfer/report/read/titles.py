"""What a report calls networks, splits and data sets."""

import pathlib
import re

from medxfer import spec as specs
from medxfer.data import registry
from medxfer.model import architectures
from medxfer.report.read import finished_run
from medxfer.report.read import thesis

SPLITS = {
    'by_image': 'split by image',
    'grouped': 'split by group',
    'official': 'published split',
    'official_grouped': 'published test set, validation split by group',
    'source': 'tested on {source}, trained on the other sources',
    'auto': 'split as the folder lies',
}


def network_title(architecture: architectures.Architecture | None) -> str:
  """Returns what an architecture is called; '' of the thesis' and of trees."""
  if architecture is None or architecture.name == thesis.NETWORK:
    return ''
  return architecture.title


def split_title(dataset: finished_run.Dataset, split: str) -> str:
  """Returns a split in words, with what the data set's groups are.

  Args:
    dataset: that was split.
    split: as `finished_run.Run.split` says it.
  """
  kind, _, source = split.partition(': ')
  title = SPLITS[kind].replace('group', registry.get(dataset.name).group)
  return title.format(source=source)


def dataset_title(dataset: finished_run.Dataset) -> str:
  """Returns what a data set is called."""
  title = registry.get(dataset.name).title
  if dataset.folder:
    title = f'{title} “{dataset.folder}”'
  if dataset.phantom:
    return f'{title}: {dataset.phantom:,} phantoms'
  return title


def advice_title(data: specs.DataSpec) -> str:
  """Returns what the images of an advice study are called."""
  title = registry.get(data.name).title
  if data.phantom:
    return f'{title}: {data.phantom:,} phantoms'
  folder = pathlib.PurePath(data.dir).name
  return f'{title} “{folder}”' if data.name == 'folder' and folder else title


def slug(text: str) -> str:
  """Returns a text as letters, digits and '_' only."""
  return re.sub('[^a-z0-9]+', '_', text.lower()).strip('_') or 'unnamed'
