"""Protects `--dry_run`: it tells what a run would do, and does none of it."""

import pathlib
import re
from typing import Any

import pytest

from medxfer import errors
from medxfer import spec as specs
from medxfer.model import architectures
from medxfer.model import operations
from medxfer.runs import dry_run
from tests import tiny


def _spec(
    phantoms: pathlib.Path, arm: str = 'last_block', **training: Any
) -> specs.RunSpec:
  config = tiny.config(phantoms, arm)
  config.training.update(training)
  return specs.from_config(config)


def test_it_tells_split_layers_space_and_time(
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """And leaves no workdir."""
  dry_run.run(_spec(phantoms), tmp_path / 'w')
  said = capsys.readouterr().out
  for line in (
      r'^workdir: .*/w: would start$',
      r'^data: 50 images .*split: train 30, val 10, test 10$',
      r'^class +train +val +test$',
      r'^nv +\d+ +\d+ +\d+$',
      r'^trains: block2_conv1, block2_conv2, fc1, fc2, predictions$',
      r'^frozen: block1_conv1$',
      r'^parameters: [\d,]+ trained, 224 frozen$',
      r'^feature cache: (on|off), ',
      r'^memory: [\d,]+ MiB of pixels, .* MiB are free$',
      r'^disk: at most [\d,]+ MiB of checkpoints',
      r'^time: about \d.* for 3 epochs, ',
  ):
    assert re.search(line, said, re.MULTILINE), line
  assert not (tmp_path / 'w').exists()


def test_a_workdir_decides_what_is_left(
    phantoms: pathlib.Path,
    finished: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """A finished run is finished; more epochs, other keys are other work."""
  assert dry_run.state_of(_spec(phantoms, 'head'), finished) == 'is finished'
  more = _spec(phantoms, 'head', epochs=9)
  assert dry_run.state_of(more, finished) == 'would resume after epoch 3'
  before = sorted(finished.rglob('*'))
  dry_run.run(_spec(phantoms, 'head'), finished)
  assert sorted(finished.rglob('*')) == before
  assert capsys.readouterr().out.splitlines() == [
      f'workdir: {finished}: is finished'
  ]
  with pytest.raises(errors.UsageError):
    dry_run.state_of(_spec(phantoms, 'all'), finished)


def test_trees_have_no_estimate(
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """Nothing is known of how long they take."""
  dry_run.run(_spec(phantoms, 'decision_tree'), tmp_path / 'w')
  assert 'time: not estimated' in capsys.readouterr().out


def test_operations_follow_what_trains() -> None:
  """Frozen layers are multiplied once, those that train up to three times."""
  products = operations.multiplications(
      architectures.BY_NAME['tiny'], (8, 8), (4, 4), 2
  )
  assert products == {
      'block1_conv1': 9 * 3 * 8 * 64,
      'block2_conv1': 9 * 8 * 8 * 16,
      'block2_conv2': 9 * 8 * 8 * 16,
      'fc1': 4 * 8 * 4,
      'fc2': 16,
      'predictions': 8,
  }
  forward = operations.operations(products)
  assert forward == 2 * sum(products.values())
  everything = operations.operations(products, tuple(products))
  assert everything == 3 * forward - 2 * products['block1_conv1']
  head = operations.operations(products, ('predictions',))
  assert head == forward + 2 * products['predictions']
