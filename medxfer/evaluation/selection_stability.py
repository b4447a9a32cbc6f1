"""Stability of model selection under the bootstrap.

Scores on validation images are those of the best epoch, which the same images
chose: they are optimistic, and the more so the longer a training. The fractions
here say how far the choice depends on the images, not how good the chosen one
is; that is told by the test side.
"""

from collections.abc import Sequence

import numpy as np

from medxfer.evaluation import metrics
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import resampling


def fractions(
    tables: Sequence[predictions_lib.Predictions],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> np.ndarray:
  """Returns how often each classifier would have been chosen.

  The images are drawn again, by group if they have groups, and each time the
  classifier with the highest macro F1 is chosen; of equals the first.

  Args:
    tables: the same images in the same order, scored by k classifiers.
    resamples: of the bootstrap.
    seed: of the draws.

  Returns:
    Fractions of the resamples, float64 [k]; they sum to 1.

  Raises:
    ValueError: the tables hold other images.
  """
  first = tables[0]
  if any(table.image_ids != first.image_ids for table in tables):
    raise ValueError('classifiers are compared on the same images')
  found = np.stack([scores(t, resamples=resamples, seed=seed) for t in tables])
  return chosen(found)


def scores(
    table: predictions_lib.Predictions, *, resamples: int, seed: int
) -> np.ndarray:
  """Returns the macro F1 of resampled images, float64 [resamples].

  Tables of the same images and groups in the same order, with the same seed,
  are scored on the same draws.
  """
  found = [
      metrics.f1_per_class(
          metrics.confusion(
              table.labels, table.predicted, len(table.class_names), counts
          )
      ).mean(axis=-1)
      for counts in resampling.counts(table, resamples=resamples, seed=seed)
  ]
  return np.concatenate(found)


def over_seeds(by_seed: np.ndarray, seed: int) -> np.ndarray:
  """Returns the mean over seeds that are drawn again as well.

  Args:
    by_seed: scores of one classifier, float64 [seeds, resamples].
    seed: of the draws.

  Returns:
    float64 [resamples]: of each, as many seeds as there are, with replacement.
  """
  count, resamples = by_seed.shape
  generator = np.random.Generator(np.random.PCG64(seed))
  drawn = generator.integers(0, count, size=(count, resamples))
  return np.take_along_axis(by_seed, drawn, axis=0).mean(axis=0)


def chosen(found: np.ndarray) -> np.ndarray:
  """Returns how often each row is the highest; of equals the first.

  Args:
    found: scores, float64 [k, resamples].
  """
  picks = np.bincount(found.argmax(axis=0), minlength=len(found))
  return picks / found.shape[1]
