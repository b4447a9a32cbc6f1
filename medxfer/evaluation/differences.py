"""The difference of two classifiers on the same images, with interval and
p-value.

The interval of a difference is that of `over_seeds`; with one seed d -/+ z s.
The sampling variance s squared is that of the influence values, summed by
group (`influence`), and of pseudo-images for what was not seen: one group
more that only the first classifier has right, and one that only the second
has right (Bonett and Price, 'Adjusted Wald confidence interval for a
difference of binomial proportions based on paired data', Journal of
Educational and Behavioral Statistics 37(4), 2012); for the macro F1 half a
group of each class (Agresti and Min, 'Simple improved confidence intervals
for comparing matched proportions', Statistics in Medicine 24(5), 2005). The
p-value is the larger of the interval's and that of swapping the classifiers
group by group (`swaps`), which holds for few groups as well. Where it is not
below 5 %, the interval is stretched to zero: the two never disagree.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import math
from typing import Any

import numpy as np
from scipy import sparse

from medxfer.evaluation import across_seeds
from medxfer.evaluation import influence
from medxfer.evaluation import metrics
from medxfer.evaluation import permutation_tests
from medxfer.evaluation import predictions as predictions_lib

Pair = tuple[predictions_lib.Predictions, predictions_lib.Predictions]


@dataclasses.dataclass(frozen=True, eq=False)
class Contrast:
  """Pairs of s seeds over the u groups (or images) of all of them.

  Attributes:
    totals: confusions of `a` and of `b` by seed, float64 [2, s, k, k].
    apart: by seed the confusion of `a` minus that of `b` in each of m groups
      where they differ, [m, k * k], as SciPy's `csr_array`.
    influences: metric -> influence values of each seed's difference, summed
      by group, [s, u].
    unseen: metric -> standard deviation of the pseudo-images by seed, [s].
  """

  totals: np.ndarray
  apart: Sequence[Any]
  influences: Mapping[str, np.ndarray]
  unseen: Mapping[str, np.ndarray]

  @classmethod
  def of(cls, pairs: Sequence[Pair]) -> 'Contrast':
    """Reads aligned pairs."""
    names = {name: None for a, _ in pairs for name in a.groups or a.image_ids}
    places = {name: i for i, name in enumerate(names)}
    units = [
        np.array([places[name] for name in a.groups or a.image_ids])
        for a, _ in pairs
    ]
    differ = np.zeros(len(places), bool)
    for (a, b), unit in zip(pairs, units):
      differ[unit[a.predicted != b.predicted]] = True
    influences, unseen = zip(
        *(
            _linear(a, b, unit, len(places))
            for (a, b), unit in zip(pairs, units)
        )
    )
    return cls(
        np.stack([[_confusion(a), _confusion(b)] for a, b in pairs], axis=1),
        [_apart(a, b, unit, differ) for (a, b), unit in zip(pairs, units)],
        *(
            {name: np.stack([one[name] for one in part]) for name in METRICS}
            for part in (influences, unseen)
        ),
    )

  def differences(
      self, name: str, swapped: np.ndarray | None = None
  ) -> np.ndarray:
    """Returns a minus b by seed.

    Args:
      name: of the metric.
      swapped: which groups are swapped, float64 [b, m]; none if None.

    Returns:
      [s], or [b, s].
    """
    a, b = self.totals
    if swapped is not None:
      moved = np.stack([swapped @ one for one in self.apart], axis=1)
      moved = moved.reshape(-1, *a.shape)
      a, b = a - moved, b + moved
    return METRICS[name](a) - METRICS[name](b)

  def swap_test(self, name: str, *, resamples: int, seed: int) -> float:
    """Returns the p-value of the mean difference by `swaps`."""
    k = self.totals.shape[-1]
    if len(self.apart) == 1 and name == 'accuracy':
      right = self.apart[0] @ np.eye(k).ravel()
      return permutation_tests.exact(np.rint(right).astype(np.int64))
    return permutation_tests.drawn(
        lambda swapped: self.differences(name, swapped).mean(axis=-1),
        self.apart[0].shape[0],
        resamples=resamples,
        seed=seed,
        width=self.totals.size,
    )


def judged(
    contrast: Contrast,
    name: str,
    *,
    level: float,
    test_to_train: float,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
  """Returns the difference of a metric, its interval and its p-value.

  Args:
    contrast: the pairs.
    name: of the metric.
    level: of the interval.
    test_to_train: as for `across_seeds.half_width`.
    resamples: ways to swap that are tried at most.
    seed: of those that are drawn.

  Returns:
    `difference`, `interval` ([low, high]) and `p_value`, both None for a
    single group.
  """
  values = contrast.differences(name)
  difference = float(values.mean())
  by_group = contrast.influences[name].mean(axis=0)
  units = by_group.size
  if units == 1:
    return {'difference': difference, 'interval': None, 'p_value': None}
  sampled = (
      units / (units - 1) * float(by_group @ by_group)
      + contrast.unseen[name].mean() ** 2
  )
  p_value = max(
      across_seeds.p_value(sampled, values, test_to_train),
      contrast.swap_test(name, resamples=resamples, seed=seed),
  )
  half = across_seeds.half_width(sampled, values, test_to_train, level)
  low, high = difference - half, difference + half
  if p_value >= 1 - level:
    low, high = min(low, 0.0), max(high, 0.0)
  return {
      'difference': difference,
      'interval': [low, high],
      'p_value': min(p_value, 1.0),
  }


def _linear(
    a: predictions_lib.Predictions,
    b: predictions_lib.Predictions,
    unit: np.ndarray,
    units: int,
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
  """Returns influence values [units] and pseudo-images' sd by metric."""
  k = len(a.class_names)
  present = np.bincount(a.labels, minlength=k) > 0
  values = np.stack(
      [
          influence.accuracy(a.labels, a.predicted)
          - influence.accuracy(b.labels, b.predicted),
          (
              influence.f1_per_class(a.labels, a.predicted, k)
              - influence.f1_per_class(b.labels, b.predicted, k)
          )[:, present].mean(axis=1),
      ],
      axis=1,
  )
  # Images of a group are taken to go the same way.
  groups = np.unique(unit).size
  with_class = np.bincount(np.unique(unit * k + a.labels) % k, minlength=k)
  f1 = sum(metrics.f1_per_class(_confusion(x)) for x in (a, b)) / 2
  sums = influence.by_unit(values, unit, units)
  return (
      dict(zip(METRICS, sums.T)),
      {
          'accuracy': math.sqrt(2) / (groups + 2),
          # A fraction r of images found more makes the F1 (1 - F1 / 2) r
          # larger.
          'f1_macro': float(
              np.sqrt(
                  np.square(
                      present * (1 - f1 / 2) / (with_class + 2) / present.sum()
                  ).sum()
              )
          ),
      },
  )


def _apart(
    a: predictions_lib.Predictions,
    b: predictions_lib.Predictions,
    unit: np.ndarray,
    differ: np.ndarray,
) -> sparse.csr_array:
  """Confusion of `a` minus that of `b` in m groups that differ: [m, k * k]."""
  k, inside = len(a.class_names), differ[unit]
  row = (np.cumsum(differ) - 1)[unit[inside]]
  cells = [(table.labels * k + table.predicted)[inside] for table in (a, b)]
  signs = np.repeat([1.0, -1.0], row.size)
  return sparse.coo_array(
      (signs, (np.tile(row, 2), np.concatenate(cells))),
      shape=(int(differ.sum()), k * k),
  ).tocsr()


def _confusion(table: predictions_lib.Predictions) -> np.ndarray:
  return metrics.confusion(
      table.labels, table.predicted, len(table.class_names)
  )


METRICS = {'accuracy': metrics.accuracy, 'f1_macro': metrics.f1_macro}
