"""A number with what is known of its spread, and differences of two."""

from collections.abc import Callable
import dataclasses
import functools
import math
import statistics
from typing import Any

from medxfer.evaluation import multiplicity
from medxfer.evaluation import paired
from medxfer.report import reading
from medxfer.report import settings as settings_lib

_RESAMPLES = 500
NOTHING = '–'
holm = multiplicity.holm


@dataclasses.dataclass(frozen=True)
class Estimate:
  """A metric of one run with its interval, or the mean of several seeds.

  Attributes:
    value: of the run, or the mean.
    low: lower end of the 95 % interval; None with several seeds.
    high: its upper end.
    sd: standard deviation over the seeds; None with one.
    seeds: how many.
  """

  value: float
  low: float | None = None
  high: float | None = None
  sd: float | None = None
  seeds: int = 1

  @property
  def is_clear(self) -> bool:
    """Whether a difference is away from zero: by its interval, or by 2 sd."""
    if self.sd is not None:
      return abs(self.value) > 2 * self.sd
    return self.low is not None and not self.low <= 0 <= self.high

  def text(self, digits: int = 3, *, signed: bool = False) -> str:
    """Returns the value with its spread in words."""
    show = functools.partial(number, digits=digits, signed=signed)
    if self.sd is not None:
      return f'{show(self.value)} ± {number(self.sd, digits)}'
    if self.low is None:
      return show(self.value)
    dash = ' to ' if signed else '–'
    return f'{show(self.value)} ({show(self.low)}{dash}{show(self.high)})'


@dataclasses.dataclass(frozen=True)
class Contrast:
  """One column minus another.

  Attributes:
    accuracy: the difference of their accuracies.
    f1_macro: that of their macro F1 scores.
    p_value: of McNemar's test; None without common images.
    how: 'seeds', 'paired' or 'independent'.
  """

  accuracy: Estimate
  f1_macro: Estimate
  p_value: float | None
  how: str


def number(
    value: float | None, digits: int = 3, *, signed: bool = False
) -> str:
  """Returns a number in words, with a true minus; '–' for None."""
  if value is None:
    return NOTHING
  text = format(value, f'{"+" if signed else ""}.{digits}f')
  if float(text) == 0:
    text = text.lstrip('+-')
  return text.replace('-', '−')


def estimate(column: settings_lib.Column, *keys: str) -> Estimate | None:
  """Returns a metric of the test side; None where it is undefined.

  Args:
    column: one or more runs.
    keys: the path in `summary['test']`, such as 'f1_per_class', 'nv'.
  """
  values = [_at(run.summary['test'], keys) for run in column.runs]
  if None in values:
    return None
  if len(values) > 1:
    return Estimate(statistics.fmean(values), sd=statistics.stdev(values),
                    seeds=len(values))
  ends = _at(column.first.summary['test']['intervals'], keys) or (None, None)
  return Estimate(values[0], *ends)


def contrast(a: settings_lib.Column, b: settings_lib.Column) -> Contrast:
  """Compares two columns, as closely as their runs allow.

  With two or more common seeds: mean and spread of the differences seed by
  seed. Else, on the same test images: the paired bootstrap. Else the
  interval of a difference of independent estimates from theirs (MOVER: Zou
  and Donner, 'Construction of confidence limits about effect measures',
  Statistics in Medicine 27(10), 2008, equation 7).

  Args:
    a: the column from which is subtracted.
    b: the other one.
  """
  pairs = _common(a, b)
  first = _compare(*pairs[0]) if pairs and _same_images(*pairs[0]) else None
  if len(pairs) > 1:
    accuracy, f1_macro = (
        _over_seeds(pairs, lambda run, key=key: run.summary['test'][key])
        for key in ('accuracy', 'f1_macro'))
    how = 'seeds'
  elif first:
    accuracy, f1_macro = (
        Estimate(first[key]['difference'], *(first[key]['interval'] or ()))
        for key in ('accuracy', 'f1_macro'))
    how = 'paired'
  else:
    accuracy, f1_macro = (
        _independent(estimate(a, key), estimate(b, key))
        for key in ('accuracy', 'f1_macro'))
    how = 'independent'
  p_value = first['mcnemar']['p_value'] if first else None
  return Contrast(accuracy, f1_macro, p_value, how)


def _at(tree: Any, keys: tuple[str, ...]) -> Any:
  for key in keys:
    tree = tree[key]
  return tree


def _common(
    a: settings_lib.Column, b: settings_lib.Column
) -> list[tuple[reading.Run, reading.Run]]:
  by_seed = {run.spec.seed: run for run in b.runs}
  return [(run, by_seed[run.spec.seed])
          for run in a.runs if run.spec.seed in by_seed]


def _same_images(a: reading.Run, b: reading.Run) -> bool:
  first, second = a.predictions, b.predictions
  return (set(first.image_ids) == set(second.image_ids)
          and dict(zip(first.image_ids, first.groups))
          == dict(zip(second.image_ids, second.groups)))


def _compare(a: reading.Run, b: reading.Run) -> dict[str, Any]:
  return paired.compare(
      a.predictions, b.predictions, resamples=_RESAMPLES, seed=0)


def _over_seeds(
    pairs: list[tuple[reading.Run, reading.Run]],
    read: Callable[[reading.Run], float],
) -> Estimate:
  values = [read(a) - read(b) for a, b in pairs]
  return Estimate(statistics.fmean(values), sd=statistics.stdev(values),
                  seeds=len(values))


def _independent(a: Estimate, b: Estimate) -> Estimate:
  value = a.value - b.value
  if None in (a.low, b.low):
    return Estimate(value)
  return Estimate(
      value,
      value - math.hypot(a.value - a.low, b.high - b.value),
      value + math.hypot(a.high - a.value, b.value - b.low))
