"""Protects the main job on real images and the real ImageNet weights."""

import csv
import json
import math
import os
import pathlib
from typing import Any

import numpy as np
import pytest

from medxfer import spec as specs
from medxfer.data import chest_xray
from medxfer.data import ham10000
from medxfer.data import pipeline
from medxfer.model import architectures
from medxfer.model import weights
from medxfer.recipes import common
from medxfer.recipes import ham
from medxfer.recipes import xray
from medxfer.runs import run
from medxfer.training import checkpoints


def _take(real_ham: Any, folder: Any, each: Any) -> Any:
  """Makes a data set of `each` real images of every class."""
  (folder / 'images').mkdir(parents=True)
  examples = ham10000.read(real_ham)
  chosen = []
  for label in range(7):
    chosen += np.flatnonzero(examples.labels == label)[:each].tolist()
  for i in chosen:
    os.symlink(examples.paths[i], folder / 'images' / examples.paths[i].name)
  names = {examples.image_ids[i] for i in chosen}
  with (real_ham / ham10000.METADATA).open(newline='') as file:
    rows = list(csv.reader(file))
  with (folder / ham10000.METADATA).open('w', newline='') as file:
    csv.writer(file).writerows(
        [rows[0], *(row for row in rows if row[1] in names)]
    )
  return folder


@pytest.fixture(scope='session')
def some_ham(real_ham: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
  """420 real images in the public layout, 60 of each class."""
  return _take(real_ham, tmp_path_factory.mktemp('real') / 'some', 60)


@pytest.fixture(scope='session')
def few_ham(real_ham: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
  """70 real images in the public layout, 10 of each class."""
  return _take(real_ham, tmp_path_factory.mktemp('real') / 'few', 10)


@pytest.fixture(scope='session')
def some_chest(
    real_chest: Any, tmp_path_factory: pytest.TempPathFactory
) -> Any:
  """260 real chest X-rays in the public layout, 80 of them test."""
  folder = tmp_path_factory.mktemp('real') / 'xrays'
  for subset, each in (('train', 90), ('test', 40)):
    for class_name in chest_xray.CLASS_NAMES:
      (folder / subset / class_name).mkdir(parents=True)
      paths = sorted((real_chest / subset / class_name).glob('*.jpeg'))
      for path in paths[:: len(paths) // each][:each]:
        os.symlink(path, folder / subset / class_name / path.name)
  return folder


def test_real_images_are_read_upright_and_in_colour(some_ham: Any) -> None:
  """Skin is red before it is green before it is blue."""
  decoded = pipeline.decode(ham10000.read(some_ham), (48, 64))
  assert decoded.pixels.shape == (420, 48, 64, 3)
  red, green, blue = decoded.pixels.mean((0, 1, 2))
  assert red > green and red > blue and 120 < red < 230


@pytest.mark.slow
def test_the_main_job_learns_from_real_images(
    some_ham: Any, real_weights: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """Last block, ImageNet weights: far above the seventh of chance."""
  config = ham.get_config('last_block,tuned,cpu,grouped')
  config.data.dir = str(some_ham)
  config.model.weights = str(real_weights)
  config.training.batch_size = 8  # 252 images are few steps otherwise.
  config.evaluation.resamples = 100
  summary = run.run(specs.from_config(config), tmp_path / 'run')
  assert summary['test']['accuracy'] > 0.35
  assert summary['test']['auroc_macro'] > 0.75
  leak = summary['leak']
  assert (
      leak['images'],
      leak['groups'],
      leak['share'],
      leak['duplicates'],
      leak['copies'],
  ) == (0, 0, 0.0, 0, 0)
  records = [
      json.loads(line)
      for line in (tmp_path / 'run' / 'metrics.jsonl').read_text().splitlines()
  ]
  assert records[-1]['train_loss'] < 0.8 * records[0]['train_loss']
  # Frozen means bit for bit: the official digests are still there.
  trained = checkpoints.export(tmp_path / 'run')
  official = weights.read(real_weights, architectures.BY_NAME['vgg16']).contract
  same = {
      name: trained.contract.tensors[name] == tensor
      for name, tensor in official.tensors.items()
  }
  assert same == {name: not name.startswith('block5') for name in same}


@pytest.mark.slow
def test_thesis_pixels_and_every_arm_take_a_step(
    few_ham: Any, real_weights: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """Each column of table 7.1 starts on real images."""
  for arm in (*common.SCOPES, 'random'):
    config = ham.get_config(f'{arm},cpu')
    config.data.update(dir=str(few_ham), image_size=(32, 32))
    config.model.weights = str(real_weights)
    # One for each stage.
    epochs = config.training.stages.count(',') + 1
    config.training.epochs = epochs
    config.evaluation.resamples = 20
    summary = run.run(specs.from_config(config), tmp_path / arm)
    assert summary['status'] == 'finished' and summary['epochs_run'] == epochs
    tensors = checkpoints.export(tmp_path / arm).contract.tensors
    assert summary['trainable_parameters'] + summary[
        'frozen_parameters'
    ] == sum(math.prod(tensor.shape) for tensor in tensors.values())


def test_real_xrays_are_read_grey(some_chest: Any) -> None:
  """Lungs, left and right of the middle, are darker than the spine."""
  pixels = pipeline.decode(chest_xray.read(some_chest), (64, 64)).pixels.astype(
      float
  )
  assert pixels.shape == (260, 64, 64, 3)
  assert np.abs(np.diff(pixels)).mean() < 1
  middle = pixels[:, 20:36].mean((0, 1, 3))
  assert middle[32] > middle[20] + 20 and middle[32] > middle[44] + 20


@pytest.mark.slow
def test_a_network_learns_from_real_xrays(
    some_chest: Any, real_weights: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """Frozen ImageNet features and the official split: far above a coin."""
  config = xray.get_config('imagenet,head,tuned,cpu,official')
  config.data.dir = str(some_chest)
  config.model.weights = str(real_weights)
  config.training.batch_size = 8
  config.evaluation.resamples = 100
  summary = run.run(specs.from_config(config), tmp_path / 'run')
  assert summary['test']['auroc_macro'] > 0.85
  assert summary['leak']['groups'] == 0
