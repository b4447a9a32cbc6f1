"""Protects the lines of epochs: a heading, columns that stand below it."""

import pathlib
from typing import Any

import pytest

from medxfer import spec as specs
from medxfer.recipes import common
from medxfer.runs import reporter


class _NoEvents:
  """Stands for TensorBoard's writer."""

  def write(self, record: dict) -> None:
    """Writes nothing."""


def _record(epoch: int, accuracy: float, **more: Any) -> dict:
  return {
      'epoch': epoch,
      'train_loss': 2.4562,
      'train_accuracy': 0.6231,
      'val_loss': 0.9812,
      'val_accuracy': accuracy,
      'val_f1_macro': 0.2211,
      'images_per_second': 1063.14,
      'seconds': 12.4,
      **more,
  }


def _reporter(tmp_path: pathlib.Path, **training: Any) -> reporter.Reporter:
  config = common.default()
  config.training.update(training)
  return reporter.Reporter(
      tmp_path, specs.from_config(config).training, _NoEvents()
  )


def test_epochs_stand_below_a_heading(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
  """Six bare numbers are a riddle; the star needs a word."""
  report = _reporter(tmp_path)
  history = [
      _record(1, 0.5, seconds_to_first_step=9.0),
      _record(2, 0.4),
      _record(3, 0.6),
  ]
  for epoch in (1, 2, 3):
    report.epoch(history[:epoch])
  star, heading, *rows = capsys.readouterr().out.splitlines()
  assert star == '* is the best epoch so far by validation accuracy'
  assert heading.split() == (
      'epoch train loss acc val loss acc macro F1 images/s s'.split()
  )
  assert [row.split() for row in rows] == [
      # The first waits for the compiler.
      '1 2.4562 0.6231 0.9812 0.5000 0.2211 * - 12'.split(),
      '2 2.4562 0.6231 0.9812 0.4000 0.2211 1063.1 12'.split(),
      '3 2.4562 0.6231 0.9812 0.6000 0.2211 * 1063.1 12'.split(),
  ]
  for name, cell in (
      ('epoch', '    1'),
      ('train loss', '2.4562'),
      ('val loss', '0.9812'),
      ('macro F1', '0.2211'),
      ('images/s', '-'),
  ):
    end = heading.index(name) + len(name)
    assert rows[0][:end].endswith(cell), name
  assert len({len(row) for row in [heading, *rows]}) == 1
  assert len((tmp_path / 'metrics.jsonl').read_text().splitlines()) == 3


def test_a_rate_that_means_nothing_has_no_column(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
  """Cached features are not computed; one step cannot be timed."""
  report = _reporter(tmp_path, monitor='f1_macro')
  report.without_rates()
  report.epoch([_record(1, 0.5)])
  star, heading, row = capsys.readouterr().out.splitlines()
  assert star.endswith('by validation macro F1')
  assert 'images/s' not in heading and '1063' not in row
  assert len(heading) == len(row)


@pytest.mark.parametrize(
    'steps, said',
    [(0, 'resumes after epoch 2'), (7, 'resumes after epoch 2 and 7 steps')],
)
def test_a_resumed_run_says_where_and_repeats_the_heading(
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    steps: int,
    said: str,
) -> None:
  """Its log is another file, perhaps."""
  report = _reporter(tmp_path)
  history = [_record(1, 0.5), _record(2, 0.4)]
  report.resume(history, steps)
  assert capsys.readouterr().out.splitlines() == [said]
  report.epoch([*history, _record(3, 0.6)])
  assert 'train loss' in capsys.readouterr().out
