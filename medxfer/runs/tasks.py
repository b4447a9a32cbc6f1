"""What a run trains: network, optimizer, and the parameters to begin with."""

import jax
import numpy as np

from medxfer import spec as specs
from medxfer.model import initialization
from medxfer.model import params as params_lib
from medxfer.model import trainable
from medxfer.model import vgg
from medxfer.runs import backbone
from medxfer.runs import inputs as inputs_lib
from medxfer.training import devices
from medxfer.training import epoch_steps
from medxfer.training import state as states
from medxfer.training import strategy as strategies
from medxfer.training import task as task_lib


def build(
    spec: specs.RunSpec, inputs: inputs_lib.Inputs
) -> tuple[task_lib.Task, states.TrainState]:
  """Returns the network with its optimizer, and the state before step 1."""
  params = start_params(spec, inputs)
  task = describe(spec, inputs, params)
  return task, begin(task, inputs, params)


def describe(
    spec: specs.RunSpec,
    inputs: inputs_lib.Inputs,
    params: params_lib.Params,
    before: int = 0,
) -> task_lib.Task:
  """Returns the network with its optimizer.

  Args:
    spec: of a run, or of one of its stages.
    inputs: what the run reads.
    params: of its shapes.
    before: epochs of the stages before this one.
  """
  strategy = strategies.resolve(spec)
  mask = trainable.mask(params, strategy.trained)
  epoch = epoch_steps.per_epoch(inputs.split, spec.training)
  return task_lib.Task(
      model=vgg.build(spec.model, len(inputs.examples.class_names)),
      numbers=task_lib.Numbers(
          np.float32(spec.optimizer.learning_rate),
          np.int32(spec.training.epochs * epoch),
          np.int32(epoch),
          np.float32(inputs_lib.class_weights(spec.training, inputs)),
      ),
      mask=mask,
      spec=spec,
      strategy=strategy,
      origin=backbone.origin(spec.model, inputs.backbone) or 'random weights',
      before=before,
  )


def begin(
    task: task_lib.Task, inputs: inputs_lib.Inputs, params: params_lib.Params
) -> states.TrainState:
  """Returns the state before the first step of a stage.

  Args:
    task: of the stage.
    inputs: what the run reads.
    params: that it begins with; their memory is reused.
  """
  done = task.before * epoch_steps.per_epoch(inputs.split, task.spec.training)
  state = states.create(params, task.tx, done)
  return devices.replicate(state, donate=True)


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
