"""Protects the baselines: what trees see, the seed, and their memory."""

import pathlib
from typing import Any

import numpy as np
import pytest
from sklearn import ensemble
from sklearn import tree

from medxfer import baselines
from medxfer import errors
from medxfer import spec as specs
from medxfer.data import ham10000
from medxfer.data import pipeline
from medxfer.recipes import ham


def _spec(arm: str = 'decision_tree', **baseline: Any) -> specs.RunSpec:
  config = ham.get_config(f'{arm},phantom')
  config.baseline.update(trees=8)
  config.baseline.update(baseline)
  return specs.from_config(config)


def _fit(
    spec: specs.RunSpec,
    pixels: np.ndarray,
    labels: np.ndarray,
    weights: tuple = (1,) * 7,
) -> baselines.Fitted | None:
  return baselines.fit(spec, pixels, labels, np.array(weights, np.float32))


@pytest.fixture(scope='module')
def images(phantoms: pathlib.Path) -> tuple:
  """Pixels and labels of the phantoms, 32x32."""
  examples = ham10000.read(phantoms)
  return pipeline.decode(examples, (32, 32)).pixels, examples.labels


def _structure(fitted: baselines.Fitted) -> list:
  trees = getattr(fitted.classifier, 'estimators_', [fitted.classifier])
  return [
      (
          t.tree_.feature.tolist(),
          t.tree_.children_left.tolist(),
          t.tree_.n_node_samples.tolist(),
      )
      for t in trees
  ]


@pytest.mark.parametrize('arm', baselines.NAMES)
def test_the_form_of_the_pixels_does_not_change_the_tree(
    images: tuple, arm: str
) -> None:
  """What the docstring says of raw, normalized and rescaled pixels."""
  pixels, labels = images
  fitted = [
      _fit(_spec(arm, pixels=form), pixels[:40], labels[:40])
      for form in ('raw', 'normalized', 'rescaled')
  ]
  assert _structure(fitted[0]) == _structure(fitted[1])
  assert _structure(fitted[0]) == _structure(fitted[2])
  scores = [baselines.probabilities(f, pixels) for f in fitted]
  for other in scores[1:]:
    np.testing.assert_allclose(scores[0][:40], other[:40], atol=1e-6)
  # They do get other numbers: thresholds lie where the pixels do.
  thresholds = [_thresholds(f) for f in fitted]
  np.testing.assert_allclose(thresholds[1] * 255, thresholds[0], rtol=1e-5)
  np.testing.assert_allclose(
      (thresholds[2] + 1) * 127.5, thresholds[0], rtol=1e-4
  )


def _thresholds(fitted: baselines.Fitted) -> np.ndarray:
  trees = getattr(fitted.classifier, 'estimators_', [fitted.classifier])
  return np.concatenate(
      [t.tree_.threshold[t.tree_.children_left >= 0] for t in trees]
  )


@pytest.mark.parametrize('arm', baselines.NAMES)
def test_unweighted_it_is_what_scikit_learn_does_by_itself(
    images: tuple, arm: str
) -> None:
  """Its defaults, as in the thesis: anyone can repeat the numbers."""
  pixels, labels = images
  plain = {
      'decision_tree': tree.DecisionTreeClassifier(random_state=0),
      'random_forest': ensemble.RandomForestClassifier(8, random_state=0),
  }[arm].fit(pixels[:40].reshape(40, -1), labels[:40])
  fitted = _fit(_spec(arm), pixels[:40], labels[:40])
  np.testing.assert_allclose(
      baselines.probabilities(fitted, pixels),
      plain.predict_proba(pixels.reshape(len(pixels), -1)),
      atol=1e-6,
  )


@pytest.mark.parametrize('arm', baselines.NAMES)
def test_the_seed_alone_decides(images: tuple, arm: str) -> None:
  """The same run twice is one result; another seed is another."""
  pixels, labels = images
  config = ham.get_config(f'{arm},phantom')
  config.baseline.trees = 8
  config.seed = 1
  first, again = (_fit(_spec(arm), pixels, labels) for _ in range(2))
  other = _fit(specs.from_config(config), pixels, labels)
  assert _structure(first) == _structure(again) != _structure(other)
  np.testing.assert_array_equal(
      baselines.probabilities(first, pixels),
      baselines.probabilities(again, pixels),
  )


