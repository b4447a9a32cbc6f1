"""Calibration against hand-made tables and scikit-learn."""

import dataclasses

import numpy as np
import pytest
from sklearn import metrics as reference

from medxfer.evaluation import calibration
from medxfer.evaluation import predictions as predictions_lib


def _scored(
    labels: list | np.ndarray, probabilities: list | np.ndarray
) -> predictions_lib.Predictions:
  probabilities = np.asarray(probabilities)
  return predictions_lib.Predictions(
      tuple(f'i{i}' for i in range(len(labels))),
      np.asarray(labels),
      probabilities,
      tuple(f'c{i}' for i in range(probabilities.shape[1])),
  )


@pytest.mark.parametrize('classes', [2, 7])
def test_brier_score_is_that_of_scikit_learn(classes: int) -> None:
  """Protects: the sum over all classes, also with two."""
  generator = np.random.default_rng(0)
  probabilities = generator.dirichlet(np.ones(classes), 200)
  labels = np.arange(200) % classes
  scored = _scored(labels, probabilities)
  exact = scored.probabilities / scored.probabilities.sum(1, keepdims=True)
  want = reference.brier_score_loss(labels, exact, scale_by_half=False)
  assert calibration.brier_score(scored) == pytest.approx(want, abs=1e-6)


def test_brier_score_has_its_ends() -> None:
  """Protects: 0 is perfect and 2 surely wrong."""
  sure = [[1.0, 0.0, 0.0]]
  assert calibration.brier_score(_scored([0], sure)) == 0
  assert calibration.brier_score(_scored([1], sure)) == 2


def test_error_by_hand() -> None:
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


def test_bins_hold_their_upper_edge() -> None:
  """Protects: intervals open below and closed above; 1.0 has a place."""
  scored = _scored([0, 0, 0], [[0.5, 0.5], [0.75, 0.25], [1.0, 0.0]])
  rows = calibration.reliability(scored, bins=4)
  assert [row['count'] for row in rows] == [0, 1, 1, 1]
  assert rows[0]['confidence'] is None and rows[0]['accuracy'] is None
  assert len(calibration.reliability(scored)) == 15


def test_calibrated_scores_have_a_small_error() -> None:
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


def test_nothing_to_measure_is_refused() -> None:
  """Protects: no 0/0 in a summary."""
  empty = _scored(np.zeros(0, int), np.zeros((0, 2)))
  for function in (
      calibration.brier_score,
      calibration.expected_calibration_error,
  ):
    with pytest.raises(ValueError):
      function(empty)
  with pytest.raises(ValueError):
    calibration.reliability(empty, bins=0)


def _calibrated(
    n: int, seed: int, times: float = 1.0
) -> predictions_lib.Predictions:
  """Labels that follow the probabilities, whose logits are then stretched."""
  draw = np.random.default_rng(seed)
  logit = draw.normal(0, 2, n)
  labels = (draw.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
  said = 1 / (1 + np.exp(-times * logit))
  return _scored(labels, np.stack([1 - said, said], axis=1))


def test_chance_is_taken_out_of_the_error() -> None:
  """Protects: a calibrated network is not called 0.03 off."""
  tables = [_calibrated(1000, seed) for seed in range(30)]
  raw = np.mean([calibration.expected_calibration_error(t) for t in tables])
  less = np.mean([calibration.debiased_error(t) for t in tables])
  assert raw > 0.02 and less < raw / 2
  # Where it is really off, there is next to nothing to take out.
  boast = _calibrated(4000, 0, times=3)
  assert calibration.debiased_error(boast) == pytest.approx(
      calibration.expected_calibration_error(boast), rel=0.02
  )
  sure = _scored([0, 1, 0], np.eye(2)[[1, 0, 1]])
  assert calibration.debiased_error(sure) == pytest.approx(1)


def test_the_interval_of_a_calibrated_network_holds_zero() -> None:
  """Protects: an error that is chance is not told for sure."""
  drawn = {'resamples': 200, 'level': 0.95, 'seed': 0}
  ends = [
      calibration.intervals(_calibrated(300, seed), **drawn)['ece']
      for seed in range(20)
  ]
  assert sum(low == 0 for low, _ in ends) >= 18
  assert all(0.02 < high < 0.2 for _, high in ends)
  low, high = calibration.intervals(_calibrated(1000, 1, 3), **drawn)['ece']
  assert 0.08 < low < 0.133 < high < 0.2


def test_groups_widen_both_intervals() -> None:
  """Protects: four photos of one lesion are no four witnesses."""
  plain = _calibrated(150, 0, 2)
  rows = np.repeat(np.arange(150), 4)
  copies = _scored(plain.labels[rows], plain.probabilities[rows])
  grouped = dataclasses.replace(copies, groups=tuple(f'g{i}' for i in rows))
  drawn = {'resamples': 400, 'level': 0.95, 'seed': 0}
  alone, naive, honest = (
      calibration.intervals(table, **drawn)
      for table in (plain, copies, grouped)
  )
  for key in ('ece', 'brier'):
    wide, narrow = np.diff(honest[key])[0], np.diff(naive[key])[0]
    assert wide > 1.4 * narrow
    assert wide == pytest.approx(np.diff(alone[key])[0], rel=0.15)
