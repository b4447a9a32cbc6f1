"""Tells a person, metrics.jsonl and TensorBoard about each epoch."""

from collections.abc import Sequence
import json
import pathlib

from medxfer import files
from medxfer.runs import say
from medxfer.training import events
from medxfer.training import loop

METRICS = 'metrics.jsonl'


class Reporter:
  """Takes the history after each epoch; see `loop.train`."""

  def __init__(self, path: pathlib.Path, writer: events.EventWriter):
    """Reports into the workdir `path` and to `writer`."""
    self._path = path
    self._writer = writer
    self._told: int | None = None  # Epochs reported; None before the start.

  def __call__(self, history: Sequence[loop.Record]) -> None:
    """Reports what is new in the history of the run."""
    lines = [json.dumps(record) + '\n' for record in history]
    # Whole from the checkpoint's history, so that an epoch which was logged
    # but not saved does not stand there twice.
    files.write_text(self._path / METRICS, ''.join(lines))
    for record in history[self._told or 0:]:
      self._writer.write(record)
    if self._told is not None:
      say.line(_line(history))
    elif history:
      say.line(f'goes on after epoch {len(history)}')
    self._told = len(history)


def _line(history: Sequence[loop.Record]) -> str:
  record = history[-1]
  mark = ' *' if loop.best_epoch(history) == record['epoch'] else '  '
  return (
      f'epoch {record["epoch"]:3d}  '
      f'train {record["train_loss"]:.4f} {record["train_accuracy"]:.4f}  '
      f'val {record["val_loss"]:.4f} {record["val_accuracy"]:.4f}{mark}  '
      f'{record["images_per_second"]:.1f} images/s  '
      f'{record["seconds"]:.0f} s')
