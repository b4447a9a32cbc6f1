"""Protects the end of a failed command: status 1, one message, no rest."""

from collections.abc import Callable
import pathlib
import pickle
import shutil
import subprocess
import sys
from typing import Any

import pytest

from medxfer.data import ham10000

_ROOT = pathlib.Path(__file__).parents[1]


def _run(module: str, *args: Any) -> subprocess.CompletedProcess:
  return subprocess.run(
      [sys.executable, '-m', module, *map(str, args)],
      cwd=_ROOT,
      capture_output=True,
      text=True,
      check=False,
  )


def _assert_refused(
    result: subprocess.CompletedProcess, status: int, *parts: Any
) -> None:
  assert result.returncode == status, result.stderr
  assert result.stderr.startswith('error: ')
  assert 'Traceback' not in result.stderr
  for part in parts:
    assert part in result.stderr


def _train(
    data: pathlib.Path, workdir: pathlib.Path, *more: Any
) -> subprocess.CompletedProcess:
  return _run(
      'medxfer.main',
      '--config=configs/ham.py:head',
      f'--config.data.dir={data}',
      f'--workdir={workdir}',
      '--config.data.image_size=32,32',
      *more,
  )


def _repeat_a_row(data: pathlib.Path) -> None:
  path = data / ham10000.METADATA
  lines = path.read_text().splitlines()
  path.write_text('\n'.join([*lines, lines[-1]]) + '\n')


def _truncate_an_image(data: pathlib.Path) -> None:
  path = next(data.glob('*/*.jpg'))
  path.write_bytes(path.read_bytes()[:100])


@pytest.mark.parametrize(
    'damage, part',
    [
        (shutil.rmtree, 'no such folder'),
        (_repeat_a_row, 'stands in the table twice'),
        (_truncate_an_image, '.jpg'),
    ],
)
def test_wrong_data_exits_1_and_leaves_no_workdir(
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    damage: Callable[..., Any],
    part: str,
) -> None:
  """The whole way from a damaged file to the shell."""
  data = shutil.copytree(phantoms, tmp_path / 'data')
  damage(data)
  result = _train(data, tmp_path / 'w', '--config.model.init_from=random')
  _assert_refused(result, 1, part)
  assert not (tmp_path / 'w').exists()


class _Evil:

  def __reduce__(self) -> tuple:
    return (pathlib.Path.touch, (pathlib.Path('pickle_was_read'),))


@pytest.mark.parametrize('name', ['w.h5', 'w.pkl', 'w.npz'])
def test_a_pickle_is_refused_under_any_name(
    phantoms: pathlib.Path, tmp_path: pathlib.Path, name: str
) -> None:
  """Nothing is ever unpickled."""
  (tmp_path / name).write_bytes(pickle.dumps(_Evil()))
  result = _train(
      phantoms, tmp_path / 'w', f'--config.model.weights={tmp_path / name}'
  )
  _assert_refused(result, 1, name, 'pickle')
  assert not (_ROOT / 'pickle_was_read').exists()
  assert not (tmp_path / 'w').exists()


@pytest.mark.parametrize(
    'module, args, status, part',
    [
        ('tools.evaluate', (), 2, '--workdir is required'),
        ('tools.evaluate', ('--workdir=',), 2, '--workdir is required'),
        ('tools.evaluate', ('--workdir=nowhere',), 1, 'config.json'),
        ('tools.evaluate', ('--workdir=x', '--subset=all'), 2, 'subset'),
        ('tools.evaluate', ('--workdir=x', '--split=all'), 2, 'subset'),
        (
            'tools.evaluate',
            ('--workdir=x', '--classes=a=b'),
            2,
            '--classes goes with --data_dir',
        ),
        (
            'tools.evaluate',
            ('--workdir=x', '--data_dir=y', '--output=z'),
            2,
            '--output goes with',
        ),
        (
            'tools.evaluate',
            ('--workdir=nowhere', '--data_dir=y'),
            1,
            'config.json',
        ),
        ('tools.evaluate', ('--workdir=x', '--dataset=z'), 2, 'dataset'),
        ('tools.predict', ('--workdir=nowhere',), 2, 'name at least one image'),
        ('tools.predict', ('--workdir=nowhere', 'README.md'), 1, 'config.json'),
        (
            'tools.convert_weights',
            ('--source=nowhere.h5', '--output=x.npz'),
            1,
            'nowhere.h5',
        ),
        (
            'tools.convert_weights',
            ('--source=README.md', '--output=x.npz'),
            1,
            'README.md',
        ),
        (
            'tools.make_phantom',
            ('--dataset=ham10000', '--output=tests'),
            2,
            'tests',
        ),
        (
            'tools.make_phantom',
            ('--dataset=ham1000', '--output=x'),
            2,
            'ham1000',
        ),
        (
            'tools.download',
            ('--dataset=ham10000', '--output=tests'),
            2,
            'tests',
        ),
        (
            'tools.download',
            ('--dataset=ham10000', '--output=x', '--base_url=ftp://127.0.0.1'),
            2,
            'ftp',
        ),
    ],
)
def test_tools_refuse_in_one_line(
    module: str, args: tuple, status: int, part: str
) -> None:
  """Every tool's first wrong turn."""
  _assert_refused(_run(module, *args), status, part)
  assert not (_ROOT / 'x').exists() and not (_ROOT / 'x.npz').exists()
