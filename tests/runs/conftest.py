"""A finished run for all tests of what comes after it."""

import pytest

from medxfer import spec as specs
from medxfer.runs import run
from tests import tiny


@pytest.fixture(scope='session')
def finished(phantoms, tmp_path_factory):
  """The workdir of a finished run; tests may read it, never change it."""
  path = tmp_path_factory.mktemp('runs') / 'finished'
  run.run(specs.from_config(tiny.config(phantoms)), path)
  return path
