"""What trains, and how fast: resolved once from a specification.

Free of JAX, so that a launcher refuses a layer that does not exist before
anything is loaded, and a report reads what a run trained.
"""

from collections.abc import Mapping
import dataclasses
import functools
import math
import types

from medxfer import errors
from medxfer import spec as specs
from medxfer.model import architectures
from medxfer.model import trainable


@dataclasses.dataclass(frozen=True)
class Strategy:
  """How a network is trained.

  Attributes:
    architecture: of the network.
    trained: layers that train in any stage, in network order; the head always
      does.
    transferred: convolutions that take pretrained weights.
    rates: layer -> factor of the learning rate.
  """

  architecture: architectures.Architecture
  trained: tuple[str, ...]
  transferred: tuple[str, ...]
  rates: Mapping[str, float] = dataclasses.field(hash=False)

  @property
  def first(self) -> str:
    """The first layer that trains."""
    return self.trained[0]

  @property
  def entry(self) -> str | None:
    """The activation that enters the first layer that trains, or None.

    Everything up to it is frozen, so it is a function of the image alone.
    """
    return self.architecture.input_of(self.first)

  @property
  def prefix(self) -> tuple[str, ...]:
    """The frozen layers below the first one that trains."""
    layers = self.architecture.layers
    return layers[: layers.index(self.first)]


@functools.lru_cache
def resolve(spec: specs.RunSpec) -> Strategy:
  """Returns the strategy of a network's specification.

  Raises:
    UsageError: a pattern of layers is empty, broken or matches nothing.
  """
  architecture = architectures.BY_NAME[spec.model.name]
  key = 'training.stages' if spec.training.stages else 'model.trainable'
  each = [
      trainable.resolve(stage.model.trainable, architecture, key)
      for stage in stages(spec)
  ]
  trained = tuple(
      name for name in architecture.layers if any(name in one for one in each)
  )
  chosen = trainable.resolve(
      spec.model.transferred, architecture, 'model.transferred'
  )
  rates = dict.fromkeys(architecture.head, 1.0)
  factor = spec.optimizer.backbone_factor
  for convolutions in reversed(tuple(architecture.blocks.values())):
    rates |= dict.fromkeys(convolutions, factor)
    factor *= spec.optimizer.layer_decay
  return Strategy(
      architecture,
      trained,
      tuple(name for name in architecture.convolutions if name in chosen),
      types.MappingProxyType(rates),
  )


def stages(spec: specs.RunSpec) -> tuple[specs.RunSpec, ...]:
  """Returns the specification of each stage of a training.

  Each is what a run of this stage alone would be asked for: what trains, so
  many epochs, and at what rate. A stage begins with the best epoch so far, with
  a new optimizer and a schedule of its own.

  Args:
    spec: of the run; one without stages is its only stage.

  Raises:
    UsageError: `training.stages` is not as `recipes.defaults` explains it, or
      there are fewer epochs than stages.
  """
  text = spec.training.stages
  if not text.strip():
    return (spec,)
  found = [_stage(part) for part in text.split(',')]
  epochs, total = spec.training.epochs, sum(parts for _, parts, _ in found)
  if epochs < len(found):
    raise errors.UsageError(
        f'training.stages={text!r}: {len(found)} stages, and '
        f'training.epochs={epochs} is fewer; give '
        f'--config.training.epochs={len(found)} or more'
    )
  ends, done = [], 0.0
  for i, (_, parts, _) in enumerate(found):
    done += parts
    # At least one epoch for each, those that follow included.
    least = (ends[-1] if ends else 0) + 1
    most = epochs - (len(found) - 1 - i)
    ends.append(min(max(round(epochs * done / total), least), most))
  return tuple(
      dataclasses.replace(
          spec,
          model=dataclasses.replace(spec.model, trainable=layers),
          training=dataclasses.replace(
              spec.training, stages='', epochs=end - begin
          ),
          optimizer=dataclasses.replace(
              spec.optimizer, learning_rate=spec.optimizer.learning_rate * rate
          ),
      )
      for (layers, _, rate), begin, end in zip(found, [0, *ends], ends)
  )


def is_plain(spec: specs.RunSpec) -> bool:
  """Whether a network trains in one stage, all blocks at one rate."""
  return not (
      spec.training.stages.strip()
      or spec.optimizer.relative_gradient
      or spec.optimizer.layer_decay != 1
  )


def _stage(text: str) -> tuple[str, float, float]:
  """Returns layers, parts and rate of `LAYERS:PARTS[:RATE]`."""
  layers, *numbers = (part.strip() for part in text.split(':'))
  try:
    parts, rate = map(float, (*numbers, 1)[:2])
    sound = len(numbers) in (1, 2) and 0 < parts < math.inf
    sound = sound and 0 < rate < math.inf
  except ValueError:
    sound = False
  if not sound or not layers:
    raise errors.UsageError(
        f'training.stages: {text.strip()!r} is no stage; give '
        'LAYERS:PARTS[:RATE], such as head:1,all:2:0.1'
    )
  layers = layers.replace('+', ',')
  return ('none' if layers == 'head' else layers), parts, rate


def check(spec: specs.RunSpec) -> None:
  """Refuses layers that do not exist; a tree has none.

  Raises:
    UsageError: see `resolve`.
  """
  if spec.model.name in architectures.BY_NAME:
    resolve(spec)
