"""Protects commands from what a shell, notebook or scheduler leaves behind."""

import os
import pathlib
import subprocess
import sys
from typing import Any

import jax
import pytest

from medxfer import errors
from medxfer import startup

_ROOT = pathlib.Path(__file__).parents[1]
_COMMAND = """
import sys
from absl import flags
from medxfer import launcher

def main(argv):
  {body}

launcher.run(sys.modules[__name__])
"""
_HELLO = "print('M\\udcfcller 黑')"
_DRAW = """import os, matplotlib
  from medxfer.report.figures import style
  print(matplotlib.rcParams['text.usetex'],
        '<svg' in style.draw((1, 1), lambda axes: axes.plot([1, 2])))"""


def _run(body: str, *shell: Any, **environ: Any) -> subprocess.CompletedProcess:
  """Runs a command through a shell that may close or redirect its streams."""
  return subprocess.run(
      [
          'bash',
          '-c',
          f'"$0" -c "$1" {" ".join(shell)}',
          sys.executable,
          _COMMAND.format(body=body),
      ],
      cwd=_ROOT,
      capture_output=True,
      text=True,
      check=False,
      env={k: v for k, v in os.environ.items() if k != 'PYTHONUTF8'}
      | {'PYTHONPATH': str(_ROOT), **environ},
  )


@pytest.mark.parametrize(
    'environ, expected',
    [
        ({'PYTHONIOENCODING': 'ascii'}, r'M\xfcller \u9ed1'),
        ({'PYTHONIOENCODING': 'latin-1'}, r'M\xfcller \u9ed1'),
        ({'PYTHONIOENCODING': 'utf-8'}, r'M\xfcller 黑'),
        (
            {'LC_ALL': 'C', 'LANG': '', 'TERM': 'dumb', 'PYTHONIOENCODING': ''},
            r'M\xfcller 黑',
        ),
    ],
)
def test_any_name_can_be_printed(environ: dict, expected: str) -> None:
  """On any terminal: what it lacks is an escape."""
  found = _run(_HELLO, **environ)
  assert (found.returncode, found.stdout, found.stderr) == (
      0,
      expected + '\n',
      '',
  )


@pytest.mark.parametrize(
    'shell, status, said',
    [
        ('>&-', 0, ''),
        ('>&- 2>&- <&-', 0, ''),
        ('>/dev/full', 1, 'error: No space left on device\n'),
        ('>/dev/full 2>&1', 1, ''),
        ('| true; exit ${PIPESTATUS[0]}', 141, ''),
        ('2>&1 >/dev/null | true; exit ${PIPESTATUS[0]}', 0, ''),
    ],
)
def test_streams_that_take_nothing_end_no_command_in_a_traceback(
    shell: str, status: int, said: str
) -> None:
  """Closed, full, or with a reader that has gone, as after `| head`."""
  found = _run("import time; time.sleep(.2); print('x')", shell)
  assert (found.returncode, found.stderr) == (status, said)


def test_a_file_gets_no_number_of_a_closed_stream(
    tmp_path: pathlib.Path,
) -> None:
  """What C libraries print would end up in a table of results."""
  body = (
      f"file = open('{tmp_path}/table', 'w'); import os; "
      "os.write(1, b'noise'); os.write(2, b'noise'); file.write('rows')"
  )
  assert _run(body, '>&- 2>&- <&-').returncode == 0
  assert (tmp_path / 'table').read_text() == 'rows'


@pytest.mark.parametrize(
    'backend', ['module://matplotlib_inline.backend_inline', 'garbage', 'qtagg']
)
def test_figures_are_drawn_without_a_display(
    backend: str, tmp_path: pathlib.Path
) -> None:
  """Whatever a notebook says, and with nobody's own style."""
  (tmp_path / 'matplotlibrc').write_bytes(
      b'backend: nonsense\ntext.usetex: True\n\xff\n'
  )
  found = _run(
      _DRAW,
      MPLBACKEND=backend,
      DISPLAY='',
      MPLCONFIGDIR=str(tmp_path),
      MATPLOTLIBRC=str(tmp_path),
  )
  assert (found.stdout, found.stderr) == ('False True\n', '')


@pytest.mark.parametrize('value', ['--xla_nonsense=1', 'no_such_file'])
def test_flags_that_would_end_the_process_are_refused(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
  """XLA itself leaves no message of ours, and no clean end."""
  monkeypatch.setenv('XLA_FLAGS', value)
  with pytest.raises(errors.UsageError, match=f'XLA_FLAGS={value}.*unset'):
    startup.check_flags()


def test_flags_that_xla_knows_pass(monkeypatch: pytest.MonkeyPatch) -> None:
  """And no process is started where there are none."""
  monkeypatch.setenv('XLA_FLAGS', '--xla_force_host_platform_device_count=2')
  startup.check_flags()
  monkeypatch.delenv('XLA_FLAGS')
  monkeypatch.setattr(subprocess, 'run', None)
  startup.check_flags()


@pytest.mark.parametrize(
    'name', ['JAX_ENABLE_X64', 'JAX_DISABLE_JIT', 'JAX_TRANSFER_GUARD']
)
def test_what_would_change_the_numbers_is_said_and_left(name: str) -> None:
  """The same command gives the same bits."""
  found = _run(f"import os; print('{name}' in os.environ)", **{name: '1'})
  assert found.stdout == 'False\n'
  assert found.stderr == f'note: ${name} is left out of account\n'


def test_a_device_that_is_not_there_is_explained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
  """With the variable that asks for it."""
  monkeypatch.setenv('JAX_PLATFORM_NAME', 'gpu')
  with pytest.raises(RuntimeError) as caught:
    jax.devices('nonsense')
  message = str(startup.explained(caught.value))
  assert 'no device' in message and '$JAX_PLATFORM_NAME=gpu; unset' in message
  assert startup.explained(RuntimeError('something else')) is None
  assert startup.explained(ValueError('something else')) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    'name, value',
    [
        ('JAX_PLATFORMS', 'cuda'),
        ('JAX_PLATFORMS', 'nonsense'),
        ('JAX_PLATFORM_NAME', 'gpu'),
        ('JAX_NUM_CPU_DEVICES', 'many'),
        ('JAX_DEFAULT_MATMUL_PRECISION', 'nonsense'),
    ],
)
def test_no_variable_of_jax_ends_in_a_traceback(name: Any, value: Any) -> None:
  """One message, status 2, in any command that asks for a device."""
  if value in ('cuda', 'gpu') and jax.default_backend() == 'gpu':
    pytest.skip('there is a GPU')
  found = _run('import jax; jax.devices()', **{name: value})
  assert found.returncode == 2 and found.stdout == ''
  assert found.stderr.startswith('error: JAX ')
  assert f'${name}={value}' in found.stderr
  assert len(found.stderr.splitlines()) == 1


def test_a_folder_that_is_gone_is_said(tmp_path: pathlib.Path) -> None:
  """Before a relative path leads nowhere."""
  (tmp_path / 'gone').mkdir()
  found = subprocess.run(
      [
          'bash',
          '-c',
          f'cd {tmp_path}/gone && rmdir ../gone && "$0" -c "$1"',
          sys.executable,
          _COMMAND.format(body=_HELLO),
      ],
      capture_output=True,
      text=True,
      check=False,
      env=os.environ | {'PYTHONPATH': str(_ROOT)},
  )
  assert found.returncode == 2
  assert 'current folder has been removed' in found.stderr
