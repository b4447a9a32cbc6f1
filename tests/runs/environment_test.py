"""Protects the record of the command: a figure comes with what made it."""

import pathlib
import sys

import pytest

import medxfer
from medxfer import spec as specs
from medxfer.runs import environment
from medxfer.training import devices
from tests import tiny

_ROOT = pathlib.Path(medxfer.__file__).resolve().parents[1]


@pytest.mark.parametrize(
    'program, said',
    [
        ('medxfer/main.py', ['python', '-m', 'medxfer.main']),
        # As in the processes that a study starts, which know no main module.
        ('medxfer/study/__main__.py', ['python', '-m', 'medxfer.study']),
        ('tools/report.py', ['python', '-m', 'tools.report']),
        ('/usr/bin/jupyter', ['jupyter']),
    ],
)
def test_the_command_is_what_was_typed(
    monkeypatch: pytest.MonkeyPatch,
    phantoms: pathlib.Path,
    program: str,
    said: list,
) -> None:
  """Without the places where programs lie on one machine."""
  monkeypatch.setattr(
      sys, 'argv', [str(_ROOT / program), '--config=configs/ham.py:all']
  )
  spec = specs.from_config(tiny.config(phantoms))
  told = environment.describe(spec)
  assert told['command'] == [*said, '--config=configs/ham.py:all']
  assert told['seed'] == spec.seed and told['versions']['jax']


@pytest.mark.parametrize(
    'before, wanted, after',
    [
        ('', True, '--xla_gpu_deterministic_ops=true'),
        ('--xla_a=1', True, '--xla_a=1 --xla_gpu_deterministic_ops=true'),
        (
            '--xla_gpu_deterministic_ops=false',
            True,
            '--xla_gpu_deterministic_ops=false',
        ),
        ('--xla_a=1', False, '--xla_a=1'),
    ],
)
def test_gpus_are_told_to_repeat_themselves(
    monkeypatch: pytest.MonkeyPatch,
    phantoms: pathlib.Path,
    before: str,
    wanted: bool,
    after: str,
) -> None:
  """Else two runs of one seed differ, and nobody can say why."""
  monkeypatch.setenv('XLA_FLAGS', before)
  devices.repeatable(wanted=wanted)
  told = environment.describe(
      specs.from_config(
          {**tiny.config(phantoms).to_dict(), 'deterministic': wanted}
      )
  )
  assert (told['xla_flags'], told['deterministic']) == (after, wanted)
