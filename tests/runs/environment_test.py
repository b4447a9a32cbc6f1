"""Protects the record of the command: a figure comes with what made it."""

import pathlib
import sys

import pytest

import medxfer
from medxfer import spec as specs
from medxfer.runs import environment
from tests import tiny

_ROOT = pathlib.Path(medxfer.__file__).resolve().parents[1]


@pytest.mark.parametrize('program, said', [
    ('medxfer/main.py', ['python', '-m', 'medxfer.main']),
    # As in the processes that a study starts, which know no main module.
    ('medxfer/study/__main__.py', ['python', '-m', 'medxfer.study']),
    ('tools/report.py', ['python', '-m', 'tools.report']),
    ('/usr/bin/jupyter', ['jupyter']),
])
def test_the_command_is_what_was_typed(monkeypatch, phantoms, program, said):
  """Without the places where programs lie on one machine."""
  monkeypatch.setattr(
      sys, 'argv', [str(_ROOT / program), '--config=configs/ham.py:all'])
  spec = specs.from_config(tiny.config(phantoms))
  told = environment.describe(spec)
  assert told['command'] == [*said, '--config=configs/ham.py:all']
  assert told['seed'] == spec.seed and told['versions']['jax']
