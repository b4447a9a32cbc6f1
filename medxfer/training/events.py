"""TensorBoard's view of the history: scalar events in a TFRecord file."""

import os
import pathlib
import time
from typing import Any

import tensorflow as tf

from medxfer.training import checkpoints

_NAME = 'events.out.tfevents.medxfer'


class EventWriter:
  """Writes one scalar a number of a record; a context manager."""

  def __init__(self, workdir: pathlib.Path):
    """Starts the file anew: the caller repeats the history so far."""
    self._writer = tf.io.TFRecordWriter(os.fspath(workdir / _NAME))
    self._write(file_version='brain.Event:2')

  def __enter__(self) -> 'EventWriter':
    return self

  def __exit__(self, *_: object) -> None:
    self._writer.close()

  def write(self, record: checkpoints.Record) -> None:
    """Writes the numbers of an epoch."""
    values = [
        tf.compat.v1.Summary.Value(tag=name, simple_value=value)
        for name, value in record.items() if name != 'epoch'
    ]
    self._write(step=record['epoch'],
                summary=tf.compat.v1.Summary(value=values))

  def _write(self, **fields: Any) -> None:
    event = tf.compat.v1.Event(wall_time=time.time(), **fields)
    self._writer.write(event.SerializeToString())
    self._writer.flush()
