"""Protects the comparison of two places: what is lost is told apart."""

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from medxfer.evaluation import external_validation
from medxfer.evaluation import predictions as predictions_lib

_NAMES = ('benign', 'malignant')


def _scored(
    n: int,
    *,
    signal: float = 2.0,
    positive: float = 0.5,
    bias: float = 0.0,
    seed: int = 0,
) -> predictions_lib.Predictions:
  """Two classes whose probabilities are those of Bayes' rule, less a bias.

  Args:
    n: images.
    signal: distance of the classes; 0 tells nothing.
    positive: fraction of the positive class; the probabilities take it for .5.
    bias: added to their log odds.
    seed: of the draws.
  """
  draw = np.random.default_rng(seed)
  labels = (draw.random(n) < positive).astype(int)
  x = draw.normal(signal * labels)
  odds = signal * (x - signal / 2) + bias
  p = 1 / (1 + np.exp(-odds)) if signal else draw.random(n)
  return predictions_lib.Predictions(
      tuple(f'{seed}-{i}' for i in range(n)),
      labels,
      np.stack([1 - p, p], axis=1),
      _NAMES,
  )


def _compared(
    here: predictions_lib.Predictions, there: predictions_lib.Predictions
) -> dict:
  places = external_validation.of_shared_classes(here, there)
  return external_validation.compare(
      places, np.array([0.5, 0.5]), resamples=100
  )


def test_values_are_those_of_scikit_learn() -> None:
  """On both sides; the difference is there minus here."""
  here, there = _scored(400), _scored(300, signal=1.0, seed=1)
  found = _compared(here, there)['metrics']
  for side, scored in ('here', here), ('there', there):
    p = scored.probabilities[:, 1]
    assert found['auroc_macro'][side]['value'] == pytest.approx(
        sklearn_metrics.roc_auc_score(scored.labels, p)
    )
    assert found['accuracy'][side]['value'] == pytest.approx(
        sklearn_metrics.accuracy_score(scored.labels, p > 0.5)
    )
  one = found['auroc_macro']
  assert one['difference']['value'] == pytest.approx(
      one['there']['value'] - one['here']['value']
  )
  low, high = one['difference']['interval']
  assert low < one['difference']['value'] < high < 0


def test_another_threshold_mends_what_a_bias_broke() -> None:
  """The ranking is as good as it was; the accuracy is not."""
  here, there = _scored(600), _scored(600, bias=3.0, seed=1)
  found = _compared(here, there)
  low, high = found['metrics']['auroc_macro']['difference']['interval']
  assert low < 0 < high
  broken = found['metrics']['accuracy']['there']['value']
  mended = found['threshold']['value']
  assert mended > broken + 0.1
  assert mended == pytest.approx(
      found['metrics']['accuracy']['here']['value'], abs=0.04
  )


def test_other_fractions_of_the_classes_are_corrected() -> None:
  """Known or estimated, they mend accuracy and calibration."""
  bias = np.log(0.8 / 0.2)  # What Bayes' rule adds for four of five.
  here = _scored(800, positive=0.8, bias=bias)
  there = _scored(800, positive=0.2, bias=bias, seed=1)
  found = external_validation.compare(
      external_validation.of_shared_classes(here, there),
      np.array([0.2, 0.8]),
      resamples=100,
  )
  before = found['metrics']
  assert found['fractions']['known']['malignant'] == pytest.approx(
      0.2, abs=0.03
  )
  for name in ('known', 'estimated'):
    after = found['adjusted'][name]
    assert (
        after['accuracy']['value'] > before['accuracy']['there']['value'] + 0.1
    )
    assert after['ece']['value'] < before['ece']['there']['value'] - 0.1
  assert found['fractions']['estimated']['malignant'] == pytest.approx(
      0.2, abs=0.05
  )


def test_no_image_chooses_its_own_threshold() -> None:
  """Where nothing is to be told, an own threshold brings nothing."""
  found = _compared(_scored(500), _scored(500, signal=0, seed=2))
  assert found['threshold']['value'] == pytest.approx(0.5, abs=0.05)


def test_an_interval_of_a_difference_covers() -> None:
  """In 95 % of 200 draws, to the error of so few."""
  truth = 0.9214 - 0.7602  # Phi(2 / sqrt 2) - Phi(1 / sqrt 2)
  hits = 0
  for seed in range(200):
    here = _scored(120, signal=1.0, seed=2 * seed)
    there = _scored(120, signal=2.0, seed=2 * seed + 1)
    ends = _auroc_difference(here, there)
    hits += ends[0] <= truth <= ends[1]
  assert hits >= 184


def _auroc_difference(
    here: predictions_lib.Predictions, there: predictions_lib.Predictions
) -> list[float]:
  found = external_validation.compare(
      external_validation.of_shared_classes(here, there),
      np.array([0.5, 0.5]),
      resamples=1,
  )
  return found['metrics']['auroc_macro']['difference']['interval']


def test_what_is_compared_is_of_the_classes_of_both() -> None:
  """A class that is missing there counts nowhere."""
  draw = np.random.default_rng(0)
  names = ('a', 'b', 'c')

  def scored(labels: np.ndarray) -> predictions_lib.Predictions:
    p = draw.dirichlet(np.ones(3), len(labels)) + 2 * np.eye(3)[labels]
    ids = tuple(map(str, range(len(labels))))
    return predictions_lib.Predictions(
        ids, labels, p / p.sum(axis=1, keepdims=True), names
    )

  here, there = scored(np.arange(90) % 3), scored(np.arange(60) % 2)
  places = external_validation.of_shared_classes(here, there)
  assert places.classes == ('a', 'b') and len(places.here.labels) == 60
  found = external_validation.compare(places, np.full(3, 1 / 3), resamples=20)
  for side, one in ('here', places.here), ('there', places.there):
    assert found['metrics']['f1_macro'][side]['value'] == pytest.approx(
        sklearn_metrics.f1_score(
            one.labels, one.predicted, labels=[0, 1], average='macro'
        )
    )
  assert found['fractions']['known']['c'] == 0 and found['threshold'] is None
