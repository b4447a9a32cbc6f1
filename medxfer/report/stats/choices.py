"""Which network is best: chosen by validation images, told on test images.

A network that is chosen by its test score has a test score that is too good.
So validation images choose, and the test images say what the choice is worth:
with its rank among the others, and with its difference to the one that
validation puts second and to the one that the test images put first.
"""

from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses
import functools

import numpy as np

from medxfer import errors
from medxfer.evaluation import metrics
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import selection_stability
from medxfer.report.read import estimates
from medxfer.report.read import finished_run
from medxfer.report.read import settings as settings_lib
from medxfer.report.stats import contrasts
from medxfer.report.stats import pairs

_RESAMPLES = 1000
# From these fractions of the resamples on, a choice is called so.
_SURE, _LIKELY = 0.8, 0.5
WORDS = (
    'The validation images choose. They are resampled 1,000 times: “sure”, '
    f'if at least {100 * _SURE:.0f} % of these sets of images choose the same; '
    f'“likely”, if at least {100 * _LIKELY:.0f} % do; “open”, if fewer do. '
    'Validation scores are those of the best epoch, hence optimistic.'
)


@dataclasses.dataclass(frozen=True, eq=False)
class Choice:
  """Networks in the order in which validation prefers them.

  Attributes:
    columns: two or more, best first.
    scores: macro F1 on validation images, the mean over the seeds.
    fractions: how many of the resampled sets of validation images would have
      chosen each.
    family: the networks among which p-values are adjusted.
  """

  columns: tuple[settings_lib.Column, ...]
  scores: tuple[float, ...]
  fractions: tuple[float, ...]
  family: tuple[settings_lib.Column, ...]

  @property
  def chosen(self) -> settings_lib.Column:
    """The network that validation prefers."""
    return self.columns[0]

  @property
  def word(self) -> str:
    """How sure the choice is, as `WORDS` explains."""
    if self.fractions[0] >= _SURE:
      return 'sure'
    return 'likely' if self.fractions[0] >= _LIKELY else 'open'

  @property
  def on_test(self) -> tuple[settings_lib.Column, ...]:
    """The networks by falling macro F1 on test images."""
    return tuple(
        sorted(self.columns, key=lambda c: -estimates.f1_macro(c).value)
    )

  def against(self, other: settings_lib.Column) -> contrasts.Contrast:
    """Returns what the chosen network has more than another, on test."""
    return pairs.between(self.chosen, other, self.family)

  @property
  def sentences(self) -> tuple[str, ...]:
    """The evidence for the choice, and its result on test images."""
    ranked, second = self.on_test, self.columns[1]
    place = ranked.index(self.chosen) + 1
    found = [
        f'Chosen by validation images: macro F1 {self._score(0)} there, next '
        f'{lower(second.title)} with {self._score(1)}.',
        f'On test images macro F1 {estimates.f1_macro(self.chosen).text()}, '
        f'rank {place} of {len(ranked)}.',
        f'Test difference to {lower(second.title)}: '
        f'{self.against(second).words}.',
    ]
    if place > 1 and ranked[0] is not second:
      found.append(
          f'To {lower(ranked[0].title)}, the best on test: '
          f'{self.against(ranked[0]).words}.'
      )
    found.append(
        f'Of resampled sets of validation images '
        f'{100 * self.fractions[0]:.0f} % choose the same.'
    )
    return tuple(found)

  def _score(self, place: int) -> str:
    return estimates.number(self.scores[place])


def choose(
    columns: Iterable[settings_lib.Column],
    family: Sequence[settings_lib.Column] | None = None,
) -> Choice | None:
  """Chooses among networks by the macro F1 of their validation images.

  The mean over the seeds that all have decides; of equals the first. Networks
  whose training has notes (`finished_run.Run.notes`) are not chosen from.

  Args:
    columns: networks, those that train least first.
    family: the networks among which p-values are adjusted; `columns` if None.

  Returns:
    The choice; None if there are not two networks to choose from.

  Raises:
    DataError: how a run scored its validation images cannot be read, or they
      are not those of the others. The test images do not choose instead.
  """
  columns = tuple(columns)
  candidates = tuple(c for c in columns if not c.notes)
  if len(candidates) < 2:
    return None
  seeds = sorted(
      set.intersection(
          *({run.spec.seed for run in column.runs} for column in candidates)
      )
  )
  if not seeds:
    raise errors.DataError('no seed is common to all networks')
  drawn, scores = [], []
  for seed in seeds:
    scored = [
        finished_run.validation(run)
        for column in candidates
        for run in column.runs
        if run.spec.seed == seed
    ]
    try:
      drawn.append(
          selection_stability.fractions(scored, resamples=_RESAMPLES, seed=seed)
      )
    except ValueError as error:
      raise errors.DataError(
          'the networks have other validation images'
      ) from error
    scores.append([_f1(one) for one in scored])
  means, fractions = np.mean(scores, axis=0), np.mean(drawn, axis=0)
  order = np.argsort(-means, kind='stable')
  return Choice(
      tuple(candidates[i] for i in order),
      tuple(means[order].tolist()),
      tuple(fractions[order].tolist()),
      tuple(family or columns),
  )


@functools.lru_cache(maxsize=64)
def of_setting(setting: settings_lib.Setting) -> Choice | None:
  """Chooses among all networks of a table; errors as `choose`."""
  return choose(by_trained(setting.networks), setting.networks)


@functools.lru_cache(maxsize=64)
def from_imagenet(setting: settings_lib.Setting) -> Choice | None:
  """Chooses among those that start from ImageNet; errors as `choose`."""
  return choose(
      by_trained(
          c
          for c in setting.networks
          if c.first.spec.model.init_from == 'imagenet'
      ),
      setting.networks,
  )


def by_trained(
    columns: Iterable[settings_lib.Column],
) -> list[settings_lib.Column]:
  """Returns networks in the order of how many layers they train."""
  return sorted(columns, key=lambda column: len(column.trained))


def lower(title: str) -> str:
  """A title inside a sentence; abbreviations stay as they are."""
  return title[:1].lower() + title[1:] if title[1:2].islower() else title


def _f1(scored: predictions_lib.Predictions) -> float:
  table = metrics.confusion(
      scored.labels, scored.predicted, len(scored.class_names)
  )
  return float(metrics.f1_per_class(table).mean())
