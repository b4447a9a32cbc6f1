"""Fine-tunes a network: epochs, the best of them, its scores."""

from collections.abc import Sequence
import dataclasses
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from medxfer import cache
from medxfer import console
from medxfer import progress
from medxfer import spec as specs
from medxfer.evaluation import recalibration
from medxfer.model import initialization
from medxfer.model import optimizer
from medxfer.model import params as params_lib
from medxfer.model import trainable
from medxfer.model import vgg
from medxfer.model import weights as weights_lib
from medxfer.runs import backbone
from medxfer.runs import calibrated
from medxfer.runs import convergence
from medxfer.runs import inputs as inputs_lib
from medxfer.runs import reporter
from medxfer.runs import scoring
from medxfer.runs import workdir
from medxfer.training import checkpoint_io
from medxfer.training import checkpoints as checkpoints_lib
from medxfer.training import devices
from medxfer.training import epoch_steps
from medxfer.training import feature_cache
from medxfer.training import loop
from medxfer.training import profiling
from medxfer.training import state as states
from medxfer.training import steps as steps_lib
from medxfer.training import strategy as strategies
from medxfer.training import tensorboard


def run(
    path: pathlib.Path,
    output: pathlib.Path,
    spec: specs.RunSpec,
    inputs: inputs_lib.Inputs,
    *,
    profile: bool = False,
) -> dict[str, Any]:
  """Trains and scores a network, or resumes it.

  Args:
    path: the workdir, which holds the checkpoints.
    output: where this process writes everything else; see
      `workdir_lock.shared`.
    spec: what to do.
    inputs: what it reads.
    profile: whether to write a trace of some steps.

  Returns:
    What its summary says of training, validation and test.

  Raises:
    DataError: a checkpoint is damaged, or the training diverged.
  """
  task, state = build(spec, inputs)
  _write_parameters(output, task, state.params)
  data = scoring.data(spec, inputs)
  checkpoints = checkpoints_lib.Checkpoints(path)
  history = _train(
      output,
      task,
      data,
      inputs,
      state,
      checkpoints,
      profiling.Profiler(workdir.Workdir(output).profile) if profile else iter,
  )
  _, best = checkpoints.best_weights()
  training, frozen = trainable.count(best.params, task.strategy.trained)
  speeds = [record['images_per_second'] for record in history]
  scores = _scores(output, task, data, inputs, best)
  return {
      **scores,
      'training_notes': convergence.of_network(
          history, spec.training, scores['val']
      ),
      'best_epoch': loop.best_epoch(history, spec.training),
      'epochs_run': len(history),
      'stopped_early': len(history) < spec.training.epochs,
      'train_seconds': sum(record['seconds'] for record in history),
      'images_per_second': float(np.median(speeds)),
      'trainable_parameters': training,
      'frozen_parameters': frozen,
  }


def build(
    spec: specs.RunSpec, inputs: inputs_lib.Inputs
) -> tuple[steps_lib.Task, states.TrainState]:
  """Returns the network with its optimizer, and the state before step 1."""
  model = vgg.build(spec.model, len(inputs.examples.class_names))
  strategy = strategies.resolve(spec)
  params = start_params(spec, inputs)
  mask = trainable.mask(params, strategy.trained)
  epoch = epoch_steps.per_epoch(inputs.split, spec.training)
  tx = optimizer.make(
      spec.optimizer,
      mask,
      strategy.rates,
      steps=spec.training.epochs * epoch,
      epoch=epoch,
  )
  weights = inputs_lib.class_weights(spec.training, inputs)
  task = steps_lib.Task(
      model=model,
      tx=tx,
      mask=mask,
      spec=spec,
      strategy=strategy,
      class_weights=jnp.asarray(weights),
      origin=backbone.origin(spec.model, inputs.backbone) or 'random weights',
  )
  return task, devices.replicate(states.create(params, tx), donate=True)


