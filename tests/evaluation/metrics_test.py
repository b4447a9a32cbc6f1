"""Every metric equals scikit-learn's, with and without weights."""

import json
import warnings

import numpy as np
import pytest
from sklearn import metrics as reference

from medxfer.evaluation import metrics
from medxfer.evaluation import predictions as predictions_lib

CASES = [
    # n, classes, classes that occur, steps of the probabilities (ties)
    (400, 2, 2, None),
    (400, 7, 7, None),
    (400, 2, 2, 4),
    (400, 7, 7, 4),
    (60, 7, 4, 8),
    (5, 3, 2, 2),
]


def _table(
    n: int, classes: int, present: int, steps: int | None, seed: int = 0
) -> predictions_lib.Predictions:
  generator = np.random.default_rng(seed)
  if steps is None:
    probabilities = generator.dirichlet(np.ones(classes), n)
  else:
    shares = np.full(classes, 1 / classes)
    probabilities = generator.multinomial(steps, shares, n) / steps
  labels = generator.permutation(np.arange(n) % present)
  names = tuple(f'c{i}' for i in range(classes))
  ids = tuple(f'i{i}' for i in range(n))
  return predictions_lib.Predictions(ids, labels, probabilities, names)


def _weights(n: int, kind: str | None) -> np.ndarray | None:
  generator = np.random.default_rng(1)
  if kind is None:
    return None
  counts = np.bincount(generator.integers(0, n, n), minlength=n)
  return counts if kind == 'counts' else counts * generator.random(n)


def _reference_areas(
    table: predictions_lib.Predictions, weights: np.ndarray | None
) -> list:
  weights = np.ones(len(table.labels)) if weights is None else weights
  areas = []
  for k in range(len(table.class_names)):
    positive = table.labels == k
    if not weights[positive].sum() or not weights[~positive].sum():
      areas.append(None)
      continue
    areas.append(
        reference.roc_auc_score(
            positive, table.probabilities[:, k], sample_weight=weights
        )
    )
  return areas


@pytest.mark.parametrize('kind', [None, 'counts', 'real'])
@pytest.mark.parametrize('case', CASES)
def test_point_metrics_equal_scikit_learn(
    case: tuple, kind: str | None
) -> None:
  """Protects: definitions, averages, ties, absent classes, weights."""
  table = _table(*case)
  weights = _weights(case[0], kind)
  ours = metrics.compute(table, weights)
  names = table.class_names
  data = dict(
      y_true=table.labels, y_pred=table.predicted, sample_weight=weights
  )
  every = dict(labels=range(len(names)), zero_division=0)
  # The macro F1 is the mean over the classes that have images.
  seen = table.labels if weights is None else table.labels[weights > 0]
  present = dict(every, labels=np.unique(seen))
  theirs = {
      'accuracy': reference.accuracy_score(**data),
      'f1_micro': reference.f1_score(**data, **every, average='micro'),
      'f1_macro': reference.f1_score(**data, **present, average='macro'),
  }
  with warnings.catch_warnings():
    # It warns of predicted classes that are never true.
    warnings.simplefilter('ignore')
    theirs['balanced_accuracy'] = reference.balanced_accuracy_score(**data)
  for name, value in theirs.items():
    assert ours[name] == pytest.approx(value, abs=1e-12), name
  np.testing.assert_allclose(
      list(ours['f1_per_class'].values()),
      reference.f1_score(**data, **every, average=None),
  )
  confusion = reference.confusion_matrix(**data, labels=range(len(names)))
  np.testing.assert_allclose(ours['confusion'], confusion)
  np.testing.assert_allclose(
      list(ours['support'].values()), confusion.sum(axis=1)
  )
  areas = _reference_areas(table, weights)
  for name, area in zip(names, areas):
    assert ours['auroc_per_class'][name] == (
        area if area is None else pytest.approx(area, abs=1e-12)
    )
  assert ours['auroc_macro'] == pytest.approx(
      np.mean([area for area in areas if area is not None]), abs=1e-12
  )
  assert ours['auroc_undefined'] == [
      name for name, area in zip(names, areas) if area is None
  ]


@pytest.mark.parametrize('case', CASES)
def test_counts_weigh_like_repeated_rows(case: tuple) -> None:
  """Protects: a bootstrap count of 2 is the same as the image twice."""
  table = _table(*case)
  counts = _weights(case[0], 'counts')
  rows = np.repeat(np.arange(case[0]), counts)
  repeated = predictions_lib.Predictions(
      tuple(f'r{i}' for i in range(len(rows))),
      table.labels[rows],
      table.probabilities[rows],
      table.class_names,
  )
  weighted, plain = metrics.compute(table, counts), metrics.compute(repeated)
  assert weighted['confusion'] == plain['confusion']
  for name in ('auroc_macro', 'f1_macro', 'balanced_accuracy'):
    assert weighted[name] == pytest.approx(plain[name], abs=1e-12)


def test_leading_axes_are_independent(monkeypatch: pytest.MonkeyPatch) -> None:
  """Protects: row b of many weightings is what b alone gives, in chunks."""
  table = _table(90, 5, 4, 6)
  weights = np.random.default_rng(2).integers(0, 3, (2, 11, 90))
  whole = metrics.auroc_per_class(table.labels, table.probabilities, weights)
  monkeypatch.setattr(metrics, '_CHUNK_VALUES', 4 * 90)
  chunked = metrics.auroc_per_class(table.labels, table.probabilities, weights)
  np.testing.assert_array_equal(whole, chunked)
  counted = metrics.confusion(table.labels, table.predicted, 5, weights)
  assert whole.shape == (2, 11, 5) and counted.shape == (2, 11, 5, 5)
  for i, j in np.ndindex(2, 11):
    alone = metrics.compute(table, weights[i, j])
    assert counted[i, j].tolist() == alone['confusion']
    assert metrics.balanced_accuracy(counted)[i, j] == pytest.approx(
        alone['balanced_accuracy'], abs=1e-12
    )
    areas = [
        np.nan if a is None else a for a in alone['auroc_per_class'].values()
    ]
    np.testing.assert_allclose(whole[i, j], areas, rtol=0, atol=1e-12)


def test_one_class_only_has_no_auroc_and_is_json() -> None:
  """Protects: undefined is null and named, never NaN in a file."""
  table = predictions_lib.Predictions(
      ('a', 'b'),
      np.array([1, 1]),
      np.array([[0.6, 0.4], [0.2, 0.8]]),
      ('mel', 'nv'),
  )
  answer = metrics.compute(table)
  assert answer['auroc_macro'] is None
  assert answer['auroc_undefined'] == ['mel', 'nv']
  assert answer['f1_per_class']['mel'] == 0
  assert answer['balanced_accuracy'] == 0.5
  assert answer['confusion'] == [[0, 0], [1, 1]]
  assert all(type(c) is int for row in answer['confusion'] for c in row)
  assert json.loads(json.dumps(answer, allow_nan=False)) == answer


def test_equal_scores_everywhere_are_a_coin() -> None:
  """Protects: ties count one half, in any order of the rows."""
  for labels in ([0, 0, 1, 1], [1, 1, 0, 0]):
    areas = metrics.auroc_per_class(np.array(labels), np.full((4, 2), 0.5))
    assert areas.tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    'weights', [[1, 1, 1], [-1, 1], [np.nan, 1], [0, 0], [[1, 1]]]
)
def test_weights_that_are_no_counts_are_refused(weights: list) -> None:
  """Protects: no metric of nothing, and none of a shifted column."""
  table = _table(2, 2, 2, None)
  with pytest.raises(ValueError):
    metrics.compute(table, np.array(weights))
