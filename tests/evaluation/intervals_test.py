"""Intervals are the textbook's, and never of width zero."""

import dataclasses
import sys
from typing import Any

import numpy as np
import pytest
from scipy import stats

from medxfer.evaluation import intervals
from medxfer.evaluation import metrics
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import resampling

SCALARS = (
    'accuracy',
    'f1_micro',
    'f1_macro',
    'balanced_accuracy',
    'auroc_macro',
)


def _scored(
    n: int, classes: int = 3, seed: int = 0, groups: tuple = ()
) -> predictions_lib.Predictions:
  """Labels that the probabilities tell with about 70 % accuracy."""
  generator = np.random.default_rng(seed)
  labels = generator.integers(0, classes, n)
  logits = generator.normal(size=(n, classes))
  logits[np.arange(n), labels] += 1.2
  odds = np.exp(logits)
  return predictions_lib.Predictions(
      tuple(f'i{i}' for i in range(n)),
      labels,
      odds / odds.sum(axis=1, keepdims=True),
      tuple(f'c{i}' for i in range(classes)),
      groups,
  )


def _right(right: np.ndarray) -> predictions_lib.Predictions:
  """Two classes in turn, surely right or surely wrong."""
  n = len(right)
  labels = np.arange(n) % 2
  return predictions_lib.Predictions(
      tuple(f'i{i}' for i in range(n)),
      labels,
      np.eye(2)[np.where(right, labels, 1 - labels)],
      ('a', 'b'),
  )


def _clustered(
    lesions: int = 60, images: int = 5, seed: int = 0
) -> predictions_lib.Predictions:
  """Images of a lesion are all right or all wrong."""
  generator = np.random.default_rng(seed)
  right = np.repeat(generator.random(lesions) < 0.7, images)
  labels = np.repeat(generator.integers(0, 2, lesions), images)
  sure = np.where(right == (labels == 1), 0.8, 0.2)
  return predictions_lib.Predictions(
      tuple(f'i{i}' for i in range(len(labels))),
      labels,
      np.stack([1 - sure, sure], axis=1),
      ('a', 'b'),
      tuple(np.repeat([f'g{i}' for i in range(lesions)], images).tolist()),
  )


@pytest.mark.parametrize('n, right', [(4, 4), (15, 15), (20, 1), (300, 299)])
def test_shares_of_images_are_those_of_clopper_and_pearson(
    n: int, right: int
) -> None:
  """Protects: without groups, the exact interval of SciPy."""
  scored = _right(np.arange(n) < right)
  want = stats.binomtest(right, n).proportion_ci()
  answer = intervals.compute(scored)
  np.testing.assert_allclose(answer['accuracy'], want, atol=1e-9)
  mine = np.arange(0, n, 2) < right
  want = stats.binomtest(int(mine.sum()), mine.size).proportion_ci()
  np.testing.assert_allclose(answer['recall_per_class']['a'], want, atol=1e-9)


@pytest.mark.parametrize('n', [2, 4, 15, 1000])
def test_perfect_is_not_certain(n: int) -> None:
  """Protects: no interval of width zero, and none without an end."""
  answer = intervals.compute(_right(np.ones(n, bool)))
  flat = {
      key: value for key, value in answer.items() if not isinstance(value, dict)
  }
  flat |= {
      f'{key} {name}': ends
      for key, value in answer.items()
      if isinstance(value, dict)
      for name, ends in value.items()
  }
  for name, (low, high) in flat.items():
    assert high - low > 1 / n / 2, name
    assert (low == 0) if name in ('ece', 'brier') else (high == 1), name


def test_perfect_groups_count_as_one_image_each() -> None:
  """Protects: 60 images of 15 patients are not 60 witnesses."""
  groups = tuple(f'p{i // 4}' for i in range(60))
  grouped = dataclasses.replace(_right(np.ones(60, bool)), groups=groups)
  low, _ = intervals.compute(grouped)['accuracy']
  assert low <= intervals.compute(_right(np.ones(15, bool)))['accuracy'][0]


def test_an_unseen_class_has_no_part_in_the_macro_f1() -> None:
  """Protects: nothing is said of a class without images, nor counted as 0."""
  scored = _scored(40, classes=2)
  seven = predictions_lib.Predictions(
      scored.image_ids,
      scored.labels,
      np.pad(scored.probabilities, ((0, 0), (0, 5))),
      tuple(f'c{i}' for i in range(7)),
  )
  answer = intervals.compute(seven)
  assert answer['f1_macro'] == intervals.compute(scored)['f1_macro']
  assert answer['f1_per_class']['c6'] is None


