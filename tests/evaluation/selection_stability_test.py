"""Protects how sure a choice by validation is called."""

import numpy as np
import pytest

from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import selection_stability


def _table(
    right: int, n: int = 40, groups: bool = False
) -> predictions_lib.Predictions:
  """Scores n images of two classes in turn, the first `right` rightly."""
  labels = np.arange(n) % 2
  guessed = np.where(np.arange(n) < right, labels, 1 - labels)
  return predictions_lib.Predictions(
      tuple(f'i{i}' for i in range(n)),
      labels,
      np.eye(2)[guessed],
      ('a', 'b'),
      tuple(f'g{i // 4}' for i in range(n)) if groups else (),
  )


def test_a_better_classifier_is_chosen_more_often() -> None:
  """The shares sum to one; what is right wherever another is wins always."""
  found = selection_stability.fractions([_table(20), _table(40), _table(30)])
  assert found.tolist() == [0, 1, 0]


def test_equals_are_the_firsts() -> None:
  """The cheapest is given first, and nothing speaks against it."""
  assert selection_stability.fractions([_table(30), _table(30)]).tolist() == [
      1,
      0,
  ]


def test_a_narrow_lead_is_an_open_choice() -> None:
  """Right on other halves, one image more: nearly a coin."""
  first, second = _table(20), _table(19)
  flipped = predictions_lib.Predictions(
      second.image_ids,
      second.labels,
      second.probabilities[:, ::-1],
      second.class_names,
  )
  found = selection_stability.fractions([first, flipped], resamples=2000)
  assert found.sum() == pytest.approx(1)
  assert 0.3 < found[1] < 0.7


@pytest.mark.parametrize('groups, share', [(False, 0.985), (True, 0.65)])
def test_whole_groups_are_drawn(groups: bool, share: float) -> None:
  """Four images of one patient are one witness, who may not be called."""
  found = selection_stability.fractions(
      [_table(20, groups=groups), _table(24, groups=groups)], resamples=2000
  )
  assert found[1] == pytest.approx(share, abs=0.03)


def test_tables_of_other_images_are_refused() -> None:
  """They would be compared row by row all the same."""
  with pytest.raises(ValueError, match='same images'):
    selection_stability.fractions([_table(20), _table(20, n=38)])
