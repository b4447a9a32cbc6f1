"""Protects the command line: exit statuses, one message, no traceback."""

import pathlib
import subprocess
import sys
from typing import Any

import pytest

_ROOT = pathlib.Path(__file__).parent.parent


def _medxfer(*args: Any) -> subprocess.CompletedProcess:
  return subprocess.run(
      [sys.executable, '-X', 'importtime', '-m', 'medxfer.main', *args],
      cwd=_ROOT,
      capture_output=True,
      text=True,
      check=False,
  )


def _message(result: subprocess.CompletedProcess) -> str:
  lines = [
      line
      for line in result.stderr.splitlines()
      if not line.startswith('import time:')
  ]
  return '\n'.join(lines)


@pytest.mark.parametrize(
    'args, message',
    [
        ((), '--config is required'),
        (('--confg=configs/ham.py:all',), "Unknown command line flag 'confg'"),
        (('--config=configs/nothing.py:all', '--workdir=W'), 'nothing.py'),
        (('--config=configs/ham.py:some', '--workdir=W'), 'unknown arm'),
        (('--config=configs/ham.py', '--workdir=W'), 'unknown arm'),
        (
            ('--config=configs/ham.py:all,fast', '--workdir=W'),
            'unknown modifier',
        ),
        (
            (
                '--config=configs/ham.py:all',
                '--workdir=W',
                '--config.model.x=1',
            ),
            "unknown configuration key 'x'",
        ),
        (
            (
                '--config=configs/ham.py:all',
                '--workdir=W',
                '--config.training.epochs=many',
            ),
            'many',
        ),
        (
            (
                '--config=configs/ham.py:all',
                '--workdir=W',
                '--config.model.trainable=blok5',
            ),
            'matches no block',
        ),
        (
            (
                '--config=configs/ham.py:all',
                '--workdir=W',
                '--config.model.trainable=block[',
            ),
            'not a regular expression',
        ),
        (('--config=configs/ham.py:all', '--workdir=W', 'extra'), 'extra'),
    ],
)
def test_usage_errors_exit_2_before_anything_heavy(
    args: tuple, message: str, tmp_path: pathlib.Path
) -> None:
  """One message, no traceback, nothing written, JAX and TF not loaded."""
  args = [a.replace('=W', f'={tmp_path}/w') for a in args]
  result = _medxfer(*args)
  assert result.returncode == 2
  assert message in _message(result)
  assert _message(result).startswith('error: ')
  assert 'Traceback' not in result.stderr
  assert not (tmp_path / 'w').exists()
  for heavy in ('tensorflow', 'jax', 'sklearn'):
    assert f'| {heavy}\n' not in result.stderr.replace(' ', '').replace(
        '|', '| '
    )


def test_help_answers_without_loading_anything_heavy() -> None:
  """--help must answer at once, with the command line and the flags."""
  result = _medxfer('--help')
  assert result.returncode == 0
  assert '--workdir' in result.stdout and 'configs/ham.py' in result.stdout
  assert 'tensorflow' not in result.stderr and 'jax' not in result.stderr


@pytest.mark.parametrize(
    'content, said',
    [
        ('def get_config(x): return nothing', "line 1: NameError: name 'nothi"),
        ('\nimport no_such_module', 'line 2: ModuleNotFoundError'),
        ('def get_config(x): return None', 'returned NoneType'),
        ('def get_config(x): return {}', 'returned dict, not a ConfigDict'),
        ('def get_config(x):\n  raise ValueError("own")', 'line 2: ValueError'),
        ('def get_config(x): return 1 / 0', 'line 1: ZeroDivisionError'),
        ('def get_config(: ', 'line 1: invalid syntax'),
        ('def get_config(): pass', 'TypeError: get_config() takes 0'),
        ('x = 1', 'defines no get_config'),
    ],
)
def test_a_configuration_that_fails_is_named_with_its_line(
    content: str, said: str, tmp_path: pathlib.Path
) -> None:
  """Whatever it raises: one message, no traceback."""
  file = tmp_path / 'own.py'
  file.write_text(content)
  result = _medxfer(f'--config={file}:all')
  assert result.returncode == 2
  assert _message(result).startswith(f'error: --config={file}: ')
  assert said in _message(result)
  assert 'Traceback' not in result.stderr
