"""One run: table -> pixels -> split -> network -> epochs -> summary."""

from collections.abc import Sequence
import dataclasses
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from medxfer import files
from medxfer import spec as specs
from medxfer.data import splits
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import summary as summaries
from medxfer.model import optimizer
from medxfer.model import start
from medxfer.model import trainable
from medxfer.model import vgg16
from medxfer.model import weights as weights_lib
from medxfer.runs import environment
from medxfer.runs import inputs as inputs_lib
from medxfer.runs import reporter
from medxfer.runs import say
from medxfer.runs import scoring
from medxfer.runs import workdir
from medxfer.training import checkpoints as checkpoints_lib
from medxfer.training import events
from medxfer.training import loop
from medxfer.training import prefix
from medxfer.training import state as states
from medxfer.training import steps as steps_lib


def run(spec: specs.RunSpec, path: pathlib.Path) -> dict[str, Any]:
  """Runs a specification in a workdir, or goes on with it.

  Args:
    spec: what to do.
    path: the workdir; created if absent.

  Returns:
    The content of its summary.json.

  Raises:
    UsageError: the workdir is in use, or belongs to another specification.
    DataError: images, weights or a checkpoint are missing or damaged.
  """
  with workdir.locked(path):
    workdir.refuse_other_spec(path, spec)
    if (path / workdir.SUMMARY).exists():
      summary = files.read_json(path / workdir.SUMMARY)
      say.line(f'{path} is finished')
      say.line(summaries.table(summary['test']))
      return summary
    inputs = inputs_lib.read(spec)
    workdir.refuse_other_inputs(path, inputs)
    task, state = build(spec, inputs)
    _write_start(path, spec, inputs, state.params)
    data = scoring.data(spec, inputs)
    with checkpoints_lib.Checkpoints(path) as checkpoints:
      history = _train(path, task, data, state, checkpoints)
      _, best = checkpoints.best_weights()
    summary = _summarise(path, spec, data, inputs, history, best)
    files.write_json(path / workdir.SUMMARY, summary)
  say.line(f'test, epoch {summary["best_epoch"]} of {len(history)}:')
  say.line(summaries.table(summary['test']))
  return summary


def build(
    spec: specs.RunSpec, inputs: inputs_lib.Inputs
) -> tuple[steps_lib.Task, states.TrainState]:
  """Returns the network with its optimizer, and the state before step 1."""
  model = vgg16.build(spec.model, len(inputs.examples.class_names))
  params = start.initial_params(
      model, spec.data.image_size, jax.random.key(spec.seed),
      inputs.backbone.params if inputs.backbone else None)
  mask = trainable.mask(params, trainable.resolve(spec.model.trainable))
  batches = -(-len(inputs.split.train) // spec.training.batch_size)
  tx = optimizer.make(
      spec.optimizer, mask, steps=batches * spec.training.epochs)
  weights = inputs_lib.class_weights(spec.training, inputs)
  task = steps_lib.Task(
      model=model, tx=tx, mask=mask, spec=spec,
      class_weights=jnp.asarray(weights))
  return task, states.create(params, tx)


def _train(
    path: pathlib.Path,
    task: steps_lib.Task,
    data: loop.Data,
    state: states.TrainState,
    checkpoints: checkpoints_lib.Checkpoints,
) -> Sequence[loop.Record]:
  """Trains from the latest checkpoint, if there is one, to the end."""
  history: Sequence[loop.Record] = ()
  resumed = checkpoints.latest(state)
  if resumed:
    state, history = resumed.state, resumed.history
  with events.EventWriter(path) as writer:
    report = reporter.Reporter(path, writer)
    report.resume(history)
    # Only now: a run that was killed after its last epoch needs no prefix.
    if loop.is_over(history, task.spec.training):
      return history
    data = _with_prefix(task, data, state.params)
    return loop.train(task, data, state, history, checkpoints, report.epoch)


def _with_prefix(
    task: steps_lib.Task, data: loop.Data, params: states.Params
) -> loop.Data:
  """Replaces pixels by what the frozen layers make of them, if it pays."""
  decision = prefix.decide(task.model, task.spec, data.split)
  say.line(f'prefix cache: {"on" if decision.keep else "off"}, '
           f'{decision.reason}')
  if not decision.keep:
    return data
  feed = prefix.feed(
      task.model, params, task.spec, data.feed.batches, data.split)
  return dataclasses.replace(data, feed=feed)


def _write_start(
    path: pathlib.Path,
    spec: specs.RunSpec,
    inputs: inputs_lib.Inputs,
    params: states.Params,
) -> None:
  """Writes and says what is about to be trained, on what."""
  trained = trainable.resolve(spec.model.trainable)
  table = trainable.table(params, trained)
  frozen = [name for name in params if name not in trained]
  say.line(f'trains: {", ".join(trained)}')
  say.line(f'frozen: {", ".join(frozen) or "nothing"}')
  say.line(table.splitlines()[-1])
  files.write_json(path / workdir.CONFIG, spec.to_json())
  files.write_json(path / workdir.ENVIRONMENT, environment.describe(spec))
  files.write_json(path / workdir.INPUTS, inputs.digests())
  files.write_text(path / workdir.PARAMETERS, table)
  workdir.write_split(path, inputs.examples, inputs.split)


def _summarise(
    path: pathlib.Path,
    spec: specs.RunSpec,
    data: loop.Data,
    inputs: inputs_lib.Inputs,
    history: Sequence[loop.Record],
    best: weights_lib.Weights,
) -> dict[str, Any]:
  """Scores validation and test with the best epoch; returns the summary."""
  sides = {}
  for side in ('val', 'test'):
    scored = scoring.score(spec, best, data, inputs.examples, side)
    predictions_lib.write(path / workdir.predictions(side), scored)
    sides[side] = summaries.split_summary(
        scored, resamples=spec.evaluation.resamples, seed=spec.seed)
  training, frozen = trainable.count(
      best.params, trainable.resolve(spec.model.trainable))
  speeds = [record['images_per_second'] for record in history]
  return {
      'status': 'finished',
      'arm': spec.arm,
      **sides,
      'best_epoch': loop.best_epoch(history),
      'epochs_run': len(history),
      'stopped_early': len(history) < spec.training.epochs,
      'train_seconds': sum(record['seconds'] for record in history),
      'images_per_second': float(np.median(speeds)),
      'trainable_parameters': training,
      'frozen_parameters': frozen,
      'weights_digest': inputs.digests()['weights_digest'],
      'n': {side: len(data.split.rows(side)) for side in splits.SIDES},
      'skipped': len(inputs.examples.skipped),
      'leak': dataclasses.asdict(inputs.leak),
  }
