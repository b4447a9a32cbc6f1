"""Draws of images, by group where images of one are alike.

The cluster bootstrap: whole groups are drawn, with all their images (Field
and Welsh, 'Bootstrapping clustered data', J. R. Statist. Soc. B 69(3), 2007).
"""

from collections.abc import Iterator

import numpy as np

from medxfer.evaluation import predictions as predictions_lib

# Counts held at a time: 32 MiB of float64.
_CHUNK_VALUES = 2**22


def units(predictions: predictions_lib.Predictions) -> np.ndarray:
  """Returns what is drawn together: int [n], group (or image) numbers."""
  if not predictions.groups:
    return np.arange(len(predictions.image_ids))
  return np.unique(np.array(predictions.groups), return_inverse=True)[1]


def unit_name(predictions: predictions_lib.Predictions) -> str:
  """Returns what is drawn: 'group', or 'image' where each is its own group."""
  several = len(set(predictions.groups)) < len(predictions.image_ids)
  return 'group' if predictions.groups and several else 'image'


def counts(
    predictions: predictions_lib.Predictions, *, resamples: int, seed: int
) -> Iterator[np.ndarray]:
  """Yields how often each image is drawn in each replicate.

  As many units as there are, with replacement; every image of a unit has
  the unit's count.

  Args:
    predictions: n scored images.
    resamples: replicates in all.
    seed: of the PCG64 generator.

  Yields:
    float64 [b, n], the b together `resamples`.
  """
  generator = np.random.Generator(np.random.PCG64(seed))
  unit = units(predictions)
  total = int(unit.max()) + 1
  step = max(1, _CHUNK_VALUES // unit.size)
  for start in range(0, resamples, step):
    rows = min(step, resamples - start)
    drawn = generator.integers(0, total, size=(rows, total))
    drawn += np.arange(rows)[:, np.newaxis] * total
    drawn = np.bincount(drawn.ravel(), minlength=rows * total)
    yield drawn.reshape(rows, total).astype(np.float64)[:, unit]
