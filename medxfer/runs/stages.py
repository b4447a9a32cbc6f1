"""The stages of a run, one after the other; most runs have one.

A stage begins with the parameters of the best epoch so far, with an optimizer
and a schedule of its own, and ends with its last epoch or its patience. Which
one a run is in follows from its history, so that a run which was killed between
two stages takes the same way.
"""

from collections.abc import Sequence
import dataclasses
import functools
import pathlib

from medxfer import cache
from medxfer import console
from medxfer import progress
from medxfer import spec as specs
from medxfer.model import params as params_lib
from medxfer.runs import inputs as inputs_lib
from medxfer.runs import reporter
from medxfer.runs import scoring
from medxfer.runs import tasks
from medxfer.training import checkpoint_io
from medxfer.training import checkpoints as checkpoints_lib
from medxfer.training import epoch_steps
from medxfer.training import feature_cache
from medxfer.training import kept_features
from medxfer.training import loop
from medxfer.training import state as states
from medxfer.training import strategy as strategies
from medxfer.training import task as task_lib
from medxfer.training import tensorboard


def train(
    output: pathlib.Path,
    spec: specs.RunSpec,
    inputs: inputs_lib.Inputs,
    data: epoch_steps.Data,
    checkpoints: checkpoints_lib.Checkpoints,
    watch: epoch_steps.Watch,
) -> tuple[Sequence[loop.Record], epoch_steps.Data]:
  """Trains from the latest checkpoint, if there is one, to the end.

  Args:
    output: where metrics are written.
    spec: of the run.
    inputs: what it reads.
    data: its images, as pixels.
    checkpoints: where each epoch is saved.
    watch: see `loop.train`.

  Returns:
    The whole history, and the images as they are to be scored.
  """
  each, with_test = strategies.stages(spec), _scores_kept(spec)
  with tensorboard.EventWriter(output) as writer:
    report = reporter.Reporter(output, spec.training, writer)
    history = checkpoints.history()
    # A run that was killed after its last epoch needs no prefix, and one that
    # is scored anew has no optimizer any more.
    if loop.stage(history, each)[0] == len(each):
      report.resume(history)
      if with_test:
        best = checkpoints.best_weights()[1].params
        task = tasks.describe(spec, inputs, best)
        data = _with_prefix(task, data, best, inputs, with_test)
      return history, data
    start = _resumed(spec, each, inputs, checkpoints)
    report.resume(start.history, start.steps)
    console.line(_compiling(start.history))
    fed = data
    while True:
      number, before = loop.stage(start.history, each)
      if number == len(each):
        return start.history, fed if with_test else data
      task = tasks.describe(each[number], inputs, start.state.params, before)
      if number and before == start.epoch and not start.steps:
        best = checkpoints.best_weights()[1].params
        start = dataclasses.replace(
            start, state=tasks.begin(task, inputs, best)
        )
      if len(each) > 1:
        console.line(_said(number, each[number]))
      fed = _with_prefix(task, data, start.state.params, inputs, with_test)
      # A step alone is too short to be timed, and what is read from the cache
      # is not computed.
      if fed is not data or not _has_steps(data, spec):
        report.without_rates()
      start = loop.train(task, fed, start, checkpoints, report.epoch, watch)


def _scores_kept(spec: specs.RunSpec) -> bool:
  """Whether images are scored from what frozen layers made, if it is kept.

  The stages of a run keep different layers, and views of the images that are
  scored are not kept.
  """
  return len(strategies.stages(spec)) == 1 and scoring.views(spec) == 1


def _has_steps(data: epoch_steps.Data, spec: specs.RunSpec) -> bool:
  return epoch_steps.per_epoch(data.split, spec.training) > 1


def _resumed(
    spec: specs.RunSpec,
    each: Sequence[specs.RunSpec],
    inputs: inputs_lib.Inputs,
    checkpoints: checkpoints_lib.Checkpoints,
) -> checkpoint_io.Checkpoint:
  """Returns where a run goes on, with the optimizer of the stage it is in."""

  @functools.cache
  def state(number: int) -> states.TrainState:
    return tasks.build(each[number], inputs)[1]

  def like(record: checkpoint_io.Record) -> states.TrainState:
    # What was saved at the end of a stage still has its optimizer.
    history = record['history']
    inside = history if any(record['sums'].values()) else history[:-1]
    return state(loop.stage(inside, each)[0])

  steps = epoch_steps.per_epoch(inputs.split, spec.training)
  return (
      (checkpoints.best_anew(state(0), steps) if len(each) == 1 else None)
      or checkpoints.latest(like)
      or checkpoint_io.Checkpoint(state(0))
  )


def _said(number: int, spec: specs.RunSpec) -> str:
  """Returns what a stage does, in words."""
  trained = strategies.resolve(spec).trained
  return (
      f'stage {number + 1}: {", ".join(trained)} train for up to '
      f'{spec.training.epochs} epochs at {spec.optimizer.learning_rate:g}'
  )


def _compiling(history: Sequence[loop.Record]) -> str:
  """Returns what to say before the longest silence of a run."""
  took = [
      record['compile_seconds']
      for record in history
      if 'seconds_to_first_step' in record
  ]
  return 'compiling the network: ' + (
      f'{progress.duration(took[-1])} at the last start'
      if took
      else 'some seconds, with few cores a minute or two; later runs of the '
      'same shapes find it done'
  )


def _with_prefix(
    task: task_lib.Task,
    data: epoch_steps.Data,
    params: params_lib.Params,
    inputs: inputs_lib.Inputs,
    with_test: bool,
) -> epoch_steps.Data:
  """Replaces pixels by activations of frozen layers, if that saves time.

  Args:
    task: of the stage.
    data: the images, as pixels.
    params: of the network; its frozen layers are those of every epoch.
    inputs: what the run reads.
    with_test: whether test images are scored from them.
  """
  where = cache.folder(task.spec.cache_dir)
  decision = kept_features.decide(task.spec, data.split, where)
  console.line(
      f'feature cache: {"on" if decision.keep else "off"}, {decision.reason}'
  )
  if not decision.keep:
    return data
  feed = feature_cache.feed(
      task,
      params,
      data.source,
      data.split,
      decision,
      where,
      inputs.digests()['images_digest'],
      with_test=with_test,
  )
  return dataclasses.replace(data, feed=feed)
