"""TensorBoard's view of the history: one event of scalars an epoch.

tensorboardX needs no TensorFlow, which would cost a training 500 MiB and some
seconds. Its `SummaryWriter` writes in a thread that dies of a full disk and
leaves the run waiting; its `RecordWriter` raises an OSError at once.
"""

import pathlib
import time
from typing import Any

from tensorboardX import record_writer
from tensorboardX.proto import event_pb2
from tensorboardX.proto import summary_pb2

from medxfer.training import checkpoint_io

# Made when they are imported, which no type checker sees.
_EVENT: Any = getattr(event_pb2, 'Event')
_SUMMARY: Any = getattr(summary_pb2, 'Summary')
_NAME = 'events.out.tfevents.medxfer'


class EventWriter:
  """Writes one scalar for each number of a record; a context manager."""

  def __init__(self, workdir: pathlib.Path):
    """Starts a new file: the caller repeats the history so far."""
    self._file = record_writer.RecordWriter(str(workdir.absolute() / _NAME))
    self._write(file_version='brain.Event:2')

  def __enter__(self) -> 'EventWriter':
    return self

  def __exit__(self, *_: object) -> None:
    self._file.close()

  def write(self, record: checkpoint_io.Record) -> None:
    """Writes the numbers of an epoch to disk."""
    values = [
        _SUMMARY.Value(tag=name, simple_value=value)
        for name, value in record.items()
        if name != 'epoch'
    ]
    summary = _SUMMARY(value=values)
    self._write(step=record['epoch'], summary=summary)

  def _write(self, **fields: Any) -> None:
    event = _EVENT(wall_time=time.time(), **fields)
    self._file.write(event.SerializeToString())
    self._file.flush()
