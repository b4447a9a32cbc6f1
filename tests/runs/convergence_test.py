"""Protects readers from conclusions about networks that are not trained."""

import dataclasses
from typing import Any

import pytest

from medxfer import spec as specs
from medxfer.recipes import ham
from medxfer.runs import convergence

_SPEC = specs.from_config(ham.get_config('head,tuned')).training


def _history(
    values: list,
    train: float = 0.5,
    val: float | list = 0.6,
    monitor: str = 'f1_macro',
) -> list:
  losses = val if isinstance(val, list) else [val] * len(values)
  return [
      {
          'epoch': i + 1,
          'train_loss': train,
          'val_loss': loss,
          f'val_{monitor}': value,
      }
      for i, (value, loss) in enumerate(zip(values, losses))
  ]


def _kinds(history: list, predicted: tuple = (3, 7), **changes: Any) -> list:
  scores = {
      'confusion': [list(predicted), [0, 0]],
      'n': sum(predicted),
      'class_names': ['a', 'b'],
  }
  notes = convergence.of_network(
      history, dataclasses.replace(_SPEC, **changes), scores
  )
  return [note['kind'] for note in notes]


def test_a_training_that_has_settled_has_no_note() -> None:
  """The best epoch lies before the end, the losses are level."""
  assert _kinds(_history([0.3, 0.5, 0.6, 0.61, 0.60, 0.60])) == []


def test_a_best_epoch_at_the_end_is_told() -> None:
  """Level at the end: the schedule may have ended it; rising: it did not."""
  assert _kinds(_history([0.3, 0.5, 0.6, 0.600, 0.601, 0.602])) == [
      'best_is_last'
  ]
  assert _kinds(_history([0.3, 0.4, 0.45, 0.5, 0.55, 0.6])) == [
      'best_is_last',
      'rising',
  ]
  assert _kinds(_history([0.5])) == ['best_is_last']


def test_a_loss_gets_better_by_falling() -> None:
  """`training.monitor=loss` turns the sign."""
  falling = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
  history = _history(falling, train=0.4, val=falling)
  for record in history:
    record['val_loss'] = falling[record['epoch'] - 1]
  assert _kinds(history, monitor='loss') == ['best_is_last', 'rising']


@pytest.mark.parametrize(
    'train, expected', [(0.05, ['overfitting']), (0.2, []), (0.6, [])]
)
def test_a_training_loss_far_below_the_validation_loss_is_told(
    train: float, expected: list
) -> None:
  """The network fits its images, not what they show."""
  assert _kinds(_history([0.3, 0.4, 0.6, 0.5], train)) == expected


def test_one_epoch_alone_is_told() -> None:
  """It is the best and the last, and no training."""
  [note] = convergence.of_network(
      _history([0.4]),
      _SPEC,
      {'confusion': [[1, 0], [0, 1]], 'n': 2, 'class_names': ['a', 'b']},
  )
  assert note['text'].startswith('only one epoch was trained: more may')


def test_one_class_for_all_is_told() -> None:
  """An accuracy of the commonest class is no skill."""
  history = _history([0.3, 0.5, 0.4])
  assert _kinds(history, predicted=(0, 10)) == ['one_class']
  text = convergence.of_scores(
      {'confusion': [[4, 0], [6, 0]], 'n': 10, 'class_names': ['a', 'b']},
      'test',
  )[0]['text']
  assert "10 test images are called 'a'" in text
