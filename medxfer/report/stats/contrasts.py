"""The difference of two columns, with what is known of its spread."""

from collections.abc import Sequence
import dataclasses
import math

from medxfer.evaluation import multiple_testing
from medxfer.evaluation import paired
from medxfer.report.read import estimates
from medxfer.report.read import finished_run
from medxfer.report.read import settings as settings_lib

# Ways to swap two networks; enough for a p-value of .05 among fifty pairs.
_RESAMPLES = 2000


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

  accuracy: estimates.Estimate
  f1_macro: estimates.Estimate
  p_value: float | None
  how: str
  adjusted: float | None = None

  @property
  def is_clear(self) -> bool:
    """Whether the macro F1 scores differ, corrected if there are several."""
    p_value = self.p_value if self.adjusted is None else self.adjusted
    return p_value is not None and p_value < estimates.ALPHA

  @property
  def words(self) -> str:
    """The difference of the macro F1 scores, and whether it is clear."""
    text = self.f1_macro.text(signed=True)
    return text if self.is_clear else f'{text}, not clear'

  def reversed(self) -> 'Contrast':
    """Returns the second column minus the first."""
    return dataclasses.replace(
        self,
        accuracy=_negative(self.accuracy),
        f1_macro=_negative(self.f1_macro),
    )


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
    accuracy = independent(estimates.accuracy(a), estimates.accuracy(b))
    f1_macro = independent(estimates.f1_macro(a), estimates.f1_macro(b))
    return Contrast(accuracy, f1_macro, f1_macro.p_value(), 'independent')
  found = paired.compare_seeds(
      [(first.predictions, second.predictions) for first, second in pairs],
      resamples=_RESAMPLES,
      seed=0,
  )
  accuracy, f1_macro = (
      estimates.Estimate(
          found[key]['difference'],
          *(found[key]['interval'] or ()),
          seeds=len(pairs),
      )
      for key in ('accuracy', 'f1_macro')
  )
  return Contrast(
      accuracy,
      f1_macro,
      found['f1_macro']['p_value'],
      'seeds' if len(pairs) > 1 else 'paired',
  )


def corrected(contrasts: Sequence[Contrast]) -> list[Contrast]:
  """Returns contrasts with p-values adjusted for their number, by Holm."""
  known = [c.p_value for c in contrasts if c.p_value is not None]
  adjusted = iter(multiple_testing.holm(known))
  return [
      c
      if c.p_value is None
      else dataclasses.replace(c, adjusted=next(adjusted))
      for c in contrasts
  ]


def _common(
    a: settings_lib.Column, b: settings_lib.Column
) -> list[tuple[finished_run.Run, finished_run.Run]]:
  by_seed = {run.spec.seed: run for run in b.runs}
  return [
      (run, by_seed[run.spec.seed])
      for run in a.runs
      if run.spec.seed in by_seed
  ]


def _same_images(a: finished_run.Run, b: finished_run.Run) -> bool:
  first, second = a.predictions, b.predictions
  return set(first.image_ids) == set(second.image_ids) and dict(
      zip(first.image_ids, first.groups)
  ) == dict(zip(second.image_ids, second.groups))


def independent(
    a: estimates.Estimate, b: estimates.Estimate
) -> estimates.Estimate:
  """Returns a minus b of two estimates that share no image.

  The interval is MOVER's: Zou and Donner, 'Construction of confidence limits
  about effect measures', Statistics in Medicine 27(10), 2008, equation 7.
  """
  value = a.value - b.value
  first, second = a.interval, b.interval
  if not first or not second:
    return estimates.Estimate(value)
  return estimates.Estimate(
      value,
      value - math.hypot(a.value - first[0], second[1] - b.value),
      value + math.hypot(first[1] - a.value, b.value - second[0]),
      seeds=min(a.seeds, b.seeds),
  )


def _negative(estimate: estimates.Estimate) -> estimates.Estimate:
  ends = estimate.interval
  low, high = (-ends[1], -ends[0]) if ends else (None, None)
  return dataclasses.replace(
      estimate, value=-estimate.value, low=low, high=high
  )
