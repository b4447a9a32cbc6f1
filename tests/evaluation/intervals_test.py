"""The bootstrap is the textbook's, only faster."""

import dataclasses
import time

import numpy as np
import pytest

from medxfer.evaluation import intervals
from medxfer.evaluation import metrics
from medxfer.evaluation import predictions as predictions_lib

SCALARS = (
    'accuracy', 'f1_micro', 'f1_macro', 'balanced_accuracy', 'auroc_macro'
)


def _scored(n, classes=3, seed=0, groups=()):
  """Labels that the probabilities tell with about 70 % accuracy."""
  generator = np.random.default_rng(seed)
  labels = generator.integers(0, classes, n)
  logits = generator.normal(size=(n, classes))
  logits[np.arange(n), labels] += 1.2
  odds = np.exp(logits)
  return predictions_lib.Predictions(
      tuple(f'i{i}' for i in range(n)), labels,
      odds / odds.sum(axis=1, keepdims=True),
      tuple(f'c{i}' for i in range(classes)), groups,
  )


def _clustered(lesions=60, images=5, seed=0):
  """Images of a lesion are all right or all wrong."""
  generator = np.random.default_rng(seed)
  right = np.repeat(generator.random(lesions) < 0.7, images)
  labels = np.repeat(generator.integers(0, 2, lesions), images)
  sure = np.where(right == (labels == 1), 0.8, 0.2)
  return predictions_lib.Predictions(
      tuple(f'i{i}' for i in range(len(labels))), labels,
      np.stack([1 - sure, sure], axis=1), ('a', 'b'),
      tuple(np.repeat([f'g{i}' for i in range(lesions)], images).tolist()),
  )


@pytest.mark.parametrize('grouped', [False, True])
def test_equals_a_loop_over_the_same_counts(grouped, monkeypatch):
  """Protects: the vectorised replicates, their chunks and the quantiles."""
  groups = tuple(f'g{i // 3}' for i in range(50)) if grouped else ()
  # With 6 classes and 50 images some replicates miss a class.
  scored = _scored(50, classes=6, groups=groups)
  monkeypatch.setattr(intervals, '_CHUNK_VALUES', 7 * 50)
  counts = np.concatenate(list(
      intervals.resampled_counts(scored, resamples=60, seed=3)
  ))
  assert counts.shape == (60, 50)
  loop = [metrics.compute(scored, row) for row in counts]
  fast = intervals.bootstrap(scored, resamples=60, level=0.9, seed=3)
  for name in SCALARS:
    np.testing.assert_allclose(
        fast[name], np.quantile([one[name] for one in loop], [0.05, 0.95])
    )
  for name in scored.class_names:
    values = [one['f1_per_class'][name] for one in loop]
    np.testing.assert_allclose(
        fast['f1_per_class'][name], np.quantile(values, [0.05, 0.95])
    )


def test_whole_groups_are_drawn():
  """Protects: as many groups as there are, each with all its images."""
  groups = tuple('aabbbcdddd')
  scored = _scored(10, groups=groups)
  counts = np.concatenate(list(
      intervals.resampled_counts(scored, resamples=500, seed=0)
  ))
  firsts = [0, 2, 5, 6]
  assert (counts[:, firsts].sum(axis=1) == 4).all()
  for first, size in zip(firsts, (2, 3, 1, 4)):
    same = counts[:, first:first + size]
    assert (same == same[:, :1]).all()
  np.testing.assert_allclose(counts.mean(axis=0), 1, atol=0.15)


def test_same_seed_same_interval_other_seed_another():
  """Protects: a summary can be recomputed to the last digit."""
  scored = _scored(80)
  first = intervals.bootstrap(scored, resamples=200, seed=5)
  assert intervals.bootstrap(scored, resamples=200, seed=5) == first
  assert intervals.bootstrap(scored, resamples=200, seed=6) != first
  for name in SCALARS:
    low, high = first[name]
    assert 0 <= low <= metrics.compute(scored)[name] <= high <= 1


def test_covers_the_truth_about_as_often_as_it_says():
  """Protects: 95 % means 95 %, within what 200 data sets can tell."""
  truth = metrics.compute(_scored(40_000, seed=999))['accuracy']
  hits = 0
  for seed in range(200):
    low, high = intervals.bootstrap(
        _scored(150, seed=seed), resamples=300, seed=seed
    )['accuracy']
    hits += low <= truth <= high
  assert 0.90 <= hits / 200 <= 0.99


def test_groups_widen_the_interval_of_clustered_images():
  """Protects: five photos of one lesion are not five independent images."""
  grouped = _clustered()
  by_group = intervals.bootstrap(grouped, resamples=400)
  by_image = intervals.bootstrap(
      dataclasses.replace(grouped, groups=()), resamples=400
  )
  for name in ('accuracy', 'f1_macro', 'balanced_accuracy'):
    wide, narrow = np.diff(by_group[name])[0], np.diff(by_image[name])[0]
    # The square root of five images a lesion is 2.24.
    assert 1.8 < wide / narrow < 2.7, name


def test_nothing_known_gives_no_interval():
  """Protects: one patient does not look like certainty."""
  scored = _scored(20)
  lone = dataclasses.replace(scored, groups=('patient',) * 20)
  answer = intervals.bootstrap(lone, resamples=20)
  assert [answer[name] for name in SCALARS] == [None] * 5
  assert set(answer['f1_per_class'].values()) == {None}
  one_class = dataclasses.replace(scored, labels=np.zeros(20, int))
  answer = intervals.bootstrap(one_class, resamples=20)
  assert answer['auroc_macro'] is None and answer['accuracy'] is not None


@pytest.mark.parametrize('change', [
    {'resamples': 0}, {'level': 0.0}, {'level': 1.0}, {'level': 95}
])
def test_senseless_arguments_are_refused(change):
  """Protects: 95 is not taken for 95 %."""
  with pytest.raises(ValueError):
    intervals.bootstrap(_scored(5), **change)


def test_a_thousand_resamples_are_fast():
  """Protects: no loop over replicates (about 0.4 s; the bound is loose)."""
  scored = _scored(2000, classes=7)
  start = time.process_time()
  intervals.bootstrap(scored, resamples=1000)
  assert time.process_time() - start < 3
