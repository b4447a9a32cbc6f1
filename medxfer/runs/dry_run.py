"""What a run would do: images, split, layers, memory, disk and time.

It reads the images as the run would, so that the caches are filled, but writes
nothing into the workdir and trains nothing.
"""

from collections.abc import Iterator
import functools
import pathlib
import time

import jax
import jax.numpy as jnp
import numpy as np

from medxfer import baselines
from medxfer import cache
from medxfer import console
from medxfer import progress
from medxfer import spec as specs
from medxfer.data import augment
from medxfer.data import splits
from medxfer.model import operations
from medxfer.model import trainable
from medxfer.model import vgg
from medxfer.runs import inputs as inputs_lib
from medxfer.runs import resume
from medxfer.runs import tasks
from medxfer.runs import workdir
from medxfer.training import compiled
from medxfer.training import costs
from medxfer.training import kept_features
from medxfer.training import memory
from medxfer.training import state as states
from medxfer.training import strategy
from medxfer.training import task as task_lib

FINISHED = 'is finished'
_MEBI = 2**20
_KEPT = 3  # Checkpoints: the newest two and the best epoch.
_ROUNDS = 3  # Of the measurement; the fastest counts.


def run(spec: specs.RunSpec, path: pathlib.Path) -> None:
  """Prints what `runs.run.run` would do with the same arguments.

  Args:
    spec: what is asked for.
    path: the workdir.

  Raises:
    UsageError: the workdir belongs to another specification.
    DataError: images, weights or a checkpoint are missing or damaged.
  """
  compiled.keep(cache.folder(spec.cache_dir))
  state = state_of(spec, path)
  console.line(f'workdir: {path}: {state}')
  if state == FINISHED:
    return
  inputs = inputs_lib.read(spec, path)
  for line in _classes(inputs):
    console.line(line)
  if spec.model.name in baselines.NAMES:
    console.line(f'pixels: {_pixels(inputs) / _MEBI:,.0f} MiB')
    console.line('time: not estimated for trees; seconds to a few minutes')
    return
  task, train_state = tasks.build(spec, inputs)
  for line in _network(task, train_state):
    console.line(line)
  where = cache.folder(spec.cache_dir)
  for stage in strategy.stages(spec):
    decision = kept_features.decide(stage, inputs.split, where)
    console.line(
        f'feature cache: {"on" if decision.keep else "off"}, {decision.reason}'
    )
  for line in _space(path, where, inputs, train_state):
    console.line(line)
  console.line(
      f'time: about {progress.duration(seconds(spec, inputs, path))} for '
      f'{spec.training.epochs} epochs, estimated from the operations of each '
      'step and the speed of a scoring step on this machine, without start-up '
      'and compilation; early stopping may end it sooner'
  )
  console.line('dry run: nothing was trained or written to the workdir')


def state_of(spec: specs.RunSpec, path: pathlib.Path) -> str:
  """Returns in words what a run would do in a workdir.

  Raises:
    UsageError: the workdir belongs to another specification.
  """
  folder = workdir.Workdir(path)
  if not folder.is_begun:
    return 'would start'
  resume.refuse_other_spec(path, spec)
  work = resume.work(path, spec)
  if work in (resume.Work.SCORE, resume.Work.COUNT):
    return 'would be scored again'
  if work != resume.Work.TRAIN:
    return FINISHED
  return f'would resume after epoch {len(folder.history())}'


def seconds(
    spec: specs.RunSpec, inputs: inputs_lib.Inputs, path: pathlib.Path
) -> float:
  """Returns about how long the training takes that is left to do.

  Args:
    spec: of the run.
    inputs: what the run reads.
    path: the workdir: epochs that are done take no time.
  """
  classes = len(inputs.examples.class_names)
  split, where = inputs.split, cache.folder(spec.cache_dir)

  def is_cached(stage: specs.RunSpec) -> bool:
    return kept_features.decide(stage, split, where).keep

  total = costs.of_training(
      spec,
      costs.Images(len(split.train), len(split.val), len(split.test), classes),
      augment.view_count(spec.augment),
      is_cached,
      done=len(workdir.Workdir(path).history()),
  )
  return total / _speed(spec.model, classes, spec.data.image_size)


@functools.cache
def _speed(
    spec: specs.ModelSpec, classes: int, image_size: tuple[int, int]
) -> float:
  """Returns operations per second of a scoring step, measured."""
  model = vgg.build(spec, classes)
  batch = memory.images_at_once(image_size, 32)
  images = np.zeros((batch, *image_size, 3), np.float32)
  params = model.init(jax.random.key(0), images[:1])['params']
  score = jax.jit(lambda params, images: vgg.forward(model, params, images)[0])
  took = []
  for _ in range(_ROUNDS + 1):  # The first compiles.
    start = time.perf_counter()
    score(params, jnp.asarray(images)).block_until_ready()
    took.append(time.perf_counter() - start)
  products = operations.multiplications(
      model.architecture, image_size, spec.head_units, classes
  )
  return operations.operations(products) * batch / min(took[1:])


def _classes(inputs: inputs_lib.Inputs) -> Iterator[str]:
  """Yields a table of images, a row per class and a column per subset."""
  names, labels = inputs.examples.class_names, inputs.examples.labels
  wide = max(map(len, ('class', *names)))
  yield '  '.join(
      [f'{"class":<{wide}}', *(f'{subset:>7}' for subset in splits.SUBSETS)]
  )
  for i, name in enumerate(names):
    counts = (
        int(np.sum(labels[inputs.split.rows(subset)] == i))
        for subset in splits.SUBSETS
    )
    yield '  '.join([f'{name:<{wide}}', *(f'{n:>7,}' for n in counts)])


def _network(task: task_lib.Task, state: states.TrainState) -> Iterator[str]:
  trained = task.strategy.trained
  layers = task.strategy.architecture.layers
  frozen = [name for name in layers if name not in trained]
  training, still = trainable.count(state.params, trained)
  yield f'starts from: {task.origin}'
  yield f'trains: {", ".join(trained)}'
  yield f'frozen: {", ".join(frozen) or "nothing"}'
  yield f'parameters: {training:,} trained, {still:,} frozen'


def _space(
    path: pathlib.Path,
    where: pathlib.Path | None,
    inputs: inputs_lib.Inputs,
    state: states.TrainState,
) -> Iterator[str]:
  kept = sum(leaf.nbytes for leaf in jax.tree.leaves(state))
  yield (
      f'memory: {_pixels(inputs) / _MEBI:,.0f} MiB of pixels, '
      f'{kept / _MEBI:,.0f} MiB of parameters and optimizer, and the '
      f'activations of a batch; {memory.in_memory() / _MEBI:,.0f} MiB are free'
  )
  caches = (
      f', and {_pixels(inputs) / _MEBI:,.0f} MiB of pixels in {where}'
      if where
      else ''
  )
  yield (
      f'disk: at most {_KEPT * kept / _MEBI:,.0f} MiB of checkpoints{caches}; '
      f'{memory.on_disk(path.absolute()) / _MEBI:,.0f} MiB are free'
  )


def _pixels(inputs: inputs_lib.Inputs) -> int:
  """Returns the bytes of all decoded pixels."""
  pixels = inputs.decoded.pixels
  return pixels.nbytes if pixels is not None else 0
