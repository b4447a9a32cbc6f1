"""Protects the scores of subgroups: who is in which, and what is a gap."""

import numpy as np
import pytest

from medxfer.evaluation import metrics
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import subgroups


def _scored(right: np.ndarray, seed: int = 0) -> predictions_lib.Predictions:
  """Two classes in turn, right or wrong."""
  n = len(right)
  labels = np.arange(n) % 2
  called = np.where(right, labels, 1 - labels)
  return predictions_lib.Predictions(
      tuple(f'{seed}-{i}' for i in range(n)),
      labels,
      0.2 + 0.6 * np.eye(2)[called],
      ('a', 'b'),
  )


@pytest.mark.parametrize(
    'name, values, expected',
    [
        (
            'sex',
            ['f', ' m', '', 'unknown'],
            ['f', 'm', 'not known', 'not known'],
        ),
        (
            'age',
            ['5.0', '30', '49', '70', '85', ''],
            [
                'below 30',
                '30 to below 50',
                '30 to below 50',
                '70 and above',
                '70 and above',
                'not known',
            ],
        ),
        ('grade', ['1', '2', '3', '1'], ['1', '2', '3', '1']),
        (
            'size',
            [str(i) for i in range(8)],
            [
                *['below 1.75'] * 2,
                *['1.75 to below 3.5'] * 2,
                *['3.5 to below 5.25'] * 2,
                *['5.25 and above'] * 2,
            ],
        ),
        (
            'mixed',
            ['1', 'x', '2', '3', '4', '5'],
            ['1', 'x', '2', '3', '4', '5'],
        ),
    ],
)
def test_values_become_subgroups(
    name: str, values: list, expected: list
) -> None:
  """Numbers become bands; few of them, and text, stay."""
  assert subgroups.of_values(name, values) == expected


def test_scores_are_those_of_the_subgroup_alone() -> None:
  """And its gap is to all other images."""
  draw = np.random.default_rng(0)
  right = draw.random(400) < np.where(np.arange(400) < 100, 0.5, 0.9)
  scored = _scored(right)
  found = subgroups.measures(scored, {'clinic': ['x'] * 100 + ['y'] * 300})
  y, x = found['columns']['clinic']
  assert (x['subgroup'], x['n'], y['n'], found['compared']) == (
      'x',
      100,
      300,
      2,
  )
  alone = metrics.compute(scored.take(range(100)))
  assert x['accuracy'] == alone['accuracy'] == right[:100].mean()
  assert x['f1_macro'] == alone['f1_macro']
  assert x['sensitivity'] == alone['recall_per_class']
  gap = right[:100].mean() - right[100:].mean()
  assert x['gap']['value'] == pytest.approx(gap) == -y['gap']['value']
  low, high = x['gap']['interval']
  assert low < gap < high < 0


def test_few_images_say_nothing() -> None:
  """Nor do subgroups that leave too few others."""
  found = subgroups.measures(
      _scored(np.ones(100, bool)), {'sex': ['f'] * 95 + ['m'] * 5}
  )
  assert found['compared'] == 0
  for part in found['columns']['sex']:
    assert part['accuracy'] is None and part['gap'] is None


def test_a_column_of_names_is_left_out() -> None:
  """5,000 values are no subgroups; one value is none either."""
  found = subgroups.measures(
      _scored(np.ones(100, bool)),
      {'patient': [f'p{i}' for i in range(100)], 'scanner': ['s'] * 100},
  )
  assert not found['columns']
  assert found['left_out'] == {'patient': '100 different values, more than 30'}


def test_many_subgroups_without_a_difference_show_few_clear_gaps() -> None:
  """All intervals together miss in at most 5 % of the tables, to chance."""
  draw = np.random.default_rng(1)
  missed = 0
  for seed in range(100):
    scored = _scored(draw.random(400) < 0.8, seed)
    columns = {name: draw.choice(list('abcd'), 400).tolist() for name in 'xyz'}
    found = subgroups.measures(scored, columns)
    missed += any(
        not part['gap']['interval'][0] <= 0 <= part['gap']['interval'][1]
        for parts in found['columns'].values()
        for part in parts
    )
  assert missed <= 10
