"""Protects the runs of trees and forests, and what they share with networks."""

from collections.abc import Callable
import csv
import json
import pathlib
import shutil
from typing import Any

import numpy as np
import pytest

from medxfer import baselines
from medxfer import errors
from medxfer import spec as specs
from medxfer.data import ham10000
from medxfer.data import pipeline
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import summary as summaries
from medxfer.model import weights
from medxfer.runs import evaluate
from medxfer.runs import predict
from medxfer.runs import run
from tests import tiny


def _spec(phantoms: pathlib.Path, arm: str = 'random_forest') -> specs.RunSpec:
  config = tiny.config(phantoms, arm)
  config.baseline.trees = 20
  return specs.from_config(config)


@pytest.fixture(scope='session')
def forest(
    phantoms: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> pathlib.Path:
  """The workdir of a random forest; tests may read it, never change it."""
  path = tmp_path_factory.mktemp('runs') / 'forest'
  run.run(_spec(phantoms), path)
  return path


def _rows(path: pathlib.Path) -> list:
  with path.open(newline='') as file:
    return list(csv.DictReader(file))


def test_a_baseline_leaves_the_files_of_a_run(
    forest: pathlib.Path, finished: pathlib.Path
) -> None:
  """Less epochs, checkpoints and validation."""
  assert (
      {p.name for p in finished.iterdir()} - {p.name for p in forest.iterdir()}
  ) == {
      'metrics.jsonl',
      'checkpoints',
      'predictions_val.csv',
      'reference.safetensors',
      'events.out.tfevents.medxfer',
  }
  assert not {p.name for p in forest.iterdir()} - {
      p.name for p in finished.iterdir()
  }
  assert (
      json.loads((forest / 'inputs.json').read_text()).keys()
      == json.loads((finished / 'inputs.json').read_text()).keys()
  )
  assert (forest / 'parameters.txt').read_text().split()[:2] == ['trees', '20']


def test_the_test_images_are_those_of_a_network(
    forest: pathlib.Path, finished: pathlib.Path
) -> None:
  """80/20 beside 60/20/20: columns of one table, scored in one subset."""
  ours, theirs = (_rows(path / 'split.csv') for path in (forest, finished))
  for row, other in zip(ours, theirs, strict=True):
    assert row['image_id'] == other['image_id']
    assert row['split'] == ('test' if other['split'] == 'test' else 'train')
  assert [r['image_id'] for r in _rows(forest / 'predictions_test.csv')] == [
      r['image_id'] for r in _rows(finished / 'predictions_test.csv')
  ]


def test_the_summary_has_the_keys_of_a_network_and_recomputes(
    forest: pathlib.Path, finished: pathlib.Path
) -> None:
  """The report reads both alike."""
  summary, other = (
      json.loads((path / 'summary.json').read_text())
      for path in (forest, finished)
  )
  assert summary.keys() == other.keys()
  scored = predictions_lib.with_groups(
      predictions_lib.read(forest / 'predictions_test.csv'),
      {r['image_id']: r['group'] for r in _rows(forest / 'split.csv')},
  )
  assert (
      summaries.split_summary(scored, resamples=50, seed=0) == summary['test']
  )
  assert summary['n'] == {'train': 40, 'val': 0, 'test': 10}
  assert summary['train_seconds'] > 0
  assert {
      key: summary[key]
      for key in (
          'status',
          'arm',
          'val',
          'best_epoch',
          'epochs_run',
          'weights_digest',
          'trainable_parameters',
      )
  } == {
      'status': 'finished',
      'arm': 'random_forest',
      'val': None,
      'best_epoch': None,
      'epochs_run': 0,
      'weights_digest': None,
      'trainable_parameters': None,
  }


def test_the_leak_is_counted_against_all_training_images(
    forest: pathlib.Path,
) -> None:
  """Lesions that a network only validated on, a baseline has trained on."""
  rows = _rows(forest / 'split.csv')
  trained = {r['group'] for r in rows if r['split'] == 'train'}
  leaked = [
      r['group'] for r in rows if r['split'] == 'test' and r['group'] in trained
  ]
  leak = json.loads((forest / 'summary.json').read_text())['leak']
  assert (leak['images'], leak['groups']) == (len(leaked), len(set(leaked)))


def test_pixels_and_labels_belong_together(
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
  """Each subset gets its own images, and what `class_weights` asks for."""
  seen = {}
  fit, score = baselines.fit, baselines.probabilities

  def spy_fit(
      spec: specs.RunSpec,
      pixels: np.ndarray,
      labels: np.ndarray,
      class_weights: np.ndarray,
  ) -> baselines.Fitted:
    seen.update(train=pixels, labels=labels, weights=class_weights)
    return fit(spec, pixels, labels, class_weights)

  def spy_score(fitted: baselines.Fitted, pixels: np.ndarray) -> np.ndarray:
    seen.update(test=pixels)
    return score(fitted, pixels)

  monkeypatch.setattr(baselines, 'fit', spy_fit)
  monkeypatch.setattr(baselines, 'probabilities', spy_score)
  config = tiny.config(phantoms, 'decision_tree')
  config.training.class_weights = 'balanced'
  run.run(specs.from_config(config), tmp_path / 'run')
  examples = ham10000.read(phantoms)
  pixels = pipeline.decode(examples, (32, 32)).pixels
  subset = np.array([r['split'] for r in _rows(tmp_path / 'run' / 'split.csv')])
  np.testing.assert_array_equal(seen['train'], pixels[subset == 'train'])
  np.testing.assert_array_equal(
      seen['labels'], examples.labels[subset == 'train']
  )
  np.testing.assert_array_equal(seen['test'], pixels[subset == 'test'])
  np.testing.assert_allclose(
      np.bincount(seen['labels']) * seen['weights'], 40 / 7, rtol=1e-6
  )


def test_the_same_command_gives_the_same_table(
    forest: pathlib.Path, phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """The seed alone decides; where pixels are kept does not."""
  config = tiny.config(phantoms, 'random_forest')
  config.baseline.trees = 20
  config.data.cache = 'none'
  run.run(specs.from_config(config), tmp_path / 'run')
  for name in ('predictions_test.csv', 'parameters.txt', 'inputs.json'):
    assert (tmp_path / 'run' / name).read_bytes() == (
        forest / name
    ).read_bytes()


def test_a_tree_says_its_size_and_its_time(
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """What it sees is a thumbnail: nobody should miss it."""
  run.run(_spec(phantoms, 'decision_tree'), tmp_path / 'run')
  out = capsys.readouterr().out
  assert 'decision_tree: 40 images, squeezed to 32x32 pixels: 3,072 raw' in out
  assert 'grown in' in out and 'depth' in out and 'test, decision_tree:' in out
  assert 'train 40, test 10' in out and 'val' not in out.split('leak')[0]


def test_no_weights_are_looked_for(
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
  """A forest runs on a machine that has never seen ImageNet."""
  monkeypatch.setattr(weights, 'locate', lambda path: pytest.fail('looked'))
  config = tiny.config(phantoms, 'random_forest')
  config.model.init_from = 'imagenet'
  config.baseline.trees = 2
  assert run.run(specs.from_config(config), tmp_path / 'run')['val'] is None


def test_a_finished_baseline_is_not_repeated(
    forest: pathlib.Path,
    phantoms: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """The same command again shows the result."""
  monkeypatch.setattr(baselines, 'fit', lambda *_: pytest.fail('fitted'))
  summary = run.run(_spec(phantoms), forest)
  assert 'is finished' in capsys.readouterr().out
  assert summary == json.loads((forest / 'summary.json').read_text())


def test_a_killed_baseline_starts_again_with_its_own_inputs(
    forest: pathlib.Path, phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """Same digests, so the same split; another one is refused."""
  path = shutil.copytree(forest, tmp_path / 'run')
  for name in ('summary.json', 'predictions_test.csv', 'parameters.txt'):
    (path / name).unlink()
  run.run(_spec(phantoms), path)
  assert (path / 'predictions_test.csv').read_bytes() == (
      forest / 'predictions_test.csv'
  ).read_bytes()
  (path / 'summary.json').unlink()
  digests = json.loads((path / 'inputs.json').read_text())
  digests['split_digest'] = 'dealt by another version'
  (path / 'inputs.json').write_text(json.dumps(digests))
  with pytest.raises(errors.DataError, match='split_digest'):
    run.run(_spec(phantoms), path)


@pytest.mark.parametrize(
    'call',
    [
        lambda path, images, out: evaluate.evaluate([path], 'test', output=out),
        lambda path, images, out: predict.predict([path], [images], output=out),
    ],
)
def test_what_needs_a_checkpoint_is_refused_in_words(
    forest: pathlib.Path,
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    call: Callable[..., Any],
) -> None:
  """There is none: the message says what there is instead."""
  with pytest.raises(
      errors.UsageError,
      match=(
          'a random_forest keeps no checkpoint.*predictions_test.csv.*'
          r'trains it again in \d+ s'
      ),
  ):
    call(forest, phantoms, tmp_path / 'out')
  assert not (tmp_path / 'out').exists()


def test_too_many_pixels_are_refused_before_they_are_read(
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
  """And nothing is left behind."""

  class _Memory:
    available = 2**20

  monkeypatch.setattr(baselines.psutil, 'virtual_memory', _Memory)
  with pytest.raises(errors.UsageError, match='data.image_size=32,32: 50 im'):
    run.run(_spec(phantoms), tmp_path / 'deep' / 'run')
  assert not (tmp_path / 'deep').exists()