def start_params(
    spec: specs.RunSpec, inputs: inputs_lib.Inputs
) -> params_lib.Params:
  """Returns the parameters that a run begins with."""
  model = vgg.build(spec.model, len(inputs.examples.class_names))
  values = inputs.backbone.params if inputs.backbone else None
  if values and spec.model.inherit == 'statistics':
    values = initialization.redrawn(values, spec.seed)
  key = jax.random.key(spec.seed)
  if spec.model.transferred != 'all':
    # A source of the same seed drew its layers from that key: new layers that
    # began where its own did would grow together with the transferred ones.
    key = jax.random.fold_in(key, 1)
  return initialization.initial_params(
      model,
      spec.data.image_size,
      key,
      values,
      strategies.resolve(spec).transferred,
  )


def _train(
    output: pathlib.Path,
    task: steps_lib.Task,
    data: epoch_steps.Data,
    inputs: inputs_lib.Inputs,
    state: states.TrainState,
    checkpoints: checkpoints_lib.Checkpoints,
    watch: epoch_steps.Watch,
) -> Sequence[loop.Record]:
  """Trains from the latest checkpoint, if there is one, to the end."""
  with tensorboard.EventWriter(output) as writer:
    report = reporter.Reporter(output, task.spec.training, writer)
    done = checkpoints.history()
    # A run that was killed after its last epoch needs no prefix, and one that
    # is scored anew has no optimizer any more.
    if loop.is_over(done, task.spec.training):
      report.resume(done)
      return done
    steps = epoch_steps.per_epoch(data.split, task.spec.training)
    start = (
        checkpoints.best_anew(state, steps)
        or checkpoints.latest(state)
        or checkpoint_io.Checkpoint(state)
    )
    report.resume(start.history, start.steps)
    pixels, data = data.feed, _with_prefix(
        task, data, start.state.params, inputs
    )
    console.line(_compiling(start.history))
    # A step alone is too short to be timed, and what is read from the cache
    # is not computed.
    if data.feed is not pixels or steps == 1:
      report.without_rates()
    return loop.train(task, data, start, checkpoints, report.epoch, watch)


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
    task: steps_lib.Task,
    data: epoch_steps.Data,
    params: params_lib.Params,
    inputs: inputs_lib.Inputs,
) -> epoch_steps.Data:
  """Replaces pixels by activations of frozen layers, if that saves time."""
  where = cache.folder(task.spec.cache_dir)
  decision = feature_cache.decide(task, data.split, where)
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
  )
  return dataclasses.replace(data, feed=feed)


def _write_parameters(
    output: pathlib.Path, task: steps_lib.Task, params: params_lib.Params
) -> None:
  """Writes and says which parameters are about to be trained."""
  trained = task.strategy.trained
  layers = task.strategy.architecture.layers
  table = trainable.table({name: params[name] for name in layers}, trained)
  frozen = [name for name in layers if name not in trained]
  console.line(f'trains: {", ".join(trained)}')
  console.line(f'frozen: {", ".join(frozen) or "nothing"}')
  console.line(table.splitlines()[-1])
  workdir.Workdir(output).write_parameters(table)


def _scores(
    output: pathlib.Path,
    task: steps_lib.Task,
    data: epoch_steps.Data,
    inputs: inputs_lib.Inputs,
    best: weights_lib.Weights,
) -> dict[str, Any]:
  """Scores validation and test with the best epoch, calibrated on validation.

  Of two classes, validation also chooses the threshold that the test images
  are scored at once more.
  """
  step = scoring.compile_step(task.model, task.spec, data)
  score = lambda params, rows, what: scoring.score(
      step, params, task.spec, data, inputs.examples, rows, what
  )
  raw, features = score(best.params, data.split.val, 'val')
  workdir.Workdir(output).write_reference(
      scoring.reference(
          task.spec,
          data.split.train,
          features,
          lambda rows, what: score(best.params, rows, what)[1],
      )
  )
  fitted = recalibration.fit(
      raw, task.spec.evaluation.calibration, seed=task.spec.seed
  )
  params = calibrated.fold(best.params, task.spec.model, fitted)
  scored = {
      'val': raw
      if params is best.params
      else score(params, data.split.val, 'val')[0],
      'test': score(params, data.split.test, 'test')[0],
  }
  for subset, table in scored.items():
    workdir.Workdir(output).write_predictions(subset, table)
  return scoring.numbers(task.spec, inputs, scored.__getitem__, fitted)
