"""What trains, and how fast: resolved once from a specification.

Free of JAX, so that a launcher refuses a layer that does not exist before
anything is loaded, and a report reads what a run trained.
"""

from collections.abc import Mapping
import dataclasses
import functools
import types

from medxfer import spec as specs
from medxfer.model import architectures
from medxfer.model import trainable


@dataclasses.dataclass(frozen=True)
class Strategy:
  """How a network is trained.

  Attributes:
    architecture: of the network.
    trained: layers that train, in network order; the head always does.
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
  trained = trainable.resolve(spec.model.trainable, architecture)
  chosen = trainable.resolve(
      spec.model.transferred, architecture, 'model.transferred'
  )
  rates = dict.fromkeys(architecture.head, 1.0)
  factor = spec.optimizer.backbone_factor
  for convolutions in reversed(architecture.blocks.values()):
    rates |= dict.fromkeys(convolutions, factor)
    factor *= spec.optimizer.layer_decay
  return Strategy(
      architecture,
      trained,
      tuple(name for name in architecture.convolutions if name in chosen),
      types.MappingProxyType(rates),
  )


def check(spec: specs.RunSpec) -> None:
  """Refuses layers that do not exist; a tree has none.

  Raises:
    UsageError: see `resolve`.
  """
  if spec.model.name in architectures.BY_NAME:
    resolve(spec)
