"""Protects the resume: a run that is killed ends as if it had not been."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from medxfer.training import checkpoints

_ROOT = pathlib.Path(__file__).parents[2]


def _start(phantoms, workdir) -> subprocess.Popen:
  """Starts a run that takes several epochs of a few seconds."""
  keys = {
      'data.dir': phantoms, 'data.phantom': 0, 'data.image_size': '32,32',
      'model.init_from': 'random', 'model.head_units': '16,16',
      'optimizer.name': 'adamw', 'optimizer.schedule': 'cosine',
      'training.batch_size': 4, 'training.epochs': 4,
      'training.patience': 0, 'evaluation.resamples': 20,
  }
  # Each start compiles anew, as on a person's machine.
  environment = {k: v for k, v in os.environ.items()
                 if not k.startswith('JAX_')}
  return subprocess.Popen(
      [sys.executable, '-m', 'medxfer.main', f'--workdir={workdir}',
       '--config=configs/ham.py:last_block,phantom',
       *(f'--config.{key}={value}' for key, value in keys.items())],
      cwd=_ROOT, env=environment, stdout=subprocess.PIPE,
      stderr=subprocess.PIPE, text=True)


def _finish(process) -> str:
  out, err = process.communicate(timeout=600)
  assert process.returncode == 0, err
  # A log holds the run's own lines: none of TensorFlow's or XLA's.
  assert err == ''
  return out


def _results(workdir):
  """Returns everything that must not depend on interruptions."""
  history = [
      {k: v for k, v in json.loads(line).items()
       if 'seconds' not in k and k != 'images_per_second'}
      for line in (workdir / 'metrics.jsonl').read_text().splitlines()]
  summary = json.loads((workdir / 'summary.json').read_text())
  for key in ('train_seconds', 'images_per_second'):
    del summary[key]
  tables = [(workdir / f'predictions_{side}.csv').read_bytes()
            for side in ('val', 'test')]
  tensors = checkpoints.export(workdir).contract.tensors
  return history, summary, tables, dict(tensors)


@pytest.mark.slow
def test_sigkill_in_an_epoch_changes_no_bit_of_the_result(phantoms, tmp_path):
  """Parameters, metrics and predictions equal those of a quiet run."""
  _finish(_start(phantoms, tmp_path / 'quiet'))
  killed = tmp_path / 'killed'
  process = _start(phantoms, killed)
  while not (killed / 'checkpoints' / '2').exists():
    assert process.poll() is None, process.stderr.read()
    time.sleep(0.01)
  time.sleep(0.2)  # Into the third epoch.
  process.send_signal(signal.SIGKILL)
  process.communicate()
  assert not (killed / 'summary.json').exists()
  out = _finish(_start(phantoms, killed))
  assert 'goes on after epoch 2' in out or 'goes on after epoch 3' in out
  assert _results(killed) == _results(tmp_path / 'quiet')
  assert not [p for p in killed.rglob('*') if 'tmp' in p.name]
