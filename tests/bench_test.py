"""Protects the benchmark's arithmetic, and what it does without a peer."""

import os
import pathlib
import subprocess
import sys

import pytest

from medxfer.bench import flops
from medxfer.bench import process
from medxfer.bench import setting as settings
from medxfer.bench import table

_ROOT = pathlib.Path(__file__).parents[1]


def _setting(mode: str) -> settings.Setting:
  return settings.Setting(mode, 224, 8, 'float32', 2)


def test_an_image_takes_the_operations_of_the_published_network() -> None:
  """15.3 billion multiplications in the convolutions of VGG-16 at 224."""
  head = 2 * (25088 * 256 + 256 * 256 + 256 * 7)
  forward = flops.of_image(_setting('forward')) - head
  assert forward == 2 * 15_346_630_656


def test_training_takes_what_its_gradients_take() -> None:
  """Of the first convolution nobody needs the image's gradient."""
  forward, everything = (
      flops.of_image(_setting(mode)) for mode in ('forward', 'train_all')
  )
  assert everything == 3 * forward - 2 * 9 * 3 * 64 * 224**2
  last = flops.of_image(_setting('train_last'))
  # Block 5: three kernels, two inputs; fc1, fc2 and predictions: both.
  block = 2 * 9 * 512 * 512 * 14**2
  head = 2 * (25088 * 256 + 256 * 256 + 256 * 7)
  assert last == forward + 5 * block + 2 * head


def test_a_ratio_compares_rounds_not_medians() -> None:
  """What slows a whole round slows both, and says nothing."""
  row = table.row('torch', '2', [4.0, 8.0, 2.0], [2.0, 4.0, 1.0], 10.0, 0.5)
  assert (row['ratio'], row['ratio_low'], row['ratio_high']) == (2, 2, 2)
  assert row['images_per_second'] == 0.25 and row['share'] == 0.5
  assert '2.00x' in table.text('train_all', [row], ['note'])


def test_a_framework_that_dies_is_a_failure_not_a_hang() -> None:
  """A benchmark of four must not end with the second."""
  with pytest.raises(process.Failure, match='status 1'):
    process.Subject('no-such', _setting('forward'))


def test_a_gpu_that_is_not_there_is_said_without_a_traceback() -> None:
  """Every other command says it, too."""
  run = subprocess.run(
      [sys.executable, '-m', 'tools.bench', '--mode=forward'],
      cwd=_ROOT,
      capture_output=True,
      text=True,
      env=os.environ | {'JAX_PLATFORMS': 'nonsense'},
  )
  assert run.returncode == 1 and 'Traceback' not in run.stderr
  assert 'matrix products: JAX finds no device' in run.stderr
  assert '$JAX_PLATFORMS=nonsense; unset that' in run.stderr


@pytest.mark.parametrize(
    'flag, message',
    [('--mode=train', 'train_all'), ('--against=mxnet', 'keras')],
)
def test_an_unknown_word_is_refused_with_those_that_are_known(
    flag: str, message: str
) -> None:
  """Before anything is measured."""
  run = subprocess.run(
      [sys.executable, '-m', 'tools.bench', flag],
      cwd=_ROOT,
      capture_output=True,
      text=True,
      env=os.environ,
  )
  assert run.returncode == 2
  assert message in run.stderr and 'Traceback' not in run.stderr
