"""Protects sensitivity, specificity, PPV and NPV of every class."""

import numpy as np
import pytest

from medxfer.evaluation import intervals
from medxfer.evaluation import one_vs_rest
from medxfer.evaluation import predictions as predictions_lib


def _measures(scored: predictions_lib.Predictions) -> dict:
  return one_vs_rest.measures(scored, intervals.compute(scored, resamples=10))


def _scored(
    labels: list,
    predicted: list,
    names: tuple = ('a', 'b', 'c'),
    groups: tuple = (),
) -> predictions_lib.Predictions:
  probabilities = np.full((len(labels), len(names)), 0.1)
  probabilities[np.arange(len(labels)), predicted] = 0.9
  probabilities /= probabilities.sum(axis=1, keepdims=True)
  return predictions_lib.Predictions(
      tuple(f'i{i}' for i in range(len(labels))),
      labels,
      probabilities,
      names,
      groups,
  )


def test_the_four_shares_are_those_of_the_confusion_matrix() -> None:
  """Counted by hand, for each of three classes."""
  found = _measures(_scored([0, 0, 0, 0, 1, 1, 1, 2], [0, 0, 0, 1, 1, 1, 0, 1]))
  a, b, c = (found[name] for name in 'abc')
  assert a['n'] == 4
  assert [a[key] for key in ('sensitivity', 'specificity', 'ppv', 'npv')] == [
      3 / 4,
      3 / 4,
      3 / 4,
      3 / 4,
  ]
  assert [b[key] for key in ('sensitivity', 'specificity', 'ppv', 'npv')] == (
      pytest.approx([2 / 3, 3 / 5, 2 / 4, 3 / 4])
  )
  assert (c['sensitivity'], c['ppv'], c['intervals']['ppv']) == (0, None, None)


def test_perfect_shares_have_intervals_with_a_width() -> None:
  """Four of four do not prove that there is no error."""
  found = _measures(_scored([0, 0, 1, 1], [0, 0, 1, 1], ('a', 'b')))
  low, high = found['a']['intervals']['sensitivity']
  assert found['a']['sensitivity'] == high == 1
  assert low < 0.5


def test_images_of_one_group_count_less() -> None:
  """Ten images of two patients say less than ten of ten."""
  labels = [0] * 10 + [1] * 10
  alone = _measures(_scored(labels, labels, ('a', 'b')))
  grouped = _measures(
      _scored(
          labels, labels, ('a', 'b'), tuple(f'g{i // 5}' for i in range(20))
      )
  )
  low = lambda found: found['a']['intervals']['sensitivity'][0]
  assert low(grouped) < low(alone) - 0.2
