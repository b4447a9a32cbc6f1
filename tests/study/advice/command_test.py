"""Protects an advice from the command line to the page, on phantoms."""

import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest

from medxfer import files
from medxfer.model import weights
from tests.model import conftest

_ROOT = pathlib.Path(__file__).parents[3]


def _run(module: str, *flags: Any, cache: Any = 'off') -> Any:
  return subprocess.run(
      [sys.executable, '-m', module, *map(str, flags)],
      cwd=_ROOT,
      text=True,
      capture_output=True,
      env={**os.environ, 'MEDXFER_CACHE': str(cache)},
  )


@pytest.mark.slow
def test_phantoms_end_in_a_sentence_and_a_page(tmp_path: pathlib.Path) -> None:
  """The way that a user takes, with a network of three convolutions."""
  start = tmp_path / 'tiny.safetensors'
  weights.write(conftest.fabricate(0, 'tiny'), start)
  path = tmp_path / 'study'
  flags = [
      '--config=configs/advice.py:ham,tuned,cpu,phantom,tiny',
      f'--config.model.weights={start}',
      f'--workdir={path}',
      '--config.study.arms=head,random',
      '--config.study.sizes=40,all',
      '--config.study.seeds=0',
      '--config.study.rates=1,3',
  ]
  cache = tmp_path / 'cache'
  planned = _run('medxfer.study', *flags, '--dry_run', cache=cache)
  assert planned.returncode == 0, planned.stderr
  assert 'head-rate1-seed0  about' in planned.stdout
  assert not path.exists()
  short = _run('medxfer.study', *flags, '--budget=25s', cache=cache)
  assert short.returncode == 0, short.stdout[-2000:] + short.stderr
  assert 'Not trained for want of time' in short.stdout
  done = files.read_json(path / 'advice.json')['runs']
  whole = _run('medxfer.study', *flags, '--budget=1h', cache=cache)
  assert whole.returncode == 0, whole.stdout[-2000:] + whole.stderr
  found = files.read_json(path / 'advice.json')
  assert found['runs'] > done and not found['left']
  for sentence in found['sentences']:
    assert sentence in whole.stdout
  # Networks that saw a part of the images are of no use to anybody.
  kept = {run.parent.name for run in (path / 'runs').glob('*/checkpoints')}
  assert kept and not any('-n40-' in name for name in kept)
  told = _run('medxfer', 'report', f'--workdir={path}')
  assert told.returncode == 0, told.stderr
  page = (path / 'report' / 'index.html').read_text('utf-8')
  assert 'What should I fine-tune?' in page
  assert 'Macro F1 by number of training images' in page


@pytest.mark.parametrize(
    ('flags', 'words'),
    [
        (['advice.py:ham,tuned', '--budget=5'], 'give a time, such as 45m'),
        (['table_7_1.py', '--budget=5m'], 'this study trains all its runs'),
        (
            ['advice.py:ham', '--config.study.arms=head,some'],
            "study.arms='head,some' is not allowed",
        ),
        (['advice.py:skin'], "unknown data set 'skin'"),
        (['advice.py:ham', '--config.study.rates=2'], 'with 1 among them'),
        (
            ['advice.py:ham', '--config.training.stages=head:1,top:1'],
            'training.stages',
        ),
        (['advice.py:ham', '--shard=3/2'], '--shard=3/2'),
        (
            ['advice.py:ham,phantom', '--config.study.sizes=5000'],
            'are there to train on',
        ),
        (
            ['advice.py:ham,phantom', '--config.study.sizes=8,all'],
            'too few for 7 classes',
        ),
    ],
)
def test_wrong_flags_end_in_one_line(
    flags: list[str], words: str, tmp_path: pathlib.Path
) -> None:
  """Exit status 2, one message, and no folder is left."""
  path = tmp_path / 'study'
  done = _run(
      'medxfer.study',
      f'--config=configs/{flags[0]}',
      *flags[1:],
      f'--workdir={path}',
      cache=tmp_path / 'cache',
  )
  assert done.returncode == 2, done.stdout + done.stderr
  assert words in done.stderr
  assert len(done.stderr.splitlines()) == 1
  assert not path.exists()
