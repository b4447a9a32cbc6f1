"""Paired comparison of two classifiers on the same images.

Two intervals that overlap say little: both classifiers stumble over the same
hard images. Compared image by image, that part cancels.

How a difference is judged, with its sources: `contrast`.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import math
from typing import Any

import numpy as np

from medxfer import errors
from medxfer.evaluation import across_seeds
from medxfer.evaluation import differences as contrast_lib
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

  Args:
    a: n > 0 scored images.
    b: the same images, in any order, scored by another classifier.
    resamples: ways to swap the classifiers that are tried at most.
    seed: of those that are drawn.

  Returns:
    `accuracy` and `f1_macro`, each {`difference`: a minus b, `interval`:
    [low, high], `p_value`: two-sided, by group}, both None for a single
    group; `p_value`, that of the accuracy; `mcnemar` as `mcnemar` returns
    it, b counting the images that only `a` has right and c those that only
    `b` has: it takes every image for independent, and with several images a
    group its own p-value is too small; `n`, `level`, `resamples`,
    `resampled_by` ('group' or 'image') and `seeds`, 1.

  Raises:
    errors.DataError: classes, images, labels or groups differ.
    ValueError: there are no images or no resamples.
  """
  return compare_seeds([(a, b)], resamples=resamples, seed=seed)


def compare_seeds(
    pairs: Sequence[contrast_lib.Pair],
    *,
    resamples: int = 1000,
    seed: int = 0,
    test_to_train: float | None = None,
) -> dict[str, Any]:
  """Compares two classifiers that were trained with several seeds.

  Two things vary: the images, of which those that are in several test subsets
  count as one (an image or group moves all seeds at once), and the training
  with its split (`over_seeds`).

  Args:
    pairs: of each seed the tables of both, as for `compare`. The test subsets
      of two seeds may differ and overlap.
    resamples: as for `compare`.
    seed: as for `compare`.
    test_to_train: images to test on by images to train on, from which the
      training subsets' overlap follows; None: what the overlap of the test
      subsets says, and not less than a quarter.

  Returns:
    The keys of `compare`, of the mean over the seeds; `n` counts each image
    once, `mcnemar` is None with more than one seed.

  Raises:
    errors.DataError: as `compare`, or two seeds have other classes.
    ValueError: as `compare`, or there is no pair.
  """
  if not pairs or resamples < 1 or not all(a.image_ids for a, _ in pairs):
    raise ValueError('a comparison needs a pair of images and a resample')
  pairs = [_aligned(a, b) for a, b in pairs]
  if len({a.class_names for a, _ in pairs}) > 1:
    raise _error('the seeds have other classes')
  contrast = contrast_lib.Contrast.of(pairs)
  if test_to_train is None:
    test_to_train = across_seeds.test_to_train([a.image_ids for a, _ in pairs])
  found = {
      name: contrast_lib.judged(
          contrast,
          name,
          level=_LEVEL,
          test_to_train=test_to_train,
          resamples=resamples,
          seed=seed,
      )
      for name in contrast_lib.METRICS
  }
  return {
      'n': len(set().union(*(a.image_ids for a, _ in pairs))),
      **found,
      'p_value': found['accuracy']['p_value'],
      'mcnemar': _mcnemar(*pairs[0]) if len(pairs) == 1 else None,
      'level': _LEVEL,
      'resamples': resamples,
      'resampled_by': 'group' if any(a.groups for a, _ in pairs) else 'image',
      'seeds': len(pairs),
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
    return {
        'b': b,
        'c': c,
        'test': 'exact',
        'p_value': min(1.0, 2 * tail / 2**n),
    }
  statistic = max(abs(b - c) - 1, 0) ** 2 / n
  # The upper tail of chi-squared with one degree of freedom.
  return {
      'b': b,
      'c': c,
      'test': 'chi_squared',
      'p_value': math.erfc(math.sqrt(statistic / 2)),
  }


def table(compared: Mapping[str, Any], a: str, b: str) -> str:
  """Sets a comparison as plain text.

  Args:
    compared: as `compare` or `compare_seeds` returns it.
    a: name of the first classifier.
    b: name of the second.
  """
  seeds = compared.get('seeds', 1)
  lines = [
      f'{a} minus {b}, {compared["n"]:,} images'
      + (f', mean of {seeds} seeds:' if seeds > 1 else ':')
  ]
  for key, title in (('accuracy', 'accuracy'), ('f1_macro', 'macro F1')):
    one = compared[key]
    value, ends, p_value = (
        one['difference'],
        one['interval'],
        one.get('p_value'),
    )
    shown = f' ({ends[0]:+.4f} to {ends[1]:+.4f})' if ends else ''
    tested = f', p = {p_value:.2g}' if p_value is not None else ''
    lines.append(f'  {title}  {value:+.4f}{shown}{tested}')
  test = compared['mcnemar']
  if test:
    lines.append(
        f'  only the first is right on {test["b"]} images, only the second on '
        f'{test["c"]}'
    )
  lines.append(
      f'{100 * compared["level"]:g} % intervals and p-values by '
      f'{compared["resampled_by"]}'
  )
  return '\n'.join(lines)


def _mcnemar(
    a: predictions_lib.Predictions, b: predictions_lib.Predictions
) -> dict[str, Any]:
  """Returns McNemar's test of two tables of the same images."""
  right, other = a.predicted == a.labels, b.predicted == b.labels
  return mcnemar(int((right & ~other).sum()), int((other & ~right).sum()))


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
      (a.image_ids, places, 'first'),
      (b.image_ids, set(a.image_ids), 'second'),
  ):
    alone = [name for name in names if name not in others]
    if alone:
      raise _error(
          f'{len(alone)} images are only in the {which}, as {alone[0]!r}'
      )
  order = np.array([places[name] for name in a.image_ids], np.int64)
  b = predictions_lib.Predictions(
      a.image_ids,
      b.labels[order],
      b.probabilities[order],
      b.class_names,
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
