"""How a finished run goes on, with more epochs than it was asked for."""

from collections.abc import Sequence
import pathlib

import numpy as np

from medxfer import console
from medxfer import spec as specs
from medxfer.model import optimizer
from medxfer.runs import resume
from medxfer.runs import workdir
from medxfer.training import checkpoints as checkpoints_lib
from medxfer.training import kept_features
from medxfer.training import loop


def begin(path: pathlib.Path, spec: specs.RunSpec, *, first: bool) -> None:
  """Prints how a run continues with more epochs, and marks it as unfinished.

  What makes its result another than that of a run which was asked for them
  from the start is written, for the summary.

  Args:
    path: the workdir.
    spec: what is asked for.
    first: whether this is the first of the processes, which writes.
  """
  folder = workdir.Workdir(path)
  if not folder.is_begun:
    return
  before = folder.spec()
  if before.training == spec.training:
    return
  history = resume.history(path)
  if history:
    console.line(
        f'of this run {len(history)} epochs of {before.training.epochs} '
        f'are done; it goes on, to epoch {spec.training.epochs}'
    )
  difference = _difference(path, before, spec, history)
  # Of what nothing has come to pass, nothing remains to be said.
  notes = [
      note for note in folder.continued() if note['epochs_done'] < len(history)
  ]
  if difference:
    console.line(
        f'note: {difference}: the result is not that of a run which was '
        f'asked for {spec.training.epochs} epochs from the start'
    )
    notes.append(
        {
            'epochs_done': len(history),
            'epochs_before': before.training.epochs,
            'epochs': spec.training.epochs,
            'difference': difference,
        }
    )
  elif history:
    console.line(
        'as a run does that was asked for them from the start'
        + _rounding(before, spec)
    )
  if first:
    folder.write_continued(notes)
    # It is no longer true, and its best epoch may make way.
    folder.remove_summary()


def _difference(
    path: pathlib.Path,
    before: specs.RunSpec,
    spec: specs.RunSpec,
    history: Sequence[loop.Record],
) -> str:
  """Returns in words what going on changes, or ''."""
  if not history or loop.is_over(history, spec.training):
    return ''
  found = []
  if not checkpoints_lib.Checkpoints(path, read_only=True).can_go_on():
    best = loop.best_epoch(history, spec.training)
    found.append(
        'neither the last epoch nor the state of the optimizer was kept, so '
        f'it goes on from the best epoch, {best}, with a new optimizer'
    )
  if (
      spec.optimizer.schedule == 'cosine'
      and before.training.epochs != spec.training.epochs
  ):
    old, new = (
        float(
            np.asarray(
                optimizer.schedule(spec.optimizer, steps=epochs)(len(history))
            )
        )
        for epochs in (before.training.epochs, spec.training.epochs)
    )
    found.append(
        f'the cosine of the learning rate now spans {spec.training.epochs} '
        f'epochs, not {before.training.epochs} (after epoch {len(history)} '
        f'it is {new:.2g}, not {old:.2g})'
    )
  return ', and '.join(found)


def _rounding(before: specs.RunSpec, spec: specs.RunSpec) -> str:
  """Returns what may change the last bits, if it does."""
  # Runs of several stages take no other number of epochs.
  computed_once = {not kept_features.obstacle(one) for one in (before, spec)}
  if len(computed_once) == 1:
    return ''
  return (
      ', but for rounding: so many epochs pay for computing what frozen '
      'layers make of the images once'
  )
