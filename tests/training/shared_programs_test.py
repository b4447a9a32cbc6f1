"""Protects studies from compiling the same step for every run."""

import functools
import pathlib
from typing import Any

import jax
import numpy as np
import pytest

from medxfer import spec as specs
from medxfer.runs import inputs as inputs_lib
from medxfer.runs import scoring
from medxfer.runs import tasks
from medxfer.training import devices
from medxfer.training import dispatch
from medxfer.training import steps
from tests import tiny


@functools.cache
def _usual(phantoms: pathlib.Path, platform: str) -> str:
  return _program(phantoms, platform)


def _program(phantoms: pathlib.Path, platform: str, **changes: Any) -> str:
  """Returns the code of a run's training step, as it is given to XLA."""
  config = tiny.config(phantoms, 'all')
  config.optimizer.schedule = 'cosine'
  config.training.class_weights = 'balanced'
  config.update_from_flattened_dict(changes)
  spec = specs.from_config(config)
  inputs = inputs_lib.read(spec)
  task, state = tasks.build(spec, inputs)
  data = scoring.data(spec, inputs)
  rows = data.split.train[:8].reshape(1, 8)
  [given] = dispatch.training(
      data.feed, data.labels, rows, np.ones((1, 8), np.float32), ''
  )
  train: Any = steps.compile_steps(task, data.feed).train
  arguments = (*train.args, state, data.feed.stored, *given, devices.key(0))
  traced = jax.jit(train.func, donate_argnums=1).trace(*arguments)
  return traced.lower(lowering_platforms=(platform,)).as_text()


@pytest.mark.parametrize('platform', ['cpu', 'cuda'])
@pytest.mark.parametrize(
    'changes',
    [
        {'optimizer.learning_rate': 3e-3},
        {'data.train_images': 24},
        {'seed': 1},
        {'training.epochs': 7},
        {'training.class_weights': 'none'},
    ],
    ids=str,
)
def test_rates_seeds_and_numbers_of_images_share_a_program(
    phantoms: pathlib.Path, platform: str, changes: dict
) -> None:
  """Compiling all layers takes longer than many of a study's trainings."""
  assert _usual(phantoms, platform) == _program(phantoms, platform, **changes)


def test_another_recipe_is_another_program(phantoms: pathlib.Path) -> None:
  """The comparison above can fail."""
  assert _usual(phantoms, 'cpu') != _program(
      phantoms, 'cpu', **{'training.label_smoothing': 0.1}
  )