@pytest.mark.parametrize('grouped', [False, True])
def test_many_images_give_the_intervals_of_a_bootstrap(grouped: bool) -> None:
  """Protects: width and place, where the bootstrap is right too."""
  scored = _clustered(lesions=900, images=2) if grouped else _scored(1500)
  answer = intervals.compute(scored)
  counts = np.concatenate(
      list(resampling.counts(scored, resamples=800, seed=3))
  )
  table = metrics.confusion(
      scored.labels, scored.predicted, len(scored.class_names), counts
  )
  areas = metrics.auroc_per_class(
      scored.labels, scored.probabilities, counts
  ).mean(axis=1)
  f1, recall = metrics.f1_per_class(table), metrics.recall_per_class(table)
  for name, drawn in (
      ('accuracy', metrics.accuracy(table)),
      ('f1_macro', f1.mean(axis=1)),
      ('balanced_accuracy', recall.mean(axis=1)),
      ('auroc_macro', areas),
  ):
    np.testing.assert_allclose(
        answer[name],
        np.quantile(drawn, [0.025, 0.975]),
        atol=0.008,
        err_msg=name,
    )
  for k, name in enumerate(scored.class_names):
    for key, drawn in (('f1', f1), ('recall', recall)):
      np.testing.assert_allclose(
          answer[f'{key}_per_class'][name],
          np.quantile(drawn[:, k], [0.025, 0.975]),
          atol=0.015,
      )


def test_predictive_values_are_of_one_class_against_the_rest() -> None:
  """Protects: which images are counted, by hand."""
  scored = _scored(60)
  answer = intervals.compute(scored)
  is_one, called = scored.labels == 1, scored.predicted == 1
  for key, part, whole in (
      ('specificity', ~called & ~is_one, ~is_one),
      ('ppv', called & is_one, called),
      ('npv', ~called & ~is_one, ~called),
  ):
    want = stats.binomtest(int(part.sum()), int(whole.sum())).proportion_ci()
    np.testing.assert_allclose(
        answer[f'{key}_per_class']['c1'], want, atol=1e-9
    )


def test_same_seed_same_interval() -> None:
  """Protects: a summary can be recomputed to the last digit."""
  scored = _scored(80)
  first = intervals.compute(scored, resamples=200, seed=5)
  assert intervals.compute(scored, resamples=200, seed=5) == first
  for name in SCALARS:
    low, high = first[name]
    assert 0 <= low <= metrics.compute(scored)[name] <= high <= 1


def test_groups_widen_the_interval_of_clustered_images() -> None:
  """Protects: five photos of one lesion are not five independent images."""
  grouped = _clustered()
  by_group = intervals.compute(grouped)
  by_image = intervals.compute(dataclasses.replace(grouped, groups=()))
  for name in ('accuracy', 'f1_macro', 'balanced_accuracy'):
    wide, narrow = np.diff(by_group[name])[0], np.diff(by_image[name])[0]
    # The square root of five images a lesion is 2.24.
    assert 1.8 < wide / narrow < 2.7, name


def test_nothing_known_gives_no_interval() -> None:
  """Protects: one patient does not look like certainty."""
  scored = _scored(20)
  lone = dataclasses.replace(scored, groups=('patient',) * 20)
  answer = intervals.compute(lone, resamples=20)
  assert [answer[name] for name in SCALARS] == [None] * 5
  assert answer['ece'] is answer['brier'] is None
  for key in ('f1', 'recall', 'auroc', 'ppv'):
    assert set(answer[f'{key}_per_class'].values()) == {None}
  one_class = dataclasses.replace(scored, labels=np.zeros(20, int))
  answer = intervals.compute(one_class, resamples=20)
  assert answer['auroc_macro'] is None and answer['accuracy'] is not None


@pytest.mark.parametrize(
    'change', [{'resamples': 0}, {'level': 0.0}, {'level': 1.0}, {'level': 95}]
)
def test_senseless_arguments_are_refused(change: dict) -> None:
  """Protects: 95 is not taken for 95 %."""
  with pytest.raises(ValueError):
    intervals.compute(_scored(5), **change)


def _calls(scored: predictions_lib.Predictions, resamples: int) -> int:
  """Returns how many Python functions `compute` calls."""
  count = 0

  def profile(frame: Any, event: Any, argument: Any) -> None:
    nonlocal count
    del frame, argument
    count += event == 'call'

  sys.setprofile(profile)
  try:
    intervals.compute(scored, resamples=resamples)
  finally:
    sys.setprofile(None)
  return count


def test_no_function_is_called_per_image_or_draw() -> None:
  """Protects: large tables and many draws are computed as arrays."""
  few = _calls(_scored(500), resamples=20)
  assert _calls(_scored(5000), resamples=20) < 1.1 * few
  assert _calls(_scored(500), resamples=2000) < 1.1 * few
