"""Protects scoring from what frozen layers made: the numbers stay the same."""

import pathlib
import re
import shutil
from typing import Any

import numpy as np
import pytest

from medxfer import spec as specs
from medxfer.evaluation import predictions as predictions_lib
from medxfer.runs import run
from tests import tiny

_FILES = (
    'predictions_val.csv',
    'predictions_test.csv',
    'reference.safetensors',
)


def _spec(
    phantoms: pathlib.Path, cache: pathlib.Path, **keys: Any
) -> specs.RunSpec:
  config = tiny.config(phantoms)
  config.augment.update(zoom=0.0, brightness=0.0)
  config.cache_dir = str(cache)
  config.training.epochs = 8
  config.update_from_flattened_dict(keys)
  return specs.from_config(config)


@pytest.mark.parametrize('trainable', ['none', 'block2'])
def test_scores_from_the_cache_are_those_from_pixels(
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    trainable: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """But for rounding; and another rate computes no frozen layer again."""
  keys = {'model.trainable': trainable, 'data.split_seed': 0}
  cache = tmp_path / 'cache'
  for name, more in (
      ('kept', {}),
      ('pixels', {'training.feature_cache': 'off'}),
      ('rate', {'optimizer.learning_rate': 2e-3}),
  ):
    run.run(_spec(phantoms, cache, **keys, **more), tmp_path / name)
    said = capsys.readouterr().out
    assert ('computing the frozen layers' in said) == (name == 'kept')
  for subset in ('val', 'test'):
    kept, pixels = (
        predictions_lib.read(tmp_path / name / f'predictions_{subset}.csv')
        for name in ('kept', 'pixels')
    )
    assert kept.image_ids == pixels.image_ids
    np.testing.assert_allclose(
        kept.probabilities, pixels.probabilities, atol=1e-4
    )


@pytest.mark.parametrize('with_cache', [True, False])
def test_a_run_killed_before_its_scores_has_the_same_bits(
    phantoms: pathlib.Path, tmp_path: pathlib.Path, with_cache: bool
) -> None:
  """Whether the cache is still there or not."""
  cache, path = tmp_path / 'cache', tmp_path / 'run'
  spec = _spec(phantoms, cache, **{'model.trainable': 'block2'})
  run.run(spec, path)
  before = {name: (path / name).read_bytes() for name in _FILES}
  for name in (*_FILES, 'summary.json'):
    (path / name).unlink()
  if not with_cache:
    shutil.rmtree(cache)
  run.run(spec, path)
  assert {name: (path / name).read_bytes() for name in _FILES} == before


def test_stages_compute_nothing_that_is_not_scored(
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """Their test images go through the whole network at the end."""
  # Eight epochs of the head, as many as an image has views: they are kept.
  keys = {
      'model.trainable': 'all',
      'training.stages': 'head:8,all:1',
      'training.epochs': 9,
  }
  run.run(_spec(phantoms, tmp_path / 'cache', **keys), tmp_path / 'run')
  said = capsys.readouterr().out
  assert re.search(r'computing the frozen layers of \d+ val images', said)
  assert not re.search(r'computing the frozen layers of \d+ test', said)


def test_several_views_are_scored_from_pixels(
    phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """Of images that are not trained on one view alone is kept."""
  keys = {'model.trainable': 'none', 'evaluation.test_time_views': True}
  tables = []
  for name, kept in (('kept', 'auto'), ('pixels', 'off')):
    spec = _spec(
        phantoms, tmp_path / 'cache', **keys, **{'training.feature_cache': kept}
    )
    run.run(spec, tmp_path / name)
    tables.append(predictions_lib.read(tmp_path / name / _FILES[1]))
  np.testing.assert_allclose(
      tables[0].probabilities, tables[1].probabilities, atol=1e-4
  )
