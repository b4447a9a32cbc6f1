"""Several runs as one: what their averaged predictions are worth.

An image of one run's test subset may have trained another run. It is averaged
over the runs alone that neither trained nor validated on it: over all of them
where they share one split, over one where they are the folds of a split. With
fewer runs than will be averaged on new images, the numbers are rather too low
(Breiman, 'Out-of-bag estimation', 1996, does so for trees).
"""

from collections.abc import Sequence
import dataclasses
import pathlib
from typing import Any

import numpy as np

from medxfer import errors
from medxfer.evaluation import operating_point
from medxfer.evaluation import predictions as predictions_lib
from medxfer.runs import workdir


@dataclasses.dataclass(frozen=True, eq=False)
class Scored:
  """What runs have said, together, of images that none of them learned from.

  Attributes:
    test: the test images of all of them.
    runs: their number.
    counts: int [n], over how many of them each image is averaged.
    threshold: of two classes, see `operating_point.choose`; else None.
  """

  test: predictions_lib.Predictions
  runs: int
  counts: np.ndarray
  threshold: dict[str, Any] | None


def read(paths: Sequence[pathlib.Path]) -> Scored:
  """Averages the predictions that finished runs have written.

  Args:
    paths: their workdirs.

  Raises:
    DataError: a run is not finished, a file is damaged, or they are not of the
      same images.
    UsageError: see `refuse_twice`.
  """
  refuse_twice(paths)
  folders = [workdir.Workdir(path) for path in paths]
  for folder in folders:
    if not folder.is_finished:
      raise errors.DataError(
          f'{folder.path}: not finished, so that there is no test to compare '
          'with; the command that began it resumes it'
      )
  summaries = [folder.summary() for folder in folders]
  _refuse_others(folders)
  test, counts = mean([folder.predictions('test') for folder in folders])
  return Scored(test, len(folders), counts, _threshold(folders, summaries))


def refuse_twice(paths: Sequence[pathlib.Path]) -> None:
  """Refuses a run that would count twice.

  Raises:
    UsageError: two paths are of one folder.
  """
  if len({path.resolve() for path in paths}) < len(paths):
    raise errors.UsageError('a run is named twice: name each run once')


def said(found: Scored) -> str:
  """Returns in words over how few runs images are averaged; '' if over all."""
  low, high = int(found.counts.min()), int(found.counts.max())
  if low == found.runs:
    return ''
  span = f'{low}' if low == high else f'{low} to {high}'
  return f', each image by the {span} that did not learn from it'


def mean(
    tables: Sequence[predictions_lib.Predictions],
) -> tuple[predictions_lib.Predictions, np.ndarray]:
  """Averages predictions over the tables that have them.

  Args:
    tables: of images that did not train the network in question.

  Returns:
    The averages, by image id, of a single table as it is; and int [n], over
    how many tables.

  Raises:
    DataError: classes, or the class or group of an image, differ.
  """
  first = tables[0]
  if len(tables) == 1:
    return first, np.ones(len(first.image_ids), int)
  if any(table.class_names != first.class_names for table in tables):
    raise errors.DataError('the runs have different classes')
  known: dict[str, list[tuple[int, str, np.ndarray]]] = {}
  for table in tables:
    groups = table.groups or ('',) * len(table.image_ids)
    for row in zip(table.image_ids, table.labels, groups, table.probabilities):
      known.setdefault(row[0], []).append(row[1:])
  for name, rows in known.items():
    if len({row[:2] for row in rows}) > 1:
      raise errors.DataError(
          f'{name} is of another class or group in another run'
      )
  names = sorted(known)
  averaged = predictions_lib.Predictions(
      tuple(names),
      np.array([known[name][0][0] for name in names], np.int64),
      np.array([np.mean([r[2] for r in known[n]], axis=0) for n in names]),
      first.class_names,
      tuple(known[name][0][1] for name in names) if first.groups else (),
  )
  return averaged, np.array([len(known[name]) for name in names])


def _threshold(
    folders: Sequence[workdir.Workdir], summaries: Sequence[dict[str, Any]]
) -> dict[str, Any] | None:
  """Returns the threshold of an average; None where a run has none."""
  if len(folders) == 1:
    return summaries[0].get('threshold')
  found = [one['threshold'] for one in summaries if one.get('threshold')]
  if len(found) < len(folders):
    return None
  if len({one['positive'] for one in found}) > 1:
    raise errors.DataError(
        'the runs have different positive classes; give each the same '
        '--config.evaluation.positive'
    )
  val, _ = mean([folder.predictions('val') for folder in folders])
  return operating_point.choose(val, found[0]['positive'])


def _refuse_others(folders: Sequence[workdir.Workdir]) -> None:
  """Refuses runs of different images, whose ids may be alike."""
  digests = {
      folder.path: (folder.fingerprints() or {}).get('images_digest')
      for folder in folders
  }
  if len(set(digests.values()) - {None}) > 1:
    raise errors.DataError(
        f'{", ".join(map(str, digests))}: not of the same images at one size, '
        'so that they have no test in common; score them on images from '
        'elsewhere, each alone'
    )
