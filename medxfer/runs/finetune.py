"""Fine-tunes a network: epochs, the best of them, its scores."""

import pathlib
from typing import Any

import numpy as np

from medxfer import console
from medxfer import spec as specs
from medxfer.data import planted_mark
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import recalibration
from medxfer.model import params as params_lib
from medxfer.model import trainable
from medxfer.model import weights as weights_lib
from medxfer.runs import calibrated
from medxfer.runs import convergence
from medxfer.runs import inputs as inputs_lib
from medxfer.runs import planted
from medxfer.runs import scoring
from medxfer.runs import stages
from medxfer.runs import tasks
from medxfer.runs import workdir
from medxfer.training import checkpoints as checkpoints_lib
from medxfer.training import epoch_steps
from medxfer.training import loop
from medxfer.training import profiling
from medxfer.training import steps as steps_lib
from medxfer.training import task as task_lib


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
  task, state = tasks.build(spec, inputs)
  _write_parameters(output, task, state.params)
  data = scoring.data(spec, inputs)
  checkpoints = checkpoints_lib.Checkpoints(path)
  history, images = stages.train(
      output,
      spec,
      inputs,
      data,
      checkpoints,
      profiling.Profiler(workdir.Workdir(output).profile) if profile else iter,
  )
  _, best = checkpoints.best_weights()
  training, frozen = trainable.count(best.params, task.strategy.trained)
  speeds = [record['images_per_second'] for record in history]
  scores = _scores(output, task, images, inputs, best)
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


def _write_parameters(
    output: pathlib.Path, task: task_lib.Task, params: params_lib.Params
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
    task: task_lib.Task,
    data: epoch_steps.Data,
    inputs: inputs_lib.Inputs,
    best: weights_lib.Weights,
) -> dict[str, Any]:
  """Scores validation and test with the best epoch, calibrated on validation.

  Of two classes, validation also chooses the threshold that the test images
  are scored at once more.
  """
  step = scoring.compile_step(task.model, task.spec, data)

  def score(params: params_lib.Params, subset: str) -> steps_lib.Scores:
    rows = data.split.rows(subset)
    return scoring.score(step, params, task.spec, data, rows, subset)

  def table(
      subset: str, found: steps_lib.Scores
  ) -> predictions_lib.Predictions:
    rows = data.split.rows(subset)
    return scoring.predictions(inputs.examples, rows, found.logits)

  val = score(best.params, 'val')
  workdir.Workdir(output).write_reference(
      scoring.reference(step, best.params, task.spec, data, val)
  )
  fitted = recalibration.fit(
      table('val', val), task.spec.evaluation.calibration, seed=task.spec.seed
  )
  params = calibrated.fold(best.params, task.spec.model, fitted)
  if params is not best.params:
    val = score(params, 'val')
  scored = {
      'val': table('val', val),
      'test': table('test', score(params, 'test')),
  }
  for subset, found in scored.items():
    workdir.Workdir(output).write_predictions(subset, found)

  def elsewhere(
      other: inputs_lib.Inputs, rows: np.ndarray
  ) -> predictions_lib.Predictions:
    images = scoring.data(task.spec, other)
    compiled = scoring.compile_step(task.model, task.spec, images)
    found = scoring.score(compiled, params, task.spec, images, rows, 'test')
    return scoring.predictions(other.examples, rows, found.logits)

  mark = planted.summary(task.spec.data.planted_mark, inputs, elsewhere)
  return {
      **scoring.numbers(task.spec, inputs, scored.__getitem__, fitted),
      **({planted_mark.KEY: mark} if mark else {}),
  }
