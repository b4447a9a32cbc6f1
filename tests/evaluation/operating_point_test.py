"""Thresholds of two classes and ROC curves, against scikit-learn."""

import dataclasses
import json

import numpy as np
import pytest
from sklearn import metrics as reference

from medxfer.evaluation import intervals
from medxfer.evaluation import operating_point
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import summary

NAMES = ('NORMAL', 'PNEUMONIA')


def _scored(
    scores: list | np.ndarray, labels: list | np.ndarray, groups: tuple = ()
) -> predictions_lib.Predictions:
  scores = np.asarray(scores, float)
  return predictions_lib.Predictions(
      tuple(f'i{i}' for i in range(len(scores))),
      np.asarray(labels),
      np.stack([1 - scores, scores], axis=1),
      NAMES,
      groups,
  )


def _random(
    n: int = 300, steps: int | None = None, seed: int = 0
) -> predictions_lib.Predictions:
  generator = np.random.default_rng(seed)
  labels = generator.integers(0, 2, n)
  scores = generator.beta(2 + 2 * labels, 3)
  return _scored(
      scores if steps is None else np.round(scores * steps) / steps, labels
  )


def _youden(scored: predictions_lib.Predictions, threshold: float) -> float:
  positive = scored.probabilities[:, 1] >= threshold
  return (
      positive[scored.labels == 1].mean() - positive[scored.labels == 0].mean()
  )


@pytest.mark.parametrize('steps', [None, 8])
@pytest.mark.parametrize('seed', range(5))
def test_no_threshold_has_a_larger_j(steps: int | None, seed: int) -> None:
  """The maximum of sensitivity + specificity - 1, with and without ties."""
  scored = _random(steps=steps, seed=seed)
  chosen = operating_point.threshold(scored, NAMES[1])
  every = [_youden(scored, t) for t in np.unique(scored.probabilities[:, 1])]
  assert _youden(scored, chosen) == pytest.approx(max(every), abs=1e-12)
  fpr, tpr, _ = reference.roc_curve(scored.labels, scored.probabilities[:, 1])
  assert _youden(scored, chosen) == pytest.approx((tpr - fpr).max())


def test_the_threshold_lies_in_the_middle_of_the_gap() -> None:
  """New images of either class fall as far from it as can be."""
  assert (
      operating_point.threshold(
          _scored([0.125, 0.25, 0.75, 0.875], [0, 0, 1, 1]), NAMES[1]
      )
      == 0.5
  )
  assert (
      operating_point.threshold(
          _scored([0.5, 0.625, 0.875, 1], [0, 0, 1, 1]), NAMES[1]
      )
      == 0.75
  )


def test_of_equal_thresholds_the_nearest_to_one_half_is_chosen() -> None:
  """Two gaps that part the classes equally well."""
  # Between 0.125 and 0.25, or between 0.5 and 0.75: one error each.
  scored = _scored([0.125, 0.25, 0.5, 0.75], [0, 1, 0, 1])
  assert operating_point.threshold(scored, NAMES[1]) == 0.625
  mirrored = _scored([0.25, 0.5, 0.75, 0.875], [0, 1, 0, 1])
  assert operating_point.threshold(mirrored, NAMES[1]) == 0.375


def test_equal_scores_leave_one_half() -> None:
  """A constant classifier has no better threshold than any other."""
  assert (
      operating_point.threshold(_scored([0.75] * 4, [0, 1, 0, 1]), NAMES[1])
      == 0.5
  )


def test_a_shifted_prior_is_repaired_on_other_images() -> None:
  """What the threshold is for: ranking is right, one half is not."""
  generator = np.random.default_rng(3)

  def draw(n: int) -> predictions_lib.Predictions:
    labels = generator.integers(0, 2, n)
    return _scored(generator.beta(np.where(labels, 20, 14), 4), labels)

  chosen = operating_point.threshold(draw(400), NAMES[1])
  test = draw(1000)
  before = operating_point.at(test, 0.5, NAMES[1])
  after = operating_point.at(test, chosen, NAMES[1])
  assert before['specificity'] < 0.1
  assert after['accuracy'] > before['accuracy'] + 0.1


