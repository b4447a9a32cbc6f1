"""One number per layer: general, or specific to the task it was trained for.

Yosinski et al., 'How transferable are features in deep neural networks?'
(arXiv 1411.1792), call a layer general if it serves another task as well as
one that was trained for that task. Here it serves by what a linear probe
reads from it: one pass over the images, where their curves take a training
for each layer. `agreement` tells how far the two go together.
"""

from collections.abc import Mapping
import dataclasses
from typing import Any

import numpy as np
from scipy import stats

from medxfer.evaluation import metrics
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import resampling

# Layer -> class that a probe on it predicts for each test image, int [m].
Readings = Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Generality:
  """The index of one layer.

  Attributes:
    index: 0 to 1; None where random filters serve as well as trained ones.
    interval: its bootstrap interval, or None where it is not known.
    transferred: macro F1 of the probe on the transferred layer.
    own: on the layer of a network that was trained for this task.
    random: on a layer of random filters.
  """

  index: float | None
  interval: list[float] | None
  transferred: float
  own: float
  random: float


def indices(
    images: predictions_lib.Predictions,
    transferred: Readings,
    own: Readings,
    random: Readings,
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Generality]:
  """Returns how general each layer is.

  The index of a layer is (T - R) / (max(T, O) - R), not below 0, where T, O
  and R are the macro F1 of probes on the transferred layer, on the same layer
  of a network that was trained on this task (fine-tuned from the
  transferred one, if the study has it), and on random filters.

      1: general; it serves this task as well as the task's own layer.
      0: specific; it serves no better than filters that learnt nothing.

  Args:
    images: the m test images, drawn by group in the bootstrap.
    transferred: readings of the network that is to be transferred.
    own: of the network that was trained on this task.
    random: of one that was never trained.
    resamples: replicates of the bootstrap, the same images for all layers.
    level: fraction of the replicates between the ends of an interval.
    seed: of the draws.

  Returns:
    Layer -> its index, for the layers of `transferred` in their order.
  """
  draws = np.concatenate(
      [
          np.ones((1, len(images.labels))),
          *resampling.counts(images, resamples=resamples, seed=seed),
      ]
  )
  tails = (1 - level) / 2, (1 + level) / 2
  found = {}
  for name in transferred:
    scores = np.stack(
        [_f1(images, r[name], draws) for r in (transferred, own, random)]
    )
    index = _index(*scores)
    drawn = index[1:][~np.isnan(index[1:])]
    found[name] = Generality(
        metrics.or_none(index[0]),
        np.quantile(drawn, tails).tolist() if drawn.size else None,
        *map(float, scores[:, 0]),
    )
  return found


def agreement(
    indices_: Mapping[str, Generality], lost: Mapping[str, float]
) -> tuple[float | None, int]:
  """Compares the index with a transfer curve.

  Args:
    indices_: of `indices`.
    lost: layer -> what freezing all transferred layers up to it costs, in the
      score of a training.

  Returns:
    Spearman's rank correlation of the index and the score that is left, 1 if
    the index orders layers as the curve does, None if that is not defined;
    and of how many layers.
  """
  shared = [
      name
      for name in lost
      if name in indices_ and indices_[name].index is not None
  ]
  index = [indices_[name].index for name in shared]
  left = [-lost[name] for name in shared]
  if len(set(index)) < 2 or len(set(left)) < 2:
    return None, len(shared)
  found: Any = stats.spearmanr(index, left)
  return float(found.statistic), len(shared)


def _f1(
    images: predictions_lib.Predictions, read: np.ndarray, draws: np.ndarray
) -> np.ndarray:
  """Returns the macro F1 of draws [b, m], float64 [b]."""
  table = metrics.confusion(images.labels, read, len(images.class_names), draws)
  return metrics.f1_per_class(table).mean(axis=-1)


def _index(
    transferred: np.ndarray, own: np.ndarray, random: np.ndarray
) -> np.ndarray:
  gained = transferred - random
  possible = np.maximum(gained, own - random)
  with np.errstate(divide='ignore', invalid='ignore'):
    return np.where(possible > 0, np.maximum(gained, 0) / possible, np.nan)
