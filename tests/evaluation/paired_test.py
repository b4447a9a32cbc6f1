"""The paired comparison is the textbook's, and refuses what it cannot pair."""

from collections.abc import Callable
import dataclasses
from typing import Any

import numpy as np
import pytest
from scipy import stats

from medxfer import errors
from medxfer.evaluation import differences
from medxfer.evaluation import intervals
from medxfer.evaluation import metrics
from medxfer.evaluation import paired
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import resampling

NAMES = ('akiec', 'mel', 'nv')


def _scored(
    n: int = 120, skill: float = 1.2, seed: int = 0, groups: tuple = ()
) -> predictions_lib.Predictions:
  """All share the labels; `seed` and `skill` tell the classifiers apart."""
  labels = np.random.default_rng(99).integers(0, 3, n)
  logits = np.random.default_rng(seed).normal(size=(n, 3))
  logits[np.arange(n), labels] += skill
  odds = np.exp(logits)
  return predictions_lib.Predictions(
      tuple(f'i{i}' for i in range(n)),
      labels,
      odds / odds.sum(axis=1, keepdims=True),
      NAMES,
      groups,
  )


def _take(
    scored: predictions_lib.Predictions, rows: np.ndarray
) -> predictions_lib.Predictions:
  return predictions_lib.Predictions(
      tuple(scored.image_ids[i] for i in rows),
      scored.labels[rows],
      scored.probabilities[rows],
      scored.class_names,
      tuple(scored.groups[i] for i in rows) if scored.groups else (),
  )


def test_mcnemar_gives_the_textbook_number() -> None:
  """Approval ratings (Agresti 1990, page 350), as R's `mcnemar.test`."""
  answer = paired.mcnemar(150, 86)
  assert answer['test'] == 'chi_squared'
  assert answer['p_value'] == pytest.approx(4.115e-05, rel=1e-3)


@pytest.mark.parametrize(
    'b, c', [(0, 0), (1, 0), (0, 7), (5, 5), (3, 12), (24, 0), (12, 12)]
)
def test_few_disagreements_are_tested_exactly(b: int, c: int) -> None:
  """The binomial test of SciPy; nothing to tell apart is p = 1."""
  answer = paired.mcnemar(b, c)
  want = stats.binomtest(b, b + c).pvalue if b + c else 1.0
  assert answer['test'] == 'exact'
  assert answer['p_value'] == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize('b, c', [(25, 0), (13, 12), (20, 20), (300, 260)])
def test_many_disagreements_are_tested_by_chi_squared(b: int, c: int) -> None:
  """With Edwards' correction, which never passes the middle."""
  answer = paired.mcnemar(b, c)
  statistic = max(abs(b - c) - 1, 0) ** 2 / (b + c)
  assert answer['test'] == 'chi_squared'
  assert answer['p_value'] == pytest.approx(stats.chi2.sf(statistic, 1))
  # It approximates the exact test.
  assert answer['p_value'] == pytest.approx(
      stats.binomtest(b, b + c).pvalue, abs=0.01
  )


def test_differences_are_those_of_the_metrics() -> None:
  """a minus b, with the images counted that only one has right."""
  a, b = _scored(seed=1), _scored(seed=2, skill=0.6)
  answer = paired.compare(a, b, resamples=50)
  for name in ('accuracy', 'f1_macro'):
    assert answer[name]['difference'] == pytest.approx(
        metrics.compute(a)[name] - metrics.compute(b)[name], abs=1e-12
    )
  test = answer['mcnemar']
  assert test['b'] - test['c'] == round(answer['accuracy']['difference'] * 120)
  assert test['b'] == sum(
      x == y != z for x, y, z in zip(a.predicted, a.labels, b.predicted)
  )
  swapped = paired.compare(b, a, resamples=50)
  assert swapped['mcnemar']['p_value'] == test['p_value']
  np.testing.assert_allclose(
      swapped['accuracy']['interval'],
      [-x for x in reversed(answer['accuracy']['interval'])],
      atol=1e-12,
  )


