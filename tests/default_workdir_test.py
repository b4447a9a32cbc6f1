"""Protects the folder of a command that names none: found again, safe."""

import pathlib
import subprocess
import sys
import types

import pytest

from medxfer import default_workdir
from medxfer import errors
from medxfer.recipes import ham
from medxfer.recipes import layers
from medxfer.recipes import table_7_1

_ROOT = pathlib.Path(__file__).parent.parent


@pytest.mark.parametrize(
    'filename, seed, name',
    [
        ('configs/ham.py:last_block', 0, 'ham-last_block'),
        (
            'configs/ham.py:last_block,tuned,cpu,phantom',
            0,
            'ham-last_block-tuned-phantom-cpu',
        ),
        # Whatever the order: the configuration is the same.
        (
            'configs/ham.py:last_block,cpu,phantom,tuned',
            0,
            'ham-last_block-tuned-phantom-cpu',
        ),
        ('configs/ham.py:head', 3, 'ham-head-seed3'),
        ('/a b/[x]/../my [1] $HOME;.py:head', 0, 'my_1_HOME_-head'),
        ('.py:head', 0, 'py-head'),
        ('/tmp/kürbis.py:head', 0, 'kürbis-head'),
        (f'/tmp/{"x" * 250}.py:head', 0, 'x' * 200),
    ],
)
def test_the_name_of_a_run(filename: str, seed: int, name: str) -> None:
  """The same command finds it again, and no shell stumbles over it."""
  config = ham.get_config(filename.partition(':')[2])
  config.seed = seed
  assert default_workdir.name(filename, config) == name


def test_another_fold_or_source_has_another_folder() -> None:
  """They are other runs of one command."""
  config = ham.get_config('head')
  config.data.update(split='grouped', fold=2)
  assert default_workdir.name('ham.py:head', config) == 'ham-head-fold2'
  config.data.update(split='source', fold=0, test_source='clinic 1')
  assert default_workdir.name('ham.py:head', config) == 'ham-head-clinic_1'


@pytest.mark.parametrize(
    'module, argument, name',
    [
        (table_7_1, '', 'table_7_1'),
        (table_7_1, 'cpu,tuned', 'table_7_1-tuned-cpu'),
        (layers, 'ham,cpu,by_layer', 'layers-ham-by_layer-cpu'),
    ],
)
def test_the_name_of_a_study(
    module: types.ModuleType, argument: str, name: str
) -> None:
  """A study has presets, and its seeds are its own affair."""
  filename = f'{module.__file__}:{argument}'
  assert default_workdir.name(filename, module.get_config(argument)) == name


def test_finished_runs_are_named_where_one_is_asked_for(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """Which of them is evaluated cannot be derived."""
  monkeypatch.chdir(tmp_path)
  with pytest.raises(errors.UsageError, match='no finished run .* runs/'):
    raise default_workdir.missing()
  for name in ('b[1]', 'a', 'study/runs/all-seed0', 'unfinished', 'z'):
    (tmp_path / 'runs' / name).mkdir(parents=True)
    if name != 'unfinished':
      (tmp_path / 'runs' / name / 'summary.json').touch()
  with pytest.raises(
      errors.UsageError,
      match=(
          '--workdir is required .*finished here: --workdir=runs/a, '
          r'--workdir=runs/b\[1\], --workdir=runs/study/runs/all-seed0 and '
          '1 more'
      ),
  ):
    raise default_workdir.missing()


@pytest.mark.parametrize(
    'module, flags, said',
    [
        (
            'medxfer.main',
            (
                '--config={root}/configs/ham.py:head,cpu',
                '--config.data.dir=/nowhere',
            ),
            'workdir: runs/ham-head-cpu\n',
        ),
        (
            'medxfer.study',
            ('--config={root}/configs/table_7_1.py:phantom', '--shard=2/1'),
            '',
        ),
        ('tools.report', (), ''),
        ('tools.evaluate', (), ''),
        ('tools.predict', ('x.jpg',), ''),
    ],
)
def test_a_refused_command_leaves_no_folder(
    tmp_path: pathlib.Path, module: str, flags: tuple, said: str
) -> None:
  """What was derived is said first, and made only for a run that starts."""
  result = subprocess.run(
      [
          sys.executable,
          '-m',
          module,
          *(flag.format(root=_ROOT) for flag in flags),
      ],
      cwd=tmp_path,
      env={'PYTHONPATH': str(_ROOT), 'HOME': str(tmp_path)},
      capture_output=True,
      text=True,
      check=False,
  )
  assert result.returncode in (1, 2) and 'Traceback' not in result.stderr
  assert result.stdout.startswith(said)
  if module.startswith('tools'):
    assert '--workdir is required' in result.stderr
  assert not (tmp_path / 'runs').exists()
