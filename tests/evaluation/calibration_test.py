"""Calibration against hand-made tables and scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as reference

from medxfer.evaluation import calibration
from medxfer.evaluation import predictions as predictions_lib


def _scored(labels, probabilities):
  probabilities = np.asarray(probabilities)
  return predictions_lib.Predictions(
      tuple(f'i{i}' for i in range(len(labels))), np.asarray(labels),
      probabilities, tuple(f'c{i}' for i in range(probabilities.shape[1])),
  )


@pytest.mark.parametrize('classes', [2, 7])
def test_brier_score_is_that_of_scikit_learn(classes):
  """Protects: the sum over all classes, also with two."""
  generator = np.random.default_rng(0)
  probabilities = generator.dirichlet(np.ones(classes), 200)
  labels = np.arange(200) % classes
  scored = _scored(labels, probabilities)
  exact = scored.probabilities / scored.probabilities.sum(1, keepdims=True)
  want = reference.brier_score_loss(labels, exact, scale_by_half=False)
  assert calibration.brier_score(scored) == pytest.approx(want, abs=1e-6)


def test_brier_score_has_its_ends():
  """Protects: 0 is perfect and 2 surely wrong."""
  sure = [[1.0, 0.0, 0.0]]
  assert calibration.brier_score(_scored([0], sure)) == 0
  assert calibration.brier_score(_scored([1], sure)) == 2


def test_error_by_hand():
  """Protects: equation 3 of Guo et al. on four images in two bins."""
  scored = _scored(
      [0, 0, 1, 1], [[0.75, 0.25], [0.75, 0.25], [0.75, 0.25], [0.0, 1.0]]
  )
  # Three at 0.75, two of them right; one at 1.0, right.
  want = 3 / 4 * abs(2 / 3 - 0.75)
  assert calibration.expected_calibration_error(scored) == pytest.approx(want)
  rows = [row for row in calibration.reliability(scored) if row['count']]
  assert [row['count'] for row in rows] == [3, 1]
  assert rows[0]['accuracy'] == pytest.approx(2 / 3)
  assert rows[0]['confidence'] == 0.75
  assert rows[0]['low'] < 0.75 <= rows[0]['high']


def test_bins_hold_their_upper_edge():
  """Protects: intervals open below and closed above; 1.0 has a place."""
  scored = _scored([0, 0, 0], [[0.5, 0.5], [0.75, 0.25], [1.0, 0.0]])
  rows = calibration.reliability(scored, bins=4)
  assert [row['count'] for row in rows] == [0, 1, 1, 1]
  assert rows[0]['confidence'] is None and rows[0]['accuracy'] is None
  assert len(calibration.reliability(scored)) == 15


def test_calibrated_scores_have_a_small_error():
  """Protects: the sign of the idea: honest scores are near 0, boasts not."""
  generator = np.random.default_rng(1)
  sure = generator.uniform(0.5, 1, 20_000)
  labels = (generator.random(20_000) > sure).astype(int)
  honest = _scored(labels, np.stack([sure, 1 - sure], axis=1))
  boast = _scored(labels, np.tile([0.99, 0.01], (20_000, 1)))
  assert calibration.expected_calibration_error(honest) < 0.02
  assert calibration.expected_calibration_error(boast) == pytest.approx(
      0.99 - np.mean(labels == 0), abs=1e-6
  )


def test_nothing_to_measure_is_refused():
  """Protects: no 0/0 in a summary."""
  empty = _scored(np.zeros(0, int), np.zeros((0, 2)))
  for function in (
      calibration.brier_score, calibration.expected_calibration_error
  ):
    with pytest.raises(ValueError):
      function(empty)
  with pytest.raises(ValueError):
    calibration.reliability(empty, bins=0)