@pytest.mark.parametrize('grouped', [False, True])
def test_the_interval_is_as_wide_as_that_of_a_bootstrap(grouped: bool) -> None:
  """The linearised variance is what drawing groups tends to."""
  groups = tuple(f'g{i // 4}' for i in range(1200)) if grouped else ()
  a, b = _scored(1200, seed=1, groups=groups), _scored(1200, seed=2, skill=0.6)
  answer = paired.compare(a, b)
  counts = np.concatenate(list(resampling.counts(a, resamples=800, seed=7)))
  for name in ('accuracy', 'f1_macro'):
    drawn, other = (
        differences.METRICS[name](
            metrics.confusion(x.labels, x.predicted, 3, counts)
        )
        for x in (a, b)
    )
    np.testing.assert_allclose(
        answer[name]['interval'],
        np.quantile(drawn - other, [0.025, 0.975]),
        atol=0.01,
    )
  assert answer['resampled_by'] == ('group' if grouped else 'image')


def test_pairing_sees_what_two_intervals_do_not() -> None:
  """The same hard images for both: the shared part of the noise cancels."""
  a = _scored(n=400, seed=1)
  wrong = np.flatnonzero(a.predicted == a.labels)[:12]
  probabilities = a.probabilities.copy()
  probabilities[wrong] = np.roll(probabilities[wrong], 1, axis=1)
  b = dataclasses.replace(a, probabilities=probabilities)
  low, high = paired.compare(a, b)['accuracy']['interval']
  own = intervals.compute(a)['accuracy']
  assert low > 0
  assert high - low < 0.5 * (own[1] - own[0])


def test_the_order_of_the_images_does_not_matter() -> None:
  """Two tables are one comparison, however they are sorted."""
  groups = tuple(f'g{i // 4}' for i in range(120))
  a, b = _scored(seed=1, groups=groups), _scored(seed=2, groups=groups)
  rows = np.random.default_rng(0).permutation(120)
  want = paired.compare(a, b, resamples=20)
  assert paired.compare(a, _take(b, rows), resamples=20) == want
  # Groups that only the second table knows are as good.
  plain = dataclasses.replace(a, groups=())
  assert paired.compare(plain, _take(b, rows), resamples=20) == want


def test_one_group_gives_no_interval() -> None:
  """One patient is not certainty; the difference still stands."""
  a = _scored(seed=1, groups=('p',) * 120)
  answer = paired.compare(a, _scored(seed=2), resamples=20)
  assert answer['accuracy']['interval'] is None
  assert answer['accuracy']['p_value'] is answer['p_value'] is None
  assert answer['accuracy']['difference'] != 0


@pytest.mark.parametrize(
    'change, message',
    [
        (
            lambda b: _take(b, np.arange(118)),
            "2 images are only in the first, as 'i118'",
        ),
        (
            lambda b: dataclasses.replace(b, image_ids=('x', *b.image_ids[1:])),
            "1 images are only in the first, as 'i0'",
        ),
        (
            lambda b: dataclasses.replace(
                b,
                image_ids=b.image_ids + ('new',),
                labels=np.append(b.labels, 0),
                probabilities=np.vstack([b.probabilities, [1, 0, 0]]),
            ),
            "1 images are only in the second, as 'new'",
        ),
        (
            lambda b: dataclasses.replace(
                b, class_names=('akiec', 'nv', 'mel')
            ),
            'classes akiec, mel, nv and akiec, nv, mel',
        ),
        (
            lambda b: dataclasses.replace(b, labels=(b.labels + 1) % 3),
            "'i0' is .* and ",
        ),
        (
            lambda b: dataclasses.replace(b, groups=('other',) * 120),
            'other groups',
        ),
    ],
)
def test_what_cannot_be_paired_is_refused(
    change: Callable[..., Any], message: str
) -> None:
  """Another split, other classes: the difference would mean nothing."""
  a = _scored(groups=tuple(f'g{i}' for i in range(120)))
  with pytest.raises(errors.DataError, match=message):
    paired.compare(a, change(_scored(seed=2)), resamples=5)


