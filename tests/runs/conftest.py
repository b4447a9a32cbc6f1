"""A run small enough to be repeated: 50 phantoms of 32 pixels, seconds."""

import pytest

from configs import ham
from medxfer import spec as specs
from medxfer.runs import run


def tiny_config(phantoms, arm='head'):
  """Returns a configuration that trains in seconds, from random weights."""
  config = ham.get_config(f'{arm},phantom')
  config.data.update(dir=str(phantoms), phantom=0, image_size=(32, 32))
  config.model.update(init_from='random', head_units=(16, 16))
  config.optimizer.update(name='adamw', learning_rate=1e-3)
  config.training.update(batch_size=8, epochs=3)
  config.evaluation.update(batch_size=16, resamples=50)
  return config


@pytest.fixture(scope='session')
def finished(phantoms, tmp_path_factory):
  """The workdir of a finished run; tests may read it, never change it."""
  path = tmp_path_factory.mktemp('runs') / 'finished'
  run.run(specs.from_config(tiny_config(phantoms)), path)
  return path
