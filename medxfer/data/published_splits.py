"""Which split is meant where a data set has published subsets, or has none."""

from collections.abc import Iterable
import dataclasses

import numpy as np

from medxfer import errors
from medxfer.data import examples as examples_lib
from medxfer.data import subset_names

UNUSED = 'unused'  # Label of images that belong to no subset.
_FEWEST = 3  # Images of a class: one per subset.


@dataclasses.dataclass(frozen=True, eq=False)
class Decision:
  """A split that is named.

  Attributes:
    kind: 'by_image' or 'grouped', by which images are dealt; 'official' or
      'official_grouped', where the test subset is as published; 'source',
      where it is one source.
    subsets: n names of the subsets, or `UNUSED`, before any is cut from train;
      None where all images are dealt.
    cut: the subsets that are cut from train.
    notes: what to say of it, a line each.
  """

  kind: str
  subsets: np.ndarray | None = None
  cut: tuple[str, ...] = ()
  notes: tuple[str, ...] = ()


def decide(examples: examples_lib.Examples, asked: str) -> Decision:
  """Returns which split `data.split` means for a table.

  Args:
    examples: the table; its column 'published', if there, names subsets.
    asked: the value of the key.

  Raises:
    DataError: a class has too few images, or misses a published subset.
    UsageError: the split needs groups or subsets that are not there.
  """
  _refuse_few(examples)
  if asked.endswith('grouped') and not examples.groups_known:
    raise errors.UsageError(
        f'data.split={asked}: nothing says which images of {examples.name} '
        'belong together; give --config.data.groups=FILE, a CSV file '
        'image,group, or put the images of each group into a folder of its '
        'own below its class, with --config.data.levels=class/group'
    )
  if 'published' not in examples.columns:
    if asked.startswith('official'):
      _refuse_unpublished(examples, 'train')
    return Decision('by_image' if asked == 'auto' else asked)
  subsets = np.array(examples.columns['published'], dtype=object)
  if asked in ('by_image', 'grouped'):
    return Decision(asked, notes=_pooled(subsets, asked))
  return _as_published(examples, subsets, asked)


def _as_published(
    examples: examples_lib.Examples, subsets: np.ndarray, asked: str
) -> Decision:
  """Returns a decision that keeps the test subset, if there is one."""
  count = {
      subset: int(np.sum(subsets == subset)) for subset in subset_names.SUBSETS
  }
  if asked == 'auto' and not count['train']:
    raise errors.DataError(
        f'{examples.name}: no image lies in train, but in {_named(count)}; '
        'restore it, or split all images again with '
        '--config.data.split=by_image'
    )
  for subset in ('train', 'test'):
    if not count[subset] and asked != 'auto':
      _refuse_unpublished(examples, subset)
  notes, cut = [], []
  missing = absent(examples, subsets == 'val') if count['val'] else []
  if missing:
    notes.append(
        f'val holds no image of {", ".join(missing)}: its {count["val"]:,} '
        'images join train'
    )
  if missing or asked == 'official_grouped':
    subsets = np.where(subsets == 'val', 'train', subsets)
  if not np.any(subsets == 'val'):
    cut.append('val')
  if not count['test']:
    cut.append('test')
  _refuse_absent(examples, subsets)
  if len(cut) == 2:
    notes.append(
        'no test subset was published, and no val to use: the '
        f'{len(subsets):,} images are dealt to train, val and test'
    )
    return Decision('by_image', notes=tuple(notes))
  kind = 'official' if asked == 'auto' else asked
  if 'test' in cut:
    notes.append('no test subset was published: a fifth of train tests')
    kind = 'grouped' if examples.groups_known else 'by_image'
  if 'val' in cut:
    notes.append('a fifth of train validates')
  if asked == 'auto':
    lost = 'test' if count['test'] else 'val'
    notes.insert(
        0,
        (
            f'subsets are as published ({_named(count)} images); '
            '--config.data.split=by_image would pool them and deal all images '
            f'anew: published {lost} images would train'
        ),
    )
  return Decision(kind, subsets, tuple(cut), tuple(notes))


def _pooled(subsets: np.ndarray, asked: str) -> tuple[str, ...]:
  """Returns what it means that published subsets are not kept."""
  if not {'train', 'test'} <= set(subsets):
    return ()
  unit = 'group' if asked == 'grouped' else 'image'
  return (
      f'data.split={asked}: the published subsets are pooled and split again '
      f'by {unit}: published test images train; --config.data.split=official '
      'keeps them',
  )


def _named(count: dict[str, int]) -> str:
  return ', '.join(f'{subset} {n:,}' for subset, n in count.items() if n)


def absent(examples: examples_lib.Examples, rows: np.ndarray) -> list[str]:
  """Returns the classes of which there is no image among rows."""
  there = set(examples.labels[rows].tolist())
  return [name for i, name in enumerate(examples.class_names) if i not in there]


def _refuse_unpublished(examples: examples_lib.Examples, subset: str) -> None:
  raise errors.UsageError(
      f'data.split=official: no image of {examples.name} was published as '
      f'{subset} (it would lie in {subset}/); give '
      '--config.data.split=grouped, by_image or auto'
  )


def _refuse_absent(
    examples: examples_lib.Examples, subsets: Iterable[str]
) -> None:
  for subset in ('train', 'test'):
    rows = np.asarray(subsets) == subset
    missing = absent(examples, rows)
    if rows.any() and missing:
      raise errors.DataError(
          f'{examples.name}: the published {subset} subset holds no image of '
          f'{", ".join(missing)}, but another subset does; add some, move the '
          'class out, or split all images again with '
          '--config.data.split=by_image'
      )


def _refuse_few(examples: examples_lib.Examples) -> None:
  count = np.bincount(examples.labels, minlength=len(examples.class_names))
  for name, n in zip(examples.class_names, count):
    if n < _FEWEST:
      raise errors.DataError(
          f'{examples.name}: class {name} has {n} images, too few for train, '
          'val and test; add images: each class needs at least five'
      )
