"""How far a network falls for a mark that was planted on one class."""

from collections.abc import Callable
import dataclasses
from typing import Any

import numpy as np

from medxfer.data import planted_mark
from medxfer.evaluation import paired
from medxfer.evaluation import predictions as predictions_lib
from medxfer.runs import inputs as inputs_lib

Score = Callable[[inputs_lib.Inputs, np.ndarray], predictions_lib.Predictions]


def summary(
    name: str, inputs: inputs_lib.Inputs, score: Score
) -> dict[str, Any] | None:
  """Scores test images of the other classes without the mark and with it.

  Args:
    name: of the class that had it in training; '' for none.
    inputs: what the run has read.
    score: of other pixels and rows.

  Returns:
    `class`, `n` (images of other classes), `before` and `after` (fractions of
    them that are taken for the class, without and with the mark) and
    `difference` with its `interval`; None without a mark.
  """
  if not name:
    return None
  examples, test = inputs.examples, inputs.split.test
  label = examples.class_names.index(name)
  rows = test[examples.labels[test] != label]
  marked = dataclasses.replace(
      inputs, decoded=planted_mark.plant(inputs.decoded, rows)
  )
  taken = [_taken(score(one, rows), label) for one in (inputs, marked)]
  before, after = (float(np.mean(one.predicted)) for one in taken)
  # All are of the first class: who is taken for the second is wrong.
  found = paired.compare(*taken)['accuracy']
  return {
      'class': name,
      'n': len(rows),
      'before': before,
      'after': after,
      'difference': found['difference'],
      'interval': found['interval'],
  }


def _taken(
    table: predictions_lib.Predictions, label: int
) -> predictions_lib.Predictions:
  """Returns whether each image is taken for a class, as two classes."""
  taken = (table.predicted == label).astype(np.int64)
  return predictions_lib.Predictions(
      table.image_ids,
      np.zeros(len(taken), np.int64),
      np.eye(2)[taken],
      ('other', 'taken'),
      table.groups,
  )
