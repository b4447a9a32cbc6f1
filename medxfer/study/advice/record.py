"""What an advice study keeps of its runs: `record-I-of-N.json`, one per shard.

It holds the time that was spent, and of every finished run its specification,
its times and what it decided for each validation and test image: enough to
compute all numbers again without the workdirs, which may be deleted.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import pathlib
from typing import Any

import numpy as np

from medxfer import errors
from medxfer import files
from medxfer.data import planted_mark
from medxfer.evaluation import measure
from medxfer.evaluation import predictions as predictions_lib
from medxfer.runs import workdir

SUBSETS = ('val', 'test')


@dataclasses.dataclass(frozen=True, eq=False)
class Entry:
  """A finished run.

  Attributes:
    spec: as JSON.
    train_images: how many it learned from.
    epochs: that it ran.
    train_seconds: that they took.
    took: seconds of the whole run; None where nobody measured it.
    tables: subset -> decisions, as predictions that are certain.
    planted: how far it falls for a planted mark, see `runs.planted`; or None.
  """

  spec: Mapping[str, Any]
  train_images: int
  epochs: int
  train_seconds: float
  took: float | None
  tables: Mapping[str, predictions_lib.Predictions]
  planted: Mapping[str, Any] | None = None


class Record:
  """The record of one shard, and what the others have recorded.

  Attributes:
    entries: run's name -> what is known of it, of all shards.
    seconds: that earlier starts of this shard have spent.
    partial: run's name -> seconds that an unfinished run has taken.
  """

  def __init__(self, path: pathlib.Path, shard: tuple[int, int]):
    """Reads what is there.

    Args:
      path: the study's folder.
      shard: (I, N).

    Raises:
      DataError: a file is damaged.
    """
    self._path = path
    self._file = path / 'record-{}-of-{}.json'.format(*shard)
    self.entries: dict[str, Entry] = {}
    self.refresh()
    self._mine: dict[str, Any] = {'seconds': 0.0, 'partial': {}, 'runs': {}}
    if self._file.is_file():
      self._mine |= files.read_json(self._file)
    self.seconds: float = self._mine['seconds']
    self.partial: dict[str, float] = self._mine['partial']

  def refresh(self) -> None:
    """Reads what other shards have finished."""
    for file in sorted(self._path.glob('record-*.json')):
      try:
        found = files.read_json(file)
        for name in found['runs'].keys() - self.entries.keys():
          self.entries[name] = _entry(found['images'], found['runs'][name])
        spent = [found['seconds'], *found['partial'].values()]
        if not all(map(measure.is_number, spent)):
          raise ValueError('times that are no numbers')
      except (
          AttributeError,
          IndexError,
          KeyError,
          TypeError,
          ValueError,
      ) as error:
        raise errors.DataError(
            f'{file}: damaged; remove it: runs whose workdirs are there are '
            'read again, and the budget begins anew'
        ) from error

  def add(self, folder: workdir.Workdir, took: float | None) -> None:
    """Keeps what a finished run decided.

    Raises:
      DataError: a file of the run is damaged, or it has other images.
    """
    summary = folder.summary()
    tables = {subset: folder.predictions(subset) for subset in SUBSETS}
    images = _images(tables)
    if self._mine.setdefault('images', images) != images:
      raise errors.DataError(
          f'{folder.path}: its validation or test images are not those of the '
          'other runs; remove it, or give another --workdir'
      )
    self._mine['runs'][folder.path.name] = kept = {
        'spec': folder.spec().to_json(),
        'train_images': summary['n']['train'],
        'epochs': summary['epochs_run'],
        'train_seconds': summary['train_seconds'],
        'took': took,
        planted_mark.KEY: summary.get(planted_mark.KEY),
        **{
            subset: _joined(table.predicted) for subset, table in tables.items()
        },
    }
    self.entries[folder.path.name] = _entry(images, kept)

  def save(self, seconds: float) -> None:
    """Writes the record of this shard; `seconds` were spent in all."""
    files.write_json(self._file, self._mine | {'seconds': seconds})


def _images(
    tables: Mapping[str, predictions_lib.Predictions],
) -> dict[str, Any]:
  first = tables[SUBSETS[0]]
  return {
      'classes': list(first.class_names),
      **{
          subset: {
              'ids': list(table.image_ids),
              'groups': list(table.groups),
              'labels': _joined(table.labels),
          }
          for subset, table in tables.items()
      },
  }


def _entry(images: Mapping[str, Any], kept: Mapping[str, Any]) -> Entry:
  """Reads a run; raises whatever damage raises."""
  took = kept['took']
  return Entry(
      spec=dict(kept['spec'].items()),
      train_images=int(kept['train_images']),
      epochs=int(kept['epochs']),
      train_seconds=float(kept['train_seconds']),
      took=None if took is None else float(took),
      planted=kept.get(planted_mark.KEY),
      tables={
          subset: _table(images['classes'], images[subset], kept[subset])
          for subset in SUBSETS
      },
  )


def _table(
    classes: Sequence[str], about: Mapping[str, Any], decided: str
) -> predictions_lib.Predictions:
  return predictions_lib.Predictions(
      tuple(about['ids']),
      _split(about['labels']),
      np.eye(len(classes))[_split(decided)],
      tuple(classes),
      tuple(about['groups']),
  )


def _joined(numbers: np.ndarray) -> str:
  return ' '.join(map(str, numbers.tolist()))


def _split(text: str) -> np.ndarray:
  numbers = [int(word) for word in text.split()]
  if min(numbers, default=0) < 0:
    raise ValueError('a class below 0')
  return np.array(numbers, np.int64)
