"""Each class against all others: sensitivity, specificity, PPV and NPV."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from medxfer.evaluation import predictions as predictions_lib

# Measure -> its name among the intervals.
_INTERVALS = {
    'sensitivity': 'recall_per_class',
    'specificity': 'specificity_per_class',
    'ppv': 'ppv_per_class',
    'npv': 'npv_per_class',
}


def measures(
    predictions: predictions_lib.Predictions, ranges: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
  """Returns the measures of each class against all others, by the most probable
  class.

  Args:
    predictions: n > 0 scored images.
    ranges: their intervals, as `intervals.compute` returns them.

  Returns:
    Class -> `n` (its images), `sensitivity` (fraction of its images that are
    found), `specificity` (of the others that are left alone), `ppv` (of the
    images called so that are of the class), `npv` (of the others that are
    not), and `intervals` of the four, [low, high]. A fraction of no images is
    None, and so is its interval.
  """
  answer = {}
  for k, name in enumerate(predictions.class_names):
    true, called = predictions.labels == k, predictions.predicted == k
    answer[name] = {
        'n': int(true.sum()),
        'sensitivity': _share(called, true),
        'specificity': _share(~called, ~true),
        'ppv': _share(true, called),
        'npv': _share(~true, ~called),
        'intervals': {
            measure: ranges[key][name] for measure, key in _INTERVALS.items()
        },
    }
  return answer


def _share(part: np.ndarray, whole: np.ndarray) -> float | None:
  return float(part[whole].mean()) if whole.any() else None
