"""Protects the events file: TensorBoard's own reader has to understand it."""

import numpy as np
import tensorflow as tf

from medxfer.training import tensorboard

_NAMES = ('val_loss', 'a/' + 'b' * 200)


def test_tensorflow_reads_what_was_written(tmp_path):
  """Numbers and texts of more than seven bits are written in parts."""
  written = {1: (0.25, -3e-7), 2: (float('nan'), 0.0), 300: (1e30, 7.0)}
  with tensorboard.EventWriter(tmp_path) as writer:
    for epoch, values in written.items():
      writer.write({'epoch': epoch, **dict(zip(_NAMES, values))})
  # The reader compares every checksum.
  first, *read = [
      tf.compat.v1.Event.FromString(record.numpy()) for record in
      tf.data.TFRecordDataset(str(tmp_path / 'events.out.tfevents.medxfer'))]
  assert first.file_version == 'brain.Event:2'
  assert [event.step for event in read] == list(written)
  for event, values in zip(read, written.values()):
    assert tuple(value.tag for value in event.summary.value) == _NAMES
    np.testing.assert_array_equal(
        [value.simple_value for value in event.summary.value],
        np.float32(values))