@pytest.mark.parametrize('cores', [1, 3, 100])
def test_a_forest_grown_bit_by_bit_is_the_forest(
    images: tuple, monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
  """It grows by some trees at a time, to say how it gets on."""
  monkeypatch.setattr(baselines.os, 'cpu_count', lambda: cores)
  pixels, labels = images
  grown = _fit(_spec('random_forest'), pixels, labels)
  at_once = ensemble.RandomForestClassifier(8, random_state=0).fit(
      pixels.reshape(len(pixels), -1).astype(np.float32), labels
  )
  assert len(grown.classifier.estimators_) == 8
  for ours, theirs in zip(grown.classifier.estimators_, at_once.estimators_):
    np.testing.assert_array_equal(ours.tree_.threshold, theirs.tree_.threshold)


def test_a_tree_says_how_long_it_takes(
    images: tuple,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """scikit-learn itself is silent for minutes."""
  monkeypatch.setattr(baselines, '_LARGE', 0)
  monkeypatch.setattr(baselines, '_PART', 5)
  fitted = _fit(_spec(), *images)
  assert 'growing a tree takes about 0 s' in capsys.readouterr().out
  monkeypatch.undo()
  assert _structure(fitted) == _structure(_fit(_spec(), *images))


def test_the_number_of_cores_changes_nothing(
    images: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
  """A table from a laptop equals one from a server."""
  pixels, labels = images
  many = _fit(_spec('random_forest'), pixels, labels)
  make = ensemble.RandomForestClassifier
  monkeypatch.setattr(
      ensemble,
      'RandomForestClassifier',
      lambda trees, n_jobs, **rest: make(trees, n_jobs=1, **rest),
  )
  one = _fit(_spec('random_forest'), pixels, labels)
  np.testing.assert_array_equal(
      baselines.probabilities(one, pixels),
      baselines.probabilities(many, pixels),
  )


@pytest.mark.parametrize('arm', baselines.NAMES)
def test_every_class_has_a_column(
    images: tuple, arm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
  """A class without training images scores 0 and moves no other."""
  pixels, labels = images
  monkeypatch.setattr(baselines, '_CHUNK', 7)
  fitted = _fit(_spec(arm), pixels[labels != 2], labels[labels != 2])
  scores = baselines.probabilities(fitted, pixels)
  assert scores.shape == (len(pixels), 7) and scores.dtype == np.float32
  assert (scores[:, 2] == 0).all()
  np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)
  right = scores.argmax(axis=1) == labels
  assert right[labels != 2].mean() > 0.9


def test_class_weights_reach_the_tree() -> None:
  """Where one pixel says nothing, the heavier class wins its leaf."""
  pixels = np.full((10, 32, 32, 3), 9, np.uint8)
  labels = np.array([0] * 7 + [1] * 3)
  spec = _spec()
  for weights, share in (((1, 1), 0.3), ((1, 7), 0.75)):
    fitted = _fit(spec, pixels, labels, weights)
    scores = baselines.probabilities(fitted, pixels[:1])
    np.testing.assert_allclose(scores, [[1 - share, share]], rtol=1e-6)


def test_a_description_counts_what_was_grown(images: tuple) -> None:
  """parameters.txt of a baseline."""
  pixels, labels = images
  single = _fit(_spec(), pixels, labels)
  lines = dict(
      line.rsplit(maxsplit=1)
      for line in baselines.describe(single).splitlines()
  )
  assert lines == {
      'trees': '1',
      'depth': str(single.classifier.get_depth()),
      'nodes': str(single.classifier.tree_.node_count),
      'leaves': str(single.classifier.get_n_leaves()),
  }
  forest = _fit(_spec('random_forest'), pixels, labels)
  lines = dict(
      line.rsplit(maxsplit=1)
      for line in baselines.describe(forest).splitlines()
  )
  grown = forest.classifier.estimators_
  assert lines['trees'] == '8'
  assert float(lines['mean depth']) == pytest.approx(
      np.mean([t.get_depth() for t in grown]), rel=1e-3
  )
  assert int(lines['nodes']) == sum(t.tree_.node_count for t in grown)


def test_images_that_fill_the_memory_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
  """224x224 must not bring a machine to its knees."""

  class _Memory:
    available = 2 * 1000 * 64 * 64 * 3 * 4

  monkeypatch.setattr(baselines.psutil, 'virtual_memory', _Memory)
  baselines.check_memory(1000, (64, 64))
  with pytest.raises(errors.UsageError, match='data.image_size=64,64: 1,001'):
    baselines.check_memory(1001, (64, 64))
  with pytest.raises(errors.UsageError, match='data.image_size=224,224'):
    _fit(
        _spec(),
        np.broadcast_to(np.uint8(0), (100, 224, 224, 3)),
        np.zeros(100, int),
    )
