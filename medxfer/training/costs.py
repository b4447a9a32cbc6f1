"""How many operations a training takes: of a stage, and of a whole run."""

from collections.abc import Callable
import dataclasses

from medxfer import spec as specs
from medxfer.model import architectures
from medxfer.model import operations
from medxfer.training import strategy


@dataclasses.dataclass(frozen=True)
class Images:
  """Numbers of images, and of classes."""

  train: int
  val: int
  test: int
  classes: int


@dataclasses.dataclass(frozen=True)
class Costs:
  """Operations of one image.

  Attributes:
    train: in one step of training.
    score: in one step of validation.
    features: for what frozen layers compute once, of one view; 0 where they
      are computed in each step.
    whole: through the whole network.
  """

  train: float
  score: float
  features: float
  whole: float


def of_stage(stage: specs.RunSpec, classes: int, cached: bool) -> Costs:
  """Returns what an image costs in one stage of a network's training.

  Args:
    stage: one of `strategy.stages`.
    classes: of the data set.
    cached: whether the output of the frozen layers is computed only once.
  """
  resolved = strategy.resolve(stage)
  products = operations.multiplications(
      architectures.BY_NAME[stage.model.name],
      stage.data.image_size,
      stage.model.head_units,
      classes,
  )
  names = list(products)
  entered = names.index(resolved.first) if cached else 0
  above = {name: products[name] for name in names[entered:]}
  below = {name: products[name] for name in names[:entered]}
  return Costs(
      train=operations.operations(above, resolved.trained),
      score=operations.operations(above),
      features=operations.operations(below),
      whole=operations.operations(products),
  )


def of_training(
    spec: specs.RunSpec,
    images: Images,
    views: int,
    is_cached: Callable[[specs.RunSpec], bool],
    *,
    done: int = 0,
    features: bool = True,
) -> float:
  """Returns the operations that are left of a run, its scoring included.

  Args:
    spec: of the run.
    images: their numbers.
    views: of each training image that frozen layers see.
    is_cached: stage -> see `of_stage`.
    done: epochs that are done.
    features: whether the features are still to be computed.
  """
  total, cost, stages = 0.0, None, strategy.stages(spec)
  for stage in stages:
    left = max(stage.training.epochs - done, 0)
    done = max(done - stage.training.epochs, 0)
    cost = of_stage(stage, images.classes, is_cached(stage))
    if left and features:
      # Of several stages none scores the test images from its features.
      scored = images.val + images.test * (len(stages) == 1)
      total += cost.features * (images.train * views + scored)
    total += left * (
        cost.train * images.train * spec.training.passes
        + cost.score * images.val
    )
  assert cost is not None
  score = cost.score if len(stages) == 1 else cost.whole
  return total + score * (images.val + images.test)
