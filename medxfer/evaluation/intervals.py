"""An interval for each metric of a table of predictions.

Fractions and F1 scores: exact binomial ends with the effective number of images
(`proportions`, `decisions`). Areas under ROC curves: the same ends, with the
effective number that their variance implies (`areas`). Calibration:
`calibration.intervals`. None of them has width zero, however few images there
are and however perfect they look; `tests/evaluation/coverage.py` measures how
often they cover.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from medxfer.evaluation import auc_intervals
from medxfer.evaluation import calibration
from medxfer.evaluation import confusion_intervals
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import resampling

Interval = list[float] | None


def compute(
    predictions: predictions_lib.Predictions,
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Any]:
  """Returns an interval for each metric.

  Args:
    predictions: n scored images; with groups, images of one are taken to be
      alike as far as the table shows it.
    resamples: draws for the calibration error.
    level: how often an interval is to cover the true value.
    seed: of the draws.

  Returns:
    The keys of `of_decisions`, `auroc_macro`, `ece` and `brier`: [low, high];
    `auroc_per_class`: {class: [low, high]}. None as there, and where an area
    is undefined.

  Raises:
    ValueError: there are no images, no resamples, or the level is not
      between 0 and 1.
  """
  if not predictions.image_ids or resamples < 1 or not 0 < level < 1:
    raise ValueError(
        'intervals need an image, a resample and 0 < level < 1, not'
        f' {len(predictions.image_ids)}, {resamples} and {level}'
    )
  unit = resampling.units(predictions)
  return {
      **of_decisions(predictions, predictions.predicted, level=level),
      **auc_intervals.intervals(
          predictions.labels,
          predictions.probabilities,
          predictions.class_names,
          unit,
          level,
      ),
      **calibration.intervals(
          predictions, resamples=resamples, level=level, seed=seed
      ),
  }


def of_decisions(
    predictions: predictions_lib.Predictions,
    predicted: np.ndarray,
    *,
    level: float = 0.95,
) -> dict[str, Any]:
  """Returns an interval for each metric of decided classes.

  Args:
    predictions: n > 0 images, their classes and groups.
    predicted: int [n], what each is called.
    level: how often an interval is to cover the true value.

  Returns:
    `accuracy`, `f1_micro`, `f1_macro`, `balanced_accuracy`: [low, high];
    `f1_per_class`, `recall_per_class`, `specificity_per_class`,
    `ppv_per_class`, `npv_per_class`: {class: [low, high]}. None for a class
    of which there is nothing to count, and everywhere for a single group (or
    image): what it shares with others is not known.
  """
  unit = resampling.units(predictions)
  names = predictions.class_names
  single = unit.max() == 0
  counts = confusion_intervals.count(
      predictions.labels, predicted, len(names), unit
  )
  right = confusion_intervals.accuracy(counts, level)
  recall, f1 = confusion_intervals.recall(
      counts, level
  ), confusion_intervals.f1(counts, level)
  whole = {
      'accuracy': right[1:3],
      'f1_micro': right[1:3],
      'f1_macro': confusion_intervals.mean(f1, counts.true.sum(axis=-1) > 0),
      'balanced_accuracy': confusion_intervals.mean(
          recall, ~np.isnan(recall.value)
      ),
  }
  fractions = {
      'f1_per_class': f1,
      'recall_per_class': recall,
      'specificity_per_class': confusion_intervals.specificity(counts, level),
      'ppv_per_class': confusion_intervals.precision(counts, level),
      'npv_per_class': confusion_intervals.negative_value(counts, level),
  }
  return {
      **{
          name: None if single else [float(x) for x in ends]
          for name, ends in whole.items()
      },
      **{
          name: by_class(
              names,
              fraction.low,
              fraction.high,
              ~np.isnan(fraction.value) & (not single),
          )
          for name, fraction in fractions.items()
      },
  }


def by_class(
    names: Sequence[str], low: np.ndarray, high: np.ndarray, known: np.ndarray
) -> dict[str, Interval]:
  """Returns class -> [low, high], or None where it is not known."""
  return {
      name: [float(a), float(b)] if there else None
      for name, a, b, there in zip(names, low, high, known)
  }
