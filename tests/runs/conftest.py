"""A finished run of VGG-16, beside that of the tiny network."""

import pathlib
from typing import Any

import pytest

from medxfer import spec as specs
from medxfer.runs import run
from tests import tiny


@pytest.fixture(scope='session')
def finished_vgg16(
    phantoms: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> Any:
  """The workdir of a finished run of VGG-16, for slow tests."""
  path = tmp_path_factory.mktemp('runs') / 'finished'
  config = tiny.config(phantoms, 'last_block', network='vgg16')
  config.training.epochs = 1
  run.run(specs.from_config(config), path)
  return path


@pytest.fixture(
    params=['finished', pytest.param('finished_vgg16', marks=pytest.mark.slow)]
)
def either(request: pytest.FixtureRequest) -> pathlib.Path:
  """The workdir of a finished run of the tiny network, or of VGG-16."""
  return request.getfixturevalue(request.param)
