"""Tests on the images of one source, such as a clinic, and learns from others.

What a network does on images from elsewhere, asked inside one data set: every
image of the source tests; one of five folds of the others validates, by group.
Images of the others whose group (lesion, patient) the source has as well are
not used.
"""

from collections.abc import Mapping

import numpy as np

from medxfer import errors
from medxfer.data import examples as examples_lib
from medxfer.data import published_splits

KIND = 'source'
_COLUMN = 'source'
_WAY_OUT = (
    'give --config.data.test_source=NAME with one of its sources, or another '
    '--config.data.split'
)


def names(examples: examples_lib.Examples) -> dict[str, int]:
  """Returns source -> its images, in order of names; {} without sources."""
  found = np.array(examples.columns.get(_COLUMN, ()), dtype=object)
  return {name: int(np.sum(found == name)) for name in sorted(set(found))}


def decide(
    examples: examples_lib.Examples, source: str
) -> published_splits.Decision:
  """Returns the split that tests on one source.

  Args:
    examples: the table; its column 'source' says where an image is from.
    source: the one that tests.

  Raises:
    DataError: all images are of one source, or a class is in the source alone.
    UsageError: the table has no sources, or none of this name.
  """
  counts = _checked(examples, source)
  subsets = np.where(
      np.array(examples.columns[_COLUMN], dtype=object) == source,
      'test',
      'train',
  ).astype(object)
  groups = np.array(examples.groups, dtype=object)
  shared = (subsets == 'train') & np.isin(groups, groups[subsets == 'test'])
  subsets[shared] = published_splits.UNUSED
  notes = [
      f'{source} tests ({counts[source]:,} images), the other sources train '
      f'and validate: {_listed(counts)}'
  ]
  if shared.any():
    notes.append(
        f'{int(shared.sum()):,} images of other sources are of groups that '
        f'{source} has as well, and are not used'
    )
  alone = published_splits.absent(examples, subsets == 'train')
  if alone:
    raise errors.DataError(
        f'{examples.name}: no image of {", ".join(alone)} is left to learn '
        f'from without the source {source!r}; {_WAY_OUT}'
    )
  absent = published_splits.absent(examples, subsets == 'test')
  if absent:
    notes.append(
        f'{source} has no image of {", ".join(absent)}: its scores are of the '
        'other classes'
    )
  return published_splits.Decision(KIND, subsets, ('val',), tuple(notes))


def _checked(examples: examples_lib.Examples, source: str) -> dict[str, int]:
  """Returns what `names` does, if the source can be split off."""
  counts = names(examples)
  if not counts:
    raise errors.UsageError(
        f'data.split=source: nothing says which source an image of '
        f'{examples.name} is from (in a folder: CENTRE/CLASS/*, with '
        '--config.data.levels=source/class); give another '
        '--config.data.split'
    )
  if source not in counts:
    raise errors.UsageError(
        f'data.test_source={source!r}: {examples.name} has the sources '
        f'{_listed(counts)}; {_WAY_OUT}'
    )
  if len(counts) == 1:
    raise errors.DataError(
        f'{examples.name}: all images are of the source {source!r}, so that '
        'there is no other to learn from; give another --config.data.split'
    )
  return counts


def _listed(counts: Mapping[str, int]) -> str:
  return ', '.join(f'{name} ({n:,} images)' for name, n in counts.items())
