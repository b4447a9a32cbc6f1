"""What a step needs besides its state and its batch."""

from collections.abc import Mapping
import dataclasses
from typing import Any
from typing import NamedTuple

import optax

from medxfer import spec as specs
from medxfer.model import optimizer
from medxfer.model import vgg
from medxfer.training import strategy as strategies

Mask = Mapping[str, Mapping[str, bool]]


class Numbers(NamedTuple):
  """What may differ between runs that share their compiled steps.

  Attributes:
    learning_rate: of the first step, float32 [].
    steps: length of the schedule, int32 [].
    epoch: steps of an epoch, int32 [].
    class_weights: factors of the loss, float32 [classes].
  """

  learning_rate: Any
  steps: Any
  epoch: Any
  class_weights: Any


@dataclasses.dataclass(frozen=True, eq=False)
class Task:
  """A training, or a stage of one.

  Attributes:
    model: the network.
    mask: True on the parameters that train.
    numbers: those that a compiled step is given.
    spec: the run's specification.
    strategy: what trains, and how fast.
    origin: where the weights come from, for the contract of those it makes.
    before: epochs of the stages before this one.
  """

  model: vgg.VGG
  mask: Mask
  numbers: Numbers
  spec: specs.RunSpec
  strategy: strategies.Strategy
  origin: str = 'random weights'
  before: int = 0

  @property
  def tx(self) -> optax.GradientTransformation:
    """The optimizer."""
    return optimizer.make(
        self.spec.optimizer,
        self.mask,
        self.strategy.rates,
        steps=self.numbers.steps,
        epoch=self.numbers.epoch,
        learning_rate=self.numbers.learning_rate,
    )
