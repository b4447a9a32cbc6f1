"""Runs of all folds as one: every image scored by a network that never saw it.

The test subsets of the folds are disjoint and together all images, so that
their predictions are one table. Its intervals take the groups into account, as
those of one run do; that the networks of two folds share training images is
not in them, and the spread of the folds is not a standard error.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from medxfer import errors
from medxfer import spec as specs
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import summary as summaries

_SPREAD = ('accuracy', 'f1_macro', 'balanced_accuracy', 'auroc_macro')


def pooled(
    tables: Sequence[predictions_lib.Predictions],
) -> predictions_lib.Predictions:
  """Returns the predictions of several folds as one table, by image id.

  Raises:
    DataError: an image is in two of them, or their classes differ.
  """
  first = tables[0]
  if any(table.class_names != first.class_names for table in tables):
    raise errors.DataError('the folds have different classes')
  ids = [name for table in tables for name in table.image_ids]
  if len(set(ids)) < len(ids):
    raise errors.DataError('an image tests in two folds: they are not of one')
  whole = predictions_lib.Predictions(
      tuple(ids),
      np.concatenate([table.labels for table in tables]),
      np.concatenate([table.probabilities for table in tables]),
      first.class_names,
      tuple(group for table in tables for group in table.groups),
  )
  return whole.take(np.argsort(np.array(ids)))


def summary(
    found: Sequence[Mapping[str, Any]],
    tests: Sequence[predictions_lib.Predictions],
    spec: specs.RunSpec,
) -> dict[str, Any]:
  """Returns a summary of all folds in the form of a run's.

  Args:
    found: the summaries of the folds, in order.
    tests: their test predictions.
    spec: of one of them.

  Returns:
    The keys of summary.json: `test` is of the pooled predictions, with two
    classes also at the threshold of each fold, and `leak`, `n` and
    `train_seconds` are sums; what is of one training is that of the first
    fold. `folds` {metric: [of each fold]} says how they spread.

  Raises:
    DataError: see `pooled`.
  """
  whole = pooled(tests)
  n = len(whole.image_ids)
  return {
      **found[0],
      'test': summaries.split_summary(
          whole,
          resamples=spec.evaluation.resamples,
          seed=spec.seed,
          threshold=_threshold(found, tests, whole),
      ),
      'leak': _leak(found, n),
      'n': {**found[0]['n'], 'test': n},
      'train_seconds': sum(one['train_seconds'] for one in found),
      'training_notes': _notes(found),
      'test_without_copies': None,
      'calibration': None,  # Each fold has its own.
      'subgroups': None,
      'operating_points': None,
      'folds': {key: [one['test'][key] for one in found] for key in _SPREAD},
  }


def spread(values: Sequence[float | None]) -> str:
  """Returns the smallest and largest value of the folds, and their SD."""
  known = [value for value in values if value is not None]
  if len(known) < 2:
    return 'undefined'
  deviation = np.std(known, ddof=1)
  return f'{min(known):.3f} to {max(known):.3f} (SD {deviation:.3f})'


def _notes(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
  """Returns one note of each kind, with the number of folds that have it."""
  of_kind: dict[str, list[str]] = {}
  for one in found:
    for note in one.get('training_notes') or ():
      of_kind.setdefault(note['kind'], []).append(note['text'])
  return [
      {'kind': kind, 'text': f'{texts[0]} (in {len(texts)} folds)'}
      for kind, texts in of_kind.items()
  ]


def _threshold(
    found: Sequence[Mapping[str, Any]],
    tests: Sequence[predictions_lib.Predictions],
    whole: predictions_lib.Predictions,
) -> dict[str, Any] | None:
  """Returns the threshold of each image: that of its fold."""
  if not found[0].get('threshold'):
    return None
  each = {
      name: one['threshold']['value']
      for one, test in zip(found, tests)
      for name in test.image_ids
  }
  values = np.array([each[name] for name in whole.image_ids])
  return {**found[0]['threshold'], 'value': values}


def _leak(found: Sequence[Mapping[str, Any]], n: int) -> dict[str, Any]:
  total = lambda key: _total([one['leak'].get(key) for one in found])
  leak = {
      **found[0]['leak'],
      **{key: total(key) for key in ('images', 'groups', 'copies')},
      'duplicates': total('duplicates') or 0,
  }
  for share, key in ('share', 'images'), ('copies_share', 'copies'):
    leak[share] = None if leak[key] is None else leak[key] / n
  return leak


def _total(values: Sequence[int | None]) -> int | None:
  if None in values:
    return None
  return sum(value or 0 for value in values)