@pytest.mark.parametrize('threshold', [0.3, 0.5, 0.7])
def test_numbers_at_a_threshold_are_those_of_scikit_learn(
    threshold: float,
) -> None:
  """Definitions, and which class is the positive one."""
  scored = _random(steps=10)
  predicted = scored.probabilities[:, 1] >= threshold
  answer = operating_point.at(scored, threshold, NAMES[1])
  assert answer['positive'] == 'PNEUMONIA'
  assert answer['threshold'] == threshold
  for name, want in (
      ('accuracy', reference.accuracy_score(scored.labels, predicted)),
      (
          'f1_macro',
          reference.f1_score(scored.labels, predicted, average='macro'),
      ),
      ('sensitivity', reference.recall_score(scored.labels, predicted)),
      (
          'specificity',
          reference.recall_score(scored.labels, predicted, pos_label=0),
      ),
  ):
    assert answer[name] == pytest.approx(want, abs=1e-12), name
  assert (
      answer['confusion']
      == reference.confusion_matrix(scored.labels, predicted).tolist()
  )
  np.testing.assert_allclose(
      [answer['f1_per_class'][name] for name in NAMES],
      reference.f1_score(scored.labels, predicted, average=None),
  )
  assert json.loads(json.dumps(answer, allow_nan=False)) == answer


def test_intervals_at_one_half_are_those_of_the_summary() -> None:
  """By group alike, so that two rows of a table compare."""
  scored = dataclasses.replace(
      _random(), groups=tuple(f'p{i // 3}' for i in range(300))
  )
  answer = operating_point.at(scored, 0.5, NAMES[1])['intervals']
  usual = intervals.compute(scored)
  for name in ('accuracy', 'f1_macro', 'f1_per_class'):
    assert answer[name] == usual[name]
  for name in ('sensitivity', 'specificity'):
    low, high = answer[name]
    assert 0 < low < high < 1


def test_a_side_without_positives_has_no_sensitivity() -> None:
  """None, not NaN, in summary.json."""
  answer = operating_point.at(
      _scored([0.25, 0.75, 0.125], [0, 0, 0]), 0.5, NAMES[1]
  )
  assert answer['sensitivity'] is None
  assert answer['intervals']['sensitivity'] is None
  assert answer['specificity'] == pytest.approx(2 / 3)


@pytest.mark.parametrize('steps', [None, 6, 1])
def test_roc_is_that_of_scikit_learn(steps: int | None) -> None:
  """Every corner, also where scores are equal; one class against the rest."""
  generator = np.random.default_rng(5)
  probabilities = generator.dirichlet(np.ones(3), 200)
  if steps:
    probabilities = generator.multinomial(steps, np.ones(3) / 3, 200) / steps
  scored = predictions_lib.Predictions(
      tuple(f'i{i}' for i in range(200)),
      np.arange(200) % 3,
      probabilities,
      ('a', 'b', 'c'),
  )
  for k in range(3):
    ours = operating_point.roc(scored, k)
    theirs = reference.roc_curve(
        scored.labels == k, scored.probabilities[:, k], drop_intermediate=False
    )
    for mine, other in zip(ours, theirs):
      np.testing.assert_allclose(mine, other)


def test_the_positive_class_may_be_the_first() -> None:
  """The same images by the other class: both shares change places."""
  scored = _random()
  first, last = (operating_point.at(scored, 0.5, name) for name in NAMES)
  assert first['sensitivity'] == last['specificity']
  assert first['specificity'] == last['sensitivity']
  assert first['accuracy'] == last['accuracy']
  assert operating_point.threshold(scored, NAMES[0]) == pytest.approx(
      1 - operating_point.threshold(scored, NAMES[1])
  )


def test_what_has_no_threshold_is_refused() -> None:
  """Seven classes, or a side with one of two: no silent number."""
  seven = predictions_lib.Predictions(
      ('a',), [0], [[0.5, 0.25, 0.25]], ('x', 'y', 'z')
  )
  for call in (
      lambda: operating_point.threshold(seven, 'x'),
      lambda: operating_point.at(seven, 0.5, 'x'),
      lambda: operating_point.threshold(_scored([0.25, 0.5], [1, 1]), NAMES[1]),
      lambda: operating_point.roc(_scored([0.25, 0.5], [1, 1]), 1),
      lambda: operating_point.roc(_scored([], np.zeros(0, int)), 1),
  ):
    with pytest.raises(ValueError):
      call()


def test_the_summary_and_its_table_say_the_threshold() -> None:
  """A reader of the terminal sees it, with what it does."""
  scored = _random()
  plain = summary.split_summary(scored, resamples=10)
  answer = summary.split_summary(
      scored, resamples=10, threshold={'positive': NAMES[1], 'value': 0.375}
  )
  point = answer.pop('at_threshold')
  assert answer == plain
  assert point == operating_point.at(scored, 0.375, NAMES[1])
  text = summary.table({**answer, 'at_threshold': point})
  assert 'PNEUMONIA from a probability of 0.375 on:' in text
  low, high = point['intervals']['sensitivity']
  row = next(line for line in text.split('\n') if 'sensitivity' in line)
  assert row.split() == [
      'sensitivity',
      f'{point["sensitivity"]:.4f}',
      f'{low:.4f}-{high:.4f}',
  ]
  assert max(map(len, text.split('\n'))) <= 80
  assert 'from a probability' not in summary.table(plain)
