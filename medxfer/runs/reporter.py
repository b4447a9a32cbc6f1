"""Reports each epoch to the terminal, metrics.jsonl and TensorBoard."""

from collections.abc import Sequence
import pathlib

from medxfer import console
from medxfer import spec as specs
from medxfer.runs import workdir
from medxfer.training import loop
from medxfer.training import tensorboard

_HEADING = 'epoch  train loss     acc  val loss     acc  macro F1  '


class Reporter:
  """Keeps a person, metrics.jsonl and TensorBoard informed."""

  def __init__(
      self,
      path: pathlib.Path,
      spec: specs.TrainingSpec,
      writer: tensorboard.EventWriter,
  ):
    """Reports into the workdir `path` and to `writer`."""
    self._path = path
    self._spec = spec
    self._writer = writer
    self._rates, self._headed = True, False

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
      console.line(
          f'resumes after epoch {len(history)}'
          + (f' and {steps} steps' if steps else '')
      )

  def without_rates(self) -> None:
    """Leaves out images per second, where they mean nothing."""
    self._rates = False

  def epoch(self, history: Sequence[loop.Record]) -> None:
    """Reports the last epoch of the history."""
    self._write(history)
    self._writer.write(history[-1])
    if not self._headed:
      monitored = self._spec.monitor.replace('f1_macro', 'macro F1')
      console.line(f'* is the best epoch so far by validation {monitored}')
      console.line(_HEADING + ('  images/s' if self._rates else '') + '      s')
      self._headed = True
    best = loop.best_epoch(history, self._spec)
    console.line(self._line(history[-1], is_best=best == history[-1]['epoch']))

  def _line(self, record: loop.Record, *, is_best: bool) -> str:
    # The first epoch of a process waits for caches to fill and to compile.
    rate = (
        '-'
        if 'seconds_to_first_step' in record
        else f'{record["images_per_second"]:.1f}'
    )
    return (
        f'{record["epoch"]:5d}  '
        f'{record["train_loss"]:10.4f}  {record["train_accuracy"]:6.4f}  '
        f'{record["val_loss"]:8.4f}  {record["val_accuracy"]:6.4f}  '
        f'{record["val_f1_macro"]:8.4f}{" *" if is_best else "  "}'
        + (f'  {rate:>8}' if self._rates else '')
        + f'  {record["seconds"]:5.0f}'
    )

  def _write(self, history: Sequence[loop.Record]) -> None:
    # Whole from the checkpoint's history, so that an epoch which was logged
    # but not saved does not stand there twice.
    workdir.Workdir(self._path).write_history(history)
