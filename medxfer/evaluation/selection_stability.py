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
  chosen = np.zeros(len(tables))
  for counts in resampling.counts(first, resamples=resamples, seed=seed):
    scores = np.stack(
        [
            metrics.f1_per_class(
                metrics.confusion(
                    table.labels,
                    table.predicted,
                    len(table.class_names),
                    counts,
                )
            ).mean(axis=-1)
            for table in tables
        ]
    )
    chosen += np.bincount(scores.argmax(axis=0), minlength=len(tables))
  return chosen / resamples
