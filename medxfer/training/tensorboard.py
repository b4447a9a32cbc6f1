"""TensorBoard's view of the history: one event of scalars an epoch.

tensorboardX needs no TensorFlow, which would cost a training 500 MiB and some
seconds. Its `SummaryWriter` writes in a thread that dies of a full disk and
leaves the run waiting; its `EventsWriter` raises an OSError at once.
"""

import pathlib
import time

from tensorboardX import event_file_writer
from tensorboardX import proto

from medxfer.training import checkpoint_io

_FILES = 'events.out.tfevents.*'


class EventWriter:
  """Writes one scalar for each number of a record; a context manager."""

  def __init__(self, workdir: pathlib.Path):
    """Starts a new file; the caller repeats the history so far.

    Args:
      workdir: folder of the run; files of events in it are removed, so that
        no epoch stands there twice.
    """
    for path in workdir.glob(_FILES):
      path.unlink()
    self._writer = event_file_writer.EventsWriter(
        str(workdir.absolute() / 'events')
    )
    self._writer.flush()

  def __enter__(self) -> 'EventWriter':
    return self

  def __exit__(self, *_: object) -> None:
    self._writer.close()

  def write(self, record: checkpoint_io.Record) -> None:
    """Writes the numbers of an epoch to disk."""
    values = [
        proto.summary_pb2.Summary.Value(tag=name, simple_value=value)
        for name, value in record.items()
        if name != 'epoch'
    ]
    self._writer.write_event(
        proto.event_pb2.Event(
            wall_time=time.time(),
            step=record['epoch'],
            summary=proto.summary_pb2.Summary(value=values),
        )
    )
    self._writer.flush()