def test_a_comparison_reads_as_text() -> None:
  """The difference, its interval and the test, with their signs."""
  text = paired.table(
      {
          'n': 1200,
          'accuracy': {
              'difference': 0.01,
              'interval': [-0.002, 0.03],
              'p_value': 0.1124,
          },
          'f1_macro': {'difference': -0.02, 'interval': None, 'p_value': None},
          'mcnemar': {
              'b': 30,
              'c': 18,
              'test': 'chi_squared',
              'p_value': 0.1124,
          },
          'level': 0.95,
          'resamples': 1000,
          'resampled_by': 'group',
      },
      'all',
      'last',
  )
  assert 'all minus last, 1,200 images' in text
  assert 'accuracy  +0.0100 (-0.0020 to +0.0300), p = 0.11\n' in text
  assert 'macro F1  -0.0200\n' in text
  assert 'on 30 images, only the second on 18\n' in text


def _right(first: np.ndarray, second: np.ndarray, groups: tuple = ()) -> tuple:
  """Two classes in turn, right or wrong as said, bool [n] each."""
  labels = np.arange(len(first)) % 2
  return tuple(
      predictions_lib.Predictions(
          tuple(f'i{i}' for i in range(len(labels))),
          labels,
          np.eye(2)[np.where(right, labels, 1 - labels)],
          ('a', 'b'),
          groups,
      )
      for right in (first, second)
  )


@pytest.mark.parametrize('n', [20, 100, 2000])
@pytest.mark.parametrize(
    'only_first, is_clear', [(0, False), (4, False), (5, False), (8, True)]
)
def test_few_discordant_images_are_not_clear(
    n: int, only_first: int, is_clear: bool
) -> None:
  """4 against 0 is p = .125; nothing between them is not certainty."""
  second = np.arange(n) >= only_first
  answer = paired.compare(*_right(np.ones(n, bool), second))
  low, high = answer['accuracy']['interval']
  assert (low > 0) == is_clear and low < high
  if only_first < 8:
    assert answer['p_value'] == pytest.approx(
        stats.binomtest(0, only_first).pvalue if only_first else 1
    )
  for name in ('accuracy', 'f1_macro'):
    one = answer[name]
    assert (one['p_value'] < 0.05) == (
        not (one['interval'][0] <= 0 <= one['interval'][1])
    )


def test_images_of_a_group_are_one_witness() -> None:
  """Twelve images of two patients: p is 1/2, not 1/2048."""
  second = np.arange(120) >= 12
  groups = tuple(f'p{i // 6}' for i in range(120))
  answer = paired.compare(*_right(np.ones(120, bool), second, groups))
  assert answer['mcnemar']['p_value'] == pytest.approx(2**-11)
  assert answer['p_value'] == pytest.approx(0.5)
  assert answer['accuracy']['interval'][0] < 0


def test_one_seed_is_the_plain_comparison() -> None:
  """And several of the same tables cannot be surer than one of them."""
  a, b = _scored(300, seed=1, skill=2), _scored(300, seed=2, skill=0.9)
  one = paired.compare(a, b, resamples=200)
  assert paired.compare_seeds([(a, b)], resamples=200) == one
  two = paired.compare_seeds([(a, b), (a, b)], resamples=200)
  for name in ('accuracy', 'f1_macro'):
    np.testing.assert_allclose(two[name]['interval'], one[name]['interval'])
  assert two['n'] == 300 and two['seeds'] == 2 and two['mcnemar'] is None
  assert 'mean of 2 seeds' in paired.table(two, 'a', 'b')


def test_two_seeds_that_disagree_are_not_clear() -> None:
  """A difference that one seed does not show is not one of the method."""
  none = np.ones(400, bool)
  some, many = np.arange(400) >= 4, np.arange(400) >= 40
  answer = paired.compare_seeds(
      [_right(none, some), _right(none, many)], resamples=200
  )
  assert answer['accuracy']['difference'] == pytest.approx(0.055)
  assert answer['p_value'] > 0.05
  low, high = answer['accuracy']['interval']
  assert low < 0 < high


def test_what_no_comparison_can_be_made_of() -> None:
  """No seed, and seeds of other classes."""
  with pytest.raises(ValueError):
    paired.compare_seeds([])
  with pytest.raises(errors.DataError, match='other classes'):
    paired.compare_seeds(
        [(_scored(), _scored(seed=1)), _right(np.ones(9, bool), np.ones(9))]
    )
