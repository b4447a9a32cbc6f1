"""An advice study, read: what `advice.json` says, checked."""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import pathlib
from typing import Any

from medxfer import errors
from medxfer import files
from medxfer import spec as specs
from medxfer.evaluation import measure
from medxfer.report.read import estimates
from medxfer.study.advice import grid as grids


@dataclasses.dataclass(frozen=True)
class Arm:
  """A strategy for one number of training images.

  Attributes:
    name: of the arm.
    rate: factor of the recipe's learning rate, chosen by validation.
    tried: how many rates were tried.
    seeds: how many.
    validation: macro F1 there.
    test: macro F1 there.
    regret: what it loses to the best on test; None of the control.
    share: fraction of the resamples that choose it; None of the control.
    operations: of one training.
    minutes_per_epoch: measured.
    is_dropped: whether validation called it worse beyond doubt.
  """

  name: str
  rate: float
  tried: int
  seeds: int
  validation: float
  test: estimates.Estimate
  regret: estimates.Estimate | None
  share: float | None
  operations: float
  minutes_per_epoch: float
  is_dropped: bool


@dataclasses.dataclass(frozen=True)
class Size:
  """One number of training images.

  Attributes:
    train_images: the number.
    arms: best on validation first.
    advised: the name of the advised arm.
    pretraining: what it has more than random weights; None if not tried.
  """

  train_images: int
  arms: tuple[Arm, ...]
  advised: str
  pretraining: estimates.Estimate | None

  def arm(self, name: str) -> Arm | None:
    """Returns an arm by its name, or None."""
    return next((arm for arm in self.arms if arm.name == name), None)


@dataclasses.dataclass(frozen=True)
class Layer:
  """What a probe reads from a layer of ImageNet's network.

  Attributes:
    name: of the convolution.
    validation: macro F1 there.
    test: macro F1 there.
    operations: up to the layer, as a fraction of all convolutions.
  """

  name: str
  validation: float
  test: estimates.Estimate
  operations: float


@dataclasses.dataclass(frozen=True, eq=False)
class AdviceStudy:
  """What a study advises.

  Attributes:
    name: its folder below the one that was searched.
    data: of its runs.
    model: of its runs.
    images: of test.
    sentences: the advice in words, the first is what to do.
    sizes: numbers of training images, all first.
    curves: arm -> number of training images -> macro F1 on test.
    runs: how many were finished.
    layers: where the network could be cut; () if nobody looked.
  """

  name: str
  data: specs.DataSpec
  model: specs.ModelSpec
  images: int
  sentences: tuple[str, ...]
  sizes: tuple[Size, ...]
  curves: Mapping[str, Mapping[int, estimates.Estimate]]
  runs: int
  layers: tuple[Layer, ...] = ()


def read(path: pathlib.Path, name: str) -> AdviceStudy:
  """Reads what a study found.

  Args:
    path: its folder.
    name: what the report calls it.

  Raises:
    DataError: it has not come to an advice yet, or the file is damaged.
  """
  file = path / grids.ADVICE
  if not file.is_file():
    raise errors.DataError('no advice yet: the same command goes on')
  found = files.read_json(file)
  if found.get('sizes') == []:
    raise errors.DataError('no strategy has finished yet')
  try:
    spec = specs.from_config(found['spec'])
    return AdviceStudy(
        name=name,
        data=spec.data,
        model=spec.model,
        images=int(found['images']['test']),
        sentences=tuple(map(_text, found['sentences'])),
        sizes=tuple(map(_size, found['sizes'])),
        curves={
            _text(arm): {
                int(point['train_images']): _estimate(point)
                for point in curve['points']
            }
            for arm, curve in found['curves'].items()
        },
        runs=int(found['runs']),
        layers=tuple(
            Layer(
                _text(layer),
                _number(one['validation']),
                _with_ends(one['test']['f1_macro'], one['test']['interval']),
                _number(one['operations']),
            )
            for layer, one in found.get('truncation', {})
            .get('layers', {})
            .items()
        ),
    )
  except (
      AttributeError,
      IndexError,
      KeyError,
      TypeError,
      ValueError,
      errors.MedxferError,
  ) as error:
    raise errors.DataError(
        f'{grids.ADVICE} is damaged ({error}); the same command writes it '
        'again'
    ) from error


def _size(found: Mapping[str, Any]) -> Size:
  arms = tuple(
      _arm(_text(name), one, found['shares'])
      for name, one in found['arms'].items()
  )
  if found['advised'] not in [arm.name for arm in arms]:
    raise ValueError(f'{found["advised"]!r} is advised and was not tried')
  gain = found['pretraining']
  return Size(
      train_images=int(found['train_images']),
      arms=arms,
      advised=found['advised'],
      pretraining=_difference(gain) if gain else None,
  )


def _arm(name: str, found: Mapping[str, Any], shares: Mapping[str, Any]) -> Arm:
  is_control = name == grids.CONTROL
  return Arm(
      name=name,
      rate=_number(found['rate']),
      tried=len(found['tried']),
      seeds=len(found['seeds']),
      validation=_number(found['validation']),
      test=_estimate(found['test']),
      regret=None if is_control else _estimate(found['regret']),
      share=None if is_control else _number(shares[name]),
      operations=_number(found['operations']),
      minutes_per_epoch=_number(found['minutes_per_epoch']),
      is_dropped=bool(found['dropped']),
  )


def _estimate(found: Mapping[str, Any]) -> estimates.Estimate:
  sd = found.get('sd')
  return _with_ends(
      found['value'],
      found['interval'],
      None if sd is None else _number(sd),
      int(found.get('seeds', 1)),
  )


def _difference(found: Mapping[str, Any]) -> estimates.Estimate:
  return _with_ends(found['difference'], found['interval'])


def _with_ends(
    value: Any,
    interval: Sequence[Any] | None,
    sd: float | None = None,
    seeds: int = 1,
) -> estimates.Estimate:
  low, high = map(_number, interval) if interval else (None, None)
  return estimates.Estimate(_number(value), low, high, sd, seeds)


def _number(value: Any) -> float:
  if not measure.is_number(value):
    raise ValueError(f'{value!r} is no number')
  return float(value)


def _text(value: Any) -> str:
  if not isinstance(value, str):
    raise ValueError(f'{value!r} is no text')
  return value
