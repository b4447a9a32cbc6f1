"""Protects the main job on real images and the real ImageNet weights."""

import csv
import json
import math
import os

import numpy as np
import pytest

from configs import ham
from medxfer import spec as specs
from medxfer.data import ham10000
from medxfer.data import pipeline
from medxfer.model import weights
from medxfer.runs import run
from medxfer.training import checkpoints


def _take(real_ham, folder, each):
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
        [rows[0], *(row for row in rows if row[1] in names)])
  return folder


@pytest.fixture(scope='session')
def some_ham(real_ham, tmp_path_factory):
  """420 real images in the public layout, 60 of each class."""
  return _take(real_ham, tmp_path_factory.mktemp('real') / 'some', 60)


@pytest.fixture(scope='session')
def few_ham(real_ham, tmp_path_factory):
  """70 real images in the public layout, 10 of each class."""
  return _take(real_ham, tmp_path_factory.mktemp('real') / 'few', 10)


def test_real_images_are_read_upright_and_in_colour(some_ham):
  """Skin is red before it is green before it is blue."""
  decoded = pipeline.decode(ham10000.read(some_ham), (48, 64))
  assert decoded.pixels.shape == (420, 48, 64, 3)
  red, green, blue = decoded.pixels.mean((0, 1, 2))
  assert red > green and red > blue and 120 < red < 230


@pytest.mark.slow
def test_the_main_job_learns_from_real_images(
    some_ham, real_weights, tmp_path):
  """Last block, ImageNet weights: far above the seventh of chance."""
  config = ham.get_config('last_block,tuned,cpu,grouped')
  config.data.dir = str(some_ham)
  config.model.weights = str(real_weights)
  config.training.batch_size = 8  # 252 images are few steps otherwise.
  config.evaluation.resamples = 100
  summary = run.run(specs.from_config(config), tmp_path / 'run')
  assert summary['test']['accuracy'] > 0.35
  assert summary['test']['auroc_macro'] > 0.75
  assert summary['leak'] == {
      'images': 0, 'groups': 0, 'share': 0.0, 'duplicates': 0}
  records = [json.loads(line) for line in
             (tmp_path / 'run' / 'metrics.jsonl').read_text().splitlines()]
  assert records[-1]['train_loss'] < 0.8 * records[0]['train_loss']
  # Frozen means bit for bit: the official digests are still there.
  trained = checkpoints.export(tmp_path / 'run')
  official = weights.read(real_weights).contract
  same = {name: trained.contract.tensors[name] == tensor
          for name, tensor in official.tensors.items()}
  assert same == {name: not name.startswith('block5') for name in same}


@pytest.mark.slow
def test_thesis_pixels_and_every_arm_take_a_step(
    few_ham, real_weights, tmp_path):
  """Each column of table 7.1 starts on real images."""
  for arm in ham.ARMS:
    config = ham.get_config(f'{arm},cpu')
    config.data.update(dir=str(few_ham), image_size=(32, 32))
    config.model.weights = str(real_weights)
    config.training.epochs = 1
    config.evaluation.resamples = 20
    summary = run.run(specs.from_config(config), tmp_path / arm)
    assert summary['status'] == 'finished' and summary['epochs_run'] == 1
    tensors = checkpoints.export(tmp_path / arm).contract.tensors
    assert (summary['trainable_parameters'] + summary['frozen_parameters']
            == sum(math.prod(tensor.shape) for tensor in tensors.values()))
