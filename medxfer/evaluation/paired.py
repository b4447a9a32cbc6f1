"""Whether one classifier beats another on the same images.

Two intervals that overlap say little: both classifiers stumble over the same
hard images. Compared image by image, that part cancels.
"""

from collections.abc import Mapping
import dataclasses
import math
from typing import Any

import numpy as np

from medxfer import errors
from medxfer.evaluation import intervals
from medxfer.evaluation import metrics
from medxfer.evaluation import predictions as predictions_lib

_LEVEL = 0.95
# Below so many images on which the two disagree, the exact test.
_EXACT_BELOW = 25


def compare(
    a: predictions_lib.Predictions,
    b: predictions_lib.Predictions,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
  """Compares two tables of the same images.

  The intervals draw the same images for both tables, by group where either
  table has groups. McNemar's test takes every image for independent: with
  several images a lesion or patient its p-value is too small, and the
  intervals are to be believed.

  Args:
    a: n > 0 scored images.
    b: the same images, in any order, scored by another classifier.
    resamples: bootstrap replicates.
    seed: of the bootstrap.

  Returns:
    `accuracy` and `f1_macro`, each {`difference`: a minus b, `interval`:
    [low, high] or None for a single group}; `mcnemar` as `mcnemar` returns
    it, b counting the images that only `a` has right and c those that only
    `b` has; `n`, `level`, `resamples`, `resampled_by` ('group' or 'image').

  Raises:
    errors.DataError: classes, images, labels or groups differ.
    ValueError: there are no images or no resamples.
  """
  a, b = _aligned(a, b)
  differences = _differences(a, b, np.ones(len(a.image_ids)))
  ranges = intervals.percentiles(
      a, lambda counts: _differences(a, b, counts),
      resamples=resamples, level=_LEVEL, seed=seed,
  )
  right, other = a.predicted == a.labels, b.predicted == b.labels
  return {
      'n': len(a.image_ids),
      **{
          name: {'difference': float(value), 'interval': ranges[name]}
          for name, value in differences.items()
      },
      'mcnemar': mcnemar(int((right & ~other).sum()),
                         int((other & ~right).sum())),
      'level': _LEVEL,
      'resamples': resamples,
      'resampled_by': 'group' if a.groups else 'image',
  }


def mcnemar(b: int, c: int) -> dict[str, Any]:
  """Tests whether two classifiers err equally often.

  McNemar, 'Note on the sampling error of the difference between correlated
  proportions or percentages', Psychometrika 12(2), 1947, with the continuity
  correction of Edwards, Psychometrika 13(3), 1948; below 25 disagreements the
  exact binomial test that it approximates.

  Args:
    b: images that only the first classifier has right.
    c: images that only the second has right.

  Returns:
    `b`, `c`, `test` ('exact' or 'chi_squared') and the two-sided `p_value`.
  """
  n = b + c
  if n < _EXACT_BELOW:
    tail = sum(math.comb(n, i) for i in range(min(b, c) + 1))
    return {'b': b, 'c': c, 'test': 'exact',
            'p_value': min(1.0, 2 * tail / 2**n)}
  statistic = max(abs(b - c) - 1, 0)**2 / n
  # The upper tail of chi-squared with one degree of freedom.
  return {'b': b, 'c': c, 'test': 'chi_squared',
          'p_value': math.erfc(math.sqrt(statistic / 2))}


def table(compared: Mapping[str, Any], a: str, b: str) -> str:
  """Sets a comparison as plain text.

  Args:
    compared: as `compare` returns it.
    a: name of the first classifier.
    b: name of the second.
  """
  lines = [f'{a} minus {b}, {compared["n"]:,} images:']
  for key, title in (('accuracy', 'accuracy'), ('f1_macro', 'macro F1')):
    value, ends = compared[key]['difference'], compared[key]['interval']
    shown = f' ({ends[0]:+.4f} to {ends[1]:+.4f})' if ends else ''
    lines.append(f'  {title}  {value:+.4f}{shown}')
  test = compared['mcnemar']
  lines += [
      f'  only the first is right on {test["b"]} images, only the second on '
      f'{test["c"]}: p = {test["p_value"]:.2g} (McNemar, '
      f'{test["test"].replace("_", " ")})',
      f'{100 * compared["level"]:g} % intervals from '
      f'{compared["resamples"]:,} resamples by {compared["resampled_by"]}',
  ]
  return '\n'.join(lines)


def _differences(
    a: predictions_lib.Predictions,
    b: predictions_lib.Predictions,
    counts: np.ndarray,
) -> dict[str, np.ndarray]:
  """Metrics of a minus those of b, [...] for counts [..., n]."""
  first, second = (
      metrics.confusion(p.labels, p.predicted, len(p.class_names), counts)
      for p in (a, b)
  )
  return {
      'accuracy': metrics.accuracy(first) - metrics.accuracy(second),
      'f1_macro': metrics.f1_per_class(first).mean(axis=-1)
                  - metrics.f1_per_class(second).mean(axis=-1),
  }


def _aligned(
    a: predictions_lib.Predictions, b: predictions_lib.Predictions
) -> tuple[predictions_lib.Predictions, predictions_lib.Predictions]:
  """Returns both in the order of `a`, with the groups that either knows."""
  if a.class_names != b.class_names:
    raise _error(
        f'classes {", ".join(a.class_names)} and {", ".join(b.class_names)}'
    )
  places = {name: i for i, name in enumerate(b.image_ids)}
  for names, others, which in (
      (a.image_ids, places, 'first'), (b.image_ids, set(a.image_ids), 'second')
  ):
    alone = [name for name in names if name not in others]
    if alone:
      raise _error(
          f'{len(alone)} images are only in the {which}, as {alone[0]!r}'
      )
  order = np.array([places[name] for name in a.image_ids], np.int64)
  b = predictions_lib.Predictions(
      a.image_ids, b.labels[order], b.probabilities[order], b.class_names,
      tuple(b.groups[i] for i in order) if b.groups else (),
  )
  for i in np.flatnonzero(a.labels != b.labels):
    first, second = (a.class_names[p.labels[i]] for p in (a, b))
    raise _error(f'{a.image_ids[i]!r} is {first} and {second}')
  if a.groups and b.groups and a.groups != b.groups:
    raise _error('their images belong to other groups')
  return dataclasses.replace(a, groups=a.groups or b.groups), b


def _error(reason: str) -> errors.DataError:
  return errors.DataError(
      f'the two tables cannot be compared: {reason}; give the test'
      ' predictions of two runs with the same data, split and seed'
  )
