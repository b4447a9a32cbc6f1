"""TensorBoard's view of the history: one event of scalars an epoch.

tensorboardX needs no TensorFlow, which would cost a training 500 MiB and some
seconds. Its `SummaryWriter` writes in a thread that dies of a full disk and
leaves the run waiting; its `RecordWriter` raises an OSError at once.
"""

import pathlib
import time
from typing import Any

from tensorboardX import proto
from tensorboardX import record_writer

from medxfer.training import checkpoint_io

_NAME = 'events.out.tfevents.medxfer'


class EventWriter:
  """Writes one scalar for each number of a record; a context manager."""

  def __init__(self, workdir: pathlib.Path):
    """Starts the file anew: the caller repeats the history so far."""
    self._file = record_writer.RecordWriter(str(workdir.absolute() / _NAME))
    self._write(file_version='brain.Event:2')

  def __enter__(self) -> 'EventWriter':
    return self

  def __exit__(self, *_: object) -> None:
    self._file.close()

  def write(self, record: checkpoint_io.Record) -> None:
    """Writes the numbers of an epoch to disk."""
    values = [
        proto.summary_pb2.Summary.Value(tag=name, simple_value=value)
        for name, value in record.items()
        if name != 'epoch'
    ]
    summary = proto.summary_pb2.Summary(value=values)
    self._write(step=record['epoch'], summary=summary)

  def _write(self, **fields: Any) -> None:
    event = proto.event_pb2.Event(wall_time=time.time(), **fields)
    self._file.write(event.SerializeToString())
    self._file.flush()
