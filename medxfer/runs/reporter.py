"""Tells a person, metrics.jsonl and TensorBoard about each epoch."""

from collections.abc import Sequence
import json
import pathlib

from medxfer import files
from medxfer import say
from medxfer import spec as specs
from medxfer.runs import workdir
from medxfer.training import events
from medxfer.training import loop


class Reporter:
  """Keeps a person, metrics.jsonl and TensorBoard informed."""

  def __init__(
      self,
      path: pathlib.Path,
      spec: specs.TrainingSpec,
      writer: events.EventWriter,
  ):
    """Reports into the workdir `path` and to `writer`."""
    self._path = path
    self._spec = spec
    self._writer = writer

  def resume(self, history: Sequence[loop.Record], steps: int = 0) -> None:
    """Repeats what an earlier part of the run has done.

    Args:
      history: its epochs.
      steps: taken since.
    """
    self._write(history)
    for record in history:
      self._writer.write(record)
    if history or steps:
      say.line(f'resumes after epoch {len(history)}'
               + (f' and {steps} steps' if steps else ''))

  def epoch(self, history: Sequence[loop.Record]) -> None:
    """Reports the last epoch of the history."""
    self._write(history)
    self._writer.write(history[-1])
    best = loop.best_epoch(history, self._spec)
    say.line(_line(history[-1], is_best=best == history[-1]['epoch']))

  def _write(self, history: Sequence[loop.Record]) -> None:
    # Whole from the checkpoint's history, so that an epoch which was logged
    # but not saved does not stand there twice.
    lines = [json.dumps(record) + '\n' for record in history]
    files.write_text(self._path / workdir.HISTORY, ''.join(lines))


def _line(record: loop.Record, *, is_best: bool) -> str:
  return (
      f'epoch {record["epoch"]:3d}  '
      f'train {record["train_loss"]:.4f} {record["train_accuracy"]:.4f}  '
      f'val {record["val_loss"]:.4f} {record["val_accuracy"]:.4f} '
      f'{record["val_f1_macro"]:.4f}{" *" if is_best else "  "}  '
      f'{record["images_per_second"]:.1f} images/s  '
      f'{record["seconds"]:.0f} s')
