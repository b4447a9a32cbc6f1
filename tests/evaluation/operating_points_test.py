"""Protects operating points: chosen on validation, told on test."""

import dataclasses

import numpy as np
import pytest
from sklearn import metrics as reference

from medxfer.evaluation import net_benefit
from medxfer.evaluation import operating_points
from medxfer.evaluation import predictions as predictions_lib


def _scored(
    n: int = 400, seed: int = 0, positive: float = 0.3
) -> predictions_lib.Predictions:
  draw = np.random.default_rng(seed)
  labels = (draw.random(n) < positive).astype(int)
  p = 1 / (1 + np.exp(-draw.normal(2.0 * labels - 1, 1.0)))
  return predictions_lib.Predictions(
      tuple(f'{seed}-{i}' for i in range(n)),
      labels,
      np.stack([1 - p, p], axis=1),
      ('well', 'ill'),
  )


@pytest.mark.parametrize('rate', operating_points.RATES)
@pytest.mark.parametrize('least', [0.5, 0.8, 0.9, 0.99])
def test_the_best_other_rate_is_chosen_among_all_thresholds(
    rate: str, least: float
) -> None:
  """By trying every one of scikit-learn's curve."""
  scored = _scored()
  cut = operating_points.threshold(scored, 1, rate, least)
  assert cut is not None
  p = scored.probabilities[:, 1]
  false, true, _ = reference.roc_curve(
      scored.labels, p, drop_intermediate=False
  )
  asked, other = (
      (true, 1 - false) if rate == 'sensitivity' else (1 - false, true)
  )
  called = p >= cut
  got = {
      'sensitivity': called[scored.labels == 1].mean(),
      'specificity': (~called)[scored.labels == 0].mean(),
  }
  assert got[rate] >= least
  rest = got['specificity' if rate == 'sensitivity' else 'sensitivity']
  assert rest == pytest.approx(other[asked >= least].max())


def test_the_test_images_tell_what_it_comes_to() -> None:
  """Rates of scikit-learn; the intervals hold them."""
  val, test = _scored(), _scored(seed=1)
  [found] = operating_points.measures(
      val, test, [('specificity', 0.9)], ['ill'], {}
  )
  called = test.probabilities[:, 1] >= found['threshold']
  assert found['sensitivity'] == reference.recall_score(test.labels, called)
  assert found['specificity'] == reference.recall_score(
      test.labels, called, pos_label=0
  )
  assert found['ppv'] == reference.precision_score(test.labels, called)
  assert found['npv'] == reference.precision_score(
      test.labels, called, pos_label=0
  )
  for key in ('sensitivity', 'specificity', 'ppv', 'npv'):
    low, high = found['intervals'][key]
    assert low < found[key] < high
  assert 'ppv_there' not in found


def test_predictive_values_at_a_prevalence_are_those_of_bayes() -> None:
  """The formula of the textbook."""
  val, test = _scored(), _scored(2_000, seed=1)
  [found] = operating_points.measures(
      val, test, [('sensitivity', 0.8)], ['ill'], {'ill': 0.02}
  )
  se, sp, p = found['sensitivity'], found['specificity'], 0.02
  assert found['ppv_there'] == pytest.approx(
      se * p / (se * p + (1 - sp) * (1 - p))
  )
  assert found['npv_there'] == pytest.approx(
      sp * (1 - p) / (sp * (1 - p) + (1 - se) * p)
  )
  assert found['ppv_there'] < found['ppv']


def test_their_intervals_cover_the_value_at_that_prevalence() -> None:
  """That of 400,000 images that were drawn with it, in 95 % but for chance."""
  val = _scored()
  rare = _scored(400_000, seed=1, positive=0.02)
  hits = 0
  for seed in range(2, 102):
    [found] = operating_points.measures(
        val, _scored(seed=seed), [('sensitivity', 0.8)], ['ill'], {'ill': 0.02}
    )
    called = rare.probabilities[:, 1] >= found['threshold']
    low, high = found['intervals']['ppv_there']
    hits += low <= reference.precision_score(rare.labels, called) <= high
  assert hits >= 90


def test_what_cannot_be_reached_is_none() -> None:
  """Equal scores tell nothing apart; nor does a class without images."""
  scored = _scored(50)
  flat = dataclasses.replace(scored, probabilities=np.full((50, 2), 0.5))
  assert operating_points.threshold(flat, 1, 'specificity', 0.9) is None
  one = scored.take(np.flatnonzero(scored.labels == 0))
  assert operating_points.threshold(one, 1, 'sensitivity', 0.9) is None
  [found] = operating_points.measures(
      flat, scored, [('specificity', 0.9)], ['ill'], {'ill': 0.1}
  )
  assert found == {
      'class': 'ill',
      'rate': 'specificity',
      'at_least': 0.9,
      'threshold': None,
  }


def test_net_benefit_is_that_of_its_definition() -> None:
  """Counted by hand; a perfect network earns the prevalence."""
  scored = _scored(300)
  thresholds = [0.1, 0.25, 0.5]
  curve = net_benefit.curve(scored, 1, thresholds)
  for t, found in zip(thresholds, curve):
    acted = scored.probabilities[:, 1] >= t
    hits = np.sum(acted & (scored.labels == 1))
    alarms = np.sum(acted & (scored.labels == 0))
    assert found == pytest.approx((hits - alarms * t / (1 - t)) / 300)
  perfect = dataclasses.replace(scored, probabilities=np.eye(2)[scored.labels])
  share = scored.labels.mean()
  np.testing.assert_allclose(net_benefit.curve(perfect, 1, thresholds), share)
  everyone = dataclasses.replace(
      scored, probabilities=np.tile([0.0, 1.0], (300, 1))
  )
  np.testing.assert_allclose(
      net_benefit.of_all(scored, 1, thresholds),
      net_benefit.curve(everyone, 1, thresholds),
  )
  # Above the better of acting on everyone and on no one; never above perfect.
  gain = net_benefit.gain(scored, 1, thresholds)
  alone = [max(share - (1 - share) * t / (1 - t), 0) for t in thresholds]
  np.testing.assert_allclose(gain, curve - alone)
  assert (gain <= net_benefit.gain(perfect, 1, thresholds)).all()
