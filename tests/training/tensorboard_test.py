"""Protects the events file: TensorBoard's own reader has to understand it."""

import pathlib
import subprocess
import sys

import numpy as np
import tensorflow as tf

from medxfer.training import tensorboard

_NAMES = ('val_loss', 'a/' + 'b' * 200)


def _write(folder: pathlib.Path, written: dict) -> None:
  with tensorboard.EventWriter(folder) as writer:
    for epoch, values in written.items():
      writer.write({'epoch': epoch, **dict(zip(_NAMES, values))})


def _events(folder: pathlib.Path) -> list:
  # The reader compares every checksum.
  [path] = folder.glob('events.out.tfevents.*')
  first, *rest = [
      tf.compat.v1.Event.FromString(record.numpy())
      for record in tf.data.TFRecordDataset(str(path))
  ]
  assert first.file_version == 'brain.Event:2'
  return rest


def test_tensorflow_reads_what_was_written(tmp_path: pathlib.Path) -> None:
  """Every number of every epoch, one that is not finite included."""
  written = {1: (0.25, -3e-7), 2: (float('nan'), 0.0), 300: (1e30, 7.0)}
  _write(tmp_path, written)
  read = _events(tmp_path)
  assert [event.step for event in read] == list(written)
  for event, values in zip(read, written.values()):
    assert tuple(value.tag for value in event.summary.value) == _NAMES
    np.testing.assert_array_equal(
        [value.simple_value for value in event.summary.value],
        np.float32(values),
    )


def test_a_resumed_run_leaves_no_epoch_twice(tmp_path: pathlib.Path) -> None:
  """Its caller repeats the history; TensorBoard reads every file."""
  _write(tmp_path, {1: (1.0, 2.0)})
  _write(tmp_path, {1: (1.0, 2.0), 2: (3.0, 4.0)})
  assert [event.step for event in _events(tmp_path)] == [1, 2]


def test_an_epoch_is_on_disk_before_the_next(tmp_path: pathlib.Path) -> None:
  """Who watches a training sees it, and a killed one has it."""
  with tensorboard.EventWriter(tmp_path) as writer:
    writer.write({'epoch': 1, 'val_loss': 0.5})
    assert [event.step for event in _events(tmp_path)] == [1]


def test_events_need_no_tensorflow(tmp_path: pathlib.Path) -> None:
  """It would cost every training 500 MiB."""
  subprocess.run(
      [
          sys.executable,
          '-c',
          'import pathlib, sys\n'
          'from medxfer.training import tensorboard\n'
          'with tensorboard.EventWriter(pathlib.Path(sys.argv[1])) as writer:\n'
          '  writer.write({"epoch": 1, "val_loss": 0.5})\n'
          'assert "tensorflow" not in sys.modules',
          str(tmp_path),
      ],
      check=True,
  )
  assert [event.step for event in _events(tmp_path)] == [1]
