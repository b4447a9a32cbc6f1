"""Protects calibration: how sure a network says it is."""

import dataclasses

import numpy as np
import pytest
from scipy import optimize
from scipy import special

from medxfer.evaluation import calibration
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import recalibration


def _scored(
    n: int = 3000,
    *,
    temperature: float = 1.0,
    biases: tuple = (0.0, 0.0, 0.0),
    seed: int = 0,
) -> predictions_lib.Predictions:
  """Three classes drawn from calibrated probabilities, which are then spoilt.

  Args:
    n: images.
    temperature: the one that mends the logits.
    biases: those that do.
    seed: of the draws.
  """
  draw = np.random.default_rng(seed)
  logits = draw.normal(size=(n, 3)) * 2
  true = special.softmax(logits, axis=1)
  labels = (draw.random((n, 1)) > true.cumsum(axis=1)).sum(axis=1).clip(0, 2)
  return predictions_lib.Predictions(
      tuple(f'{seed}-{i}' for i in range(n)),
      labels,
      special.softmax((logits - np.array(biases)) * temperature, axis=1),
      ('a', 'b', 'c'),
  )


def _after(
    scored: predictions_lib.Predictions, fitted: recalibration.Calibration
) -> predictions_lib.Predictions:
  return dataclasses.replace(
      scored, probabilities=fitted.apply(scored.probabilities)
  )


@pytest.mark.parametrize('temperature', [0.5, 1.0, 2.0, 4.0])
def test_the_temperature_that_spoilt_them_is_found(temperature: float) -> None:
  """And mends the error on other images; no prediction changes."""
  fitted = recalibration.fit(_scored(temperature=temperature), 'temperature')
  assert fitted.temperature == pytest.approx(temperature, rel=0.08)
  assert fitted.biases == (0.0, 0.0, 0.0)
  fresh = _scored(temperature=temperature, seed=1)
  mended = _after(fresh, fitted)
  np.testing.assert_array_equal(mended.predicted, fresh.predicted)
  assert calibration.expected_calibration_error(mended) < 0.03
  if temperature != 1:
    assert calibration.expected_calibration_error(fresh) > 0.06


def test_the_temperature_is_the_optimum_of_an_independent_search() -> None:
  """Up to the prior, which weighs as little as one image."""
  scored = _scored(temperature=2.5)
  log_p = np.log(scored.probabilities)
  search = optimize.minimize_scalar(
      lambda t: -special.log_softmax(log_p / t, axis=1)[
          np.arange(len(log_p)), scored.labels
      ].sum(),
      bounds=(0.2, 10),
      method='bounded',
  )
  fitted = recalibration.fit(scored, 'temperature')
  assert fitted.temperature == pytest.approx(search.x, rel=2e-3)


def test_biases_undo_what_class_weights_did() -> None:
  """Temperature alone cannot; `auto` sees that, by other groups."""
  biases = (1.0, 0.0, -1.0)
  scored = _scored(temperature=2.0, biases=biases)
  fitted = recalibration.fit(scored, 'bias_corrected')
  assert fitted.temperature == pytest.approx(2.0, rel=0.08)
  np.testing.assert_allclose(fitted.biases, biases, atol=0.15)
  fresh = _scored(temperature=2.0, biases=biases, seed=1)
  losses = {
      method: recalibration.loss(
          _after(fresh, recalibration.fit(scored, method))
      )
      for method in ('none', 'temperature', 'bias_corrected')
  }
  assert losses['bias_corrected'] < losses['temperature'] < losses['none']
  assert recalibration.fit(scored, 'auto') == fitted


def test_auto_leaves_alone_what_is_right() -> None:
  """More freedom does not win on the images that it was not fitted to."""
  chosen = [
      recalibration.fit(_scored(300, seed=seed), 'auto').method
      for seed in range(10)
  ]
  assert chosen.count('bias_corrected') <= 4


def test_a_network_that_is_always_right_stays_finite() -> None:
  """Its likelihood alone would make it infinitely sure."""
  n = 40
  labels = np.arange(n) % 2
  scored = predictions_lib.Predictions(
      tuple(map(str, range(n))),
      labels,
      np.where(np.eye(2)[labels] == 1, 0.9, 0.1),
      ('a', 'b'),
  )
  fitted = recalibration.fit(scored, 'temperature')
  assert 0.2 < fitted.temperature < 1


def test_what_was_applied_can_be_undone() -> None:
  """To the last digits that a table keeps; also where there is a zero."""
  scored = _scored(50)
  fitted = recalibration.Calibration('bias_corrected', 1.7, (0.3, -0.1, -0.2))
  np.testing.assert_allclose(
      fitted.undo(fitted.apply(scored.probabilities)),
      scored.probabilities,
      atol=1e-6,
  )
  assert np.isfinite(fitted.apply(np.array([[1.0, 0.0, 0.0]]))).all()
  again = recalibration.Calibration.from_json(fitted.to_json(('a', 'b', 'c')))
  assert again == fitted
