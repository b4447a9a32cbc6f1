"""A number with what is known of its spread, and differences of two."""

from collections.abc import Sequence
import dataclasses
import functools
import math
from typing import Any

from scipy import stats

from medxfer.evaluation import across_seeds as seeds_lib
from medxfer.evaluation import multiple_testing
from medxfer.evaluation import paired
from medxfer.report.read import finished_run
from medxfer.report.read import settings as settings_lib

# Ways to swap two networks; enough for a p-value of .05 among fifty pairs.
_RESAMPLES = 2000
_LEVEL = 0.95
ALPHA = 1 - _LEVEL
NOTHING = '–'


@dataclasses.dataclass(frozen=True)
class Estimate:
  """A metric of one run, or the mean of several seeds, with its interval.

  Attributes:
    value: of the run, or the mean.
    low: lower end of the 95 % interval; None where it is not known.
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
    """Whether the interval of a difference leaves out zero."""
    return self.low is not None and not self.low <= 0 <= self.high

  def p_value(self, null: float = 0.0) -> float | None:
    """Returns how likely a value so far from `null` is by chance.

    Two-sided, from the interval: below .05 where it leaves `null` out, and
    only there. As if the estimate were normal, with the standard error that
    the end of the interval that faces `null` tells; over few seeds as if it
    followed Student's distribution with a degree of freedom less than seeds,
    which is cautious.

    Args:
      null: what is compared with.

    Returns:
      The p-value; None without an interval.
    """
    if self.low is None:
      return None
    gap = self.value - null
    if self.low <= null <= self.high and not gap:
      return 1.0
    reach = self.value - self.low if gap > 0 else self.high - self.value
    if reach <= 0:  # No width is no certainty.
      return 1.0
    freedom = self.seeds - 1 or math.inf
    standard_error = reach / stats.t.isf(ALPHA / 2, freedom)
    return float(2 * stats.t.sf(abs(gap) / standard_error, freedom))

  def text(self, digits: int = 3, *, signed: bool = False) -> str:
    """Returns the value with its spread in words."""
    show = functools.partial(number, digits=digits, signed=signed)
    if self.low is not None:
      dash = ' to ' if signed else '–'
      return f'{show(self.value)} ({show(self.low)}{dash}{show(self.high)})'
    if self.sd is not None:
      return f'{show(self.value)} ± {number(self.sd, digits)}'
    return show(self.value)


@dataclasses.dataclass(frozen=True)
class Contrast:
  """One column minus another.

  Attributes:
    accuracy: the difference of their accuracies.
    f1_macro: that of their macro F1 scores.
    p_value: of the latter; None where its interval is not known.
    how: 'seeds', 'paired' or 'independent'; see `contrast`.
    adjusted: the p-value, corrected for the comparisons it was made with.
  """

  accuracy: Estimate
  f1_macro: Estimate
  p_value: float | None
  how: str
  adjusted: float | None = None

  @property
  def is_clear(self) -> bool:
    """Whether the macro F1 scores differ, corrected if there are several."""
    p_value = self.p_value if self.adjusted is None else self.adjusted
    return p_value is not None and p_value < ALPHA

  @property
  def words(self) -> str:
    """The difference of the macro F1 scores, and whether it is clear."""
    text = self.f1_macro.text(signed=True)
    return text if self.is_clear else f'{text}, not clear'

  def reversed(self) -> 'Contrast':
    """Returns the second column minus the first."""
    return dataclasses.replace(
        self, accuracy=_negative(self.accuracy),
        f1_macro=_negative(self.f1_macro))


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
  tests = [run.summary['test'] for run in column.runs]
  return over_seeds([_at(test, keys) for test in tests],
                    [_at(test['intervals'], keys, None) for test in tests])


def over_seeds(
    values: Sequence[float | None],
    ranges: Sequence[Sequence[float] | None],
    *,
    bounds: tuple[float, float] | None = (0.0, 1.0),
) -> Estimate | None:
  """Returns what several seeds say together of one number.

  Args:
    values: one a seed; None where it is undefined.
    ranges: the 95 % interval of each, or None.
    bounds: of the number, which the interval does not leave.

  Returns:
    The estimate (see `medxfer.evaluation.across_seeds`), of one seed as it is;
    None if a value is undefined.
  """
  if None in values:
    return None
  if len(values) == 1:
    return Estimate(values[0], *(ranges[0] or ()))
  found = seeds_lib.estimate(values, ranges, level=_LEVEL, bounds=bounds)
  return Estimate(found['value'], *(found['interval'] or (None, None)),
                  found['sd'], found['seeds'])


def contrast(a: settings_lib.Column, b: settings_lib.Column) -> Contrast:
  """Compares two columns, as closely as their runs allow.

  The seeds that both have, on the same test images:
  `paired.compare_seeds`. Without any, or on other images: the interval of a
  difference of independent estimates, see `independent`.

  Args:
    a: the column from which is subtracted.
    b: the other one.
  """
  pairs = [pair for pair in _common(a, b) if _same_images(*pair)]
  if not pairs:
    accuracy, f1_macro = (
        independent(estimate(a, key), estimate(b, key))
        for key in ('accuracy', 'f1_macro'))
    return Contrast(accuracy, f1_macro, f1_macro.p_value(), 'independent')
  found = paired.compare_seeds(
      [(first.predictions, second.predictions) for first, second in pairs],
      resamples=_RESAMPLES, seed=0)
  accuracy, f1_macro = (
      Estimate(found[key]['difference'], *(found[key]['interval'] or ()),
               seeds=len(pairs))
      for key in ('accuracy', 'f1_macro'))
  return Contrast(accuracy, f1_macro, found['f1_macro']['p_value'],
                  'seeds' if len(pairs) > 1 else 'paired')


def corrected(contrasts: Sequence[Contrast]) -> list[Contrast]:
  """Returns contrasts with p-values adjusted for their number, by Holm."""
  known = [c.p_value for c in contrasts if c.p_value is not None]
  adjusted = iter(multiple_testing.holm(known))
  return [
      c if c.p_value is None else dataclasses.replace(
          c, adjusted=next(adjusted)) for c in contrasts]


def _at(tree: Any, keys: tuple[str, ...], *missing: Any) -> Any:
  """Returns what stands at the end of a path of keys, or what is `missing`."""
  for key in keys:
    if missing and key not in tree:
      return missing[0]
    tree = tree[key]
  return tree


def _common(
    a: settings_lib.Column, b: settings_lib.Column
) -> list[tuple[finished_run.Run, finished_run.Run]]:
  by_seed = {run.spec.seed: run for run in b.runs}
  return [(run, by_seed[run.spec.seed])
          for run in a.runs if run.spec.seed in by_seed]


def _same_images(a: finished_run.Run, b: finished_run.Run) -> bool:
  first, second = a.predictions, b.predictions
  return (set(first.image_ids) == set(second.image_ids)
          and dict(zip(first.image_ids, first.groups))
          == dict(zip(second.image_ids, second.groups)))


def independent(a: Estimate, b: Estimate) -> Estimate:
  """Returns a minus b of two estimates that share no image.

  The interval is MOVER's: Zou and Donner, 'Construction of confidence limits
  about effect measures', Statistics in Medicine 27(10), 2008, equation 7.
  """
  value = a.value - b.value
  if None in (a.low, b.low):
    return Estimate(value)
  return Estimate(
      value,
      value - math.hypot(a.value - a.low, b.high - b.value),
      value + math.hypot(a.high - a.value, b.value - b.low),
      seeds=min(a.seeds, b.seeds))


def _negative(estimate_: Estimate) -> Estimate:
  ends = (None, None) if estimate_.low is None else (
      -estimate_.high, -estimate_.low)
  return dataclasses.replace(
      estimate_, value=-estimate_.value, low=ends[0], high=ends[1])
