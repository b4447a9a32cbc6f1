"""What to freeze: how many layers to train, chosen by validation images."""

from collections.abc import Mapping
import dataclasses

import numpy as np

from medxfer import errors
from medxfer.evaluation import metrics
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import selection
from medxfer.model import layers
from medxfer.report import estimates
from medxfer.report import layer_studies
from medxfer.report import reading
from medxfer.report import settings as settings_lib
from medxfer.study import curves

_RESAMPLES = 1000
# From these shares of the resamples on, a choice is called so.
_WORDS = ((0.8, 'sure'), (0.5, 'likely'), (0.0, 'open'))


@dataclasses.dataclass(frozen=True, eq=False)
class Choice:
  """How many of the last convolutions to train.

  Attributes:
    trained: of the chosen network.
    columns: number that trains -> its runs, ascending.
    shares: the same -> share of the resampled validation images that would
      have chosen it.
  """

  trained: int
  columns: Mapping[int, settings_lib.Column]
  shares: Mapping[int, float]

  @property
  def chosen(self) -> settings_lib.Column:
    """The runs of the chosen network."""
    return self.columns[self.trained]

  @property
  def verdict(self) -> str:
    """What to freeze, and how sure that is, in words."""
    share = self.shares[self.trained]
    word = next(word for least, word in _WORDS if share >= least)
    return f'{advice(self.trained)} ({word}).'

  @property
  def numbers(self) -> str:
    """What speaks for it, in words."""
    parts = [
        f'Macro F1 {estimates.estimate(self.chosen, "f1_macro").text()} on the '
        'test images, chosen by validation.']
    for trained, words in ((0, 'the head alone'),
                           (curves.ALL, 'all layers')):
      if trained in self.columns and trained != self.trained:
        gap = estimates.contrast(
            self.chosen, self.columns[trained]).f1_macro
        parts.append(f'Against {words}: {gap.text(signed=True)}'
                     f'{"." if gap.is_clear else ", not clear."}')
    parts.append(
        f'Drawn again, {100 * self.shares[self.trained]:.0f} % of the sets of '
        'validation images choose the same.')
    return ' '.join(parts)


def choose(study: layer_studies.LayerStudy) -> Choice | None:
  """Chooses among the networks that start from ImageNet as a whole.

  Args:
    study: with a run of at least two of them.

  Returns:
    The choice, by the mean over seeds of the validation macro F1, of equals
    the one that trains the fewest layers; None if there is nothing to choose.

  Raises:
    DataError: how a run scored its validation images cannot be read, or they
      are not those of the others.
  """
  columns = unfrozen(study)
  if len(columns) < 2:
    return None
  seeds = set.intersection(*(
      {run.spec.seed for run in column.runs} for column in columns.values()))
  if not seeds:
    return None
  drawn, scores = [], []
  for seed in sorted(seeds):
    scored = [reading.validation(run) for column in columns.values()
              for run in column.runs if run.spec.seed == seed]
    try:
      drawn.append(
          selection.shares(scored, resamples=_RESAMPLES, seed=seed))
    except ValueError as error:
      raise errors.DataError(
          f'{study.name}: its runs have other validation images') from error
    scores.append([_f1(one) for one in scored])
  best = int(np.mean(scores, axis=0).argmax())
  shares = np.mean(drawn, axis=0)
  return Choice(list(columns)[best], columns,
                dict(zip(columns, shares.tolist())))


def _f1(scored: predictions_lib.Predictions) -> float:
  table = metrics.confusion(
      scored.labels, scored.predicted, len(scored.class_names))
  return float(metrics.f1_per_class(table).mean())


def unfrozen(
    study: layer_studies.LayerStudy,
) -> dict[int, settings_lib.Column]:
  """Returns trained convolutions -> runs from ImageNet as a whole."""
  found = dict(study.curve(curves.LAST, curves.IMAGENET))
  for trained, kind in ((0, curves.FROZEN), (curves.ALL, curves.TUNED)):
    column = study.column(kind, curves.IMAGENET, curves.ALL)
    if column:
      found[trained] = column
  return dict(sorted(found.items()))


def advice(trained: int) -> str:
  """Returns in words that the last convolutions train and others do not."""
  if trained == 0:
    return 'Freeze all convolutions, train the head'
  if trained == curves.ALL:
    return 'Freeze nothing'
  frozen = layers.CONVOLUTIONS[:curves.ALL - trained]
  if len(frozen) in curves.BLOCKS:
    number = curves.BLOCKS.index(len(frozen)) + 1
    return ('Freeze block 1' if number == 1
            else f'Freeze blocks 1 to {number}')
  return f'Freeze the layers up to {frozen[-1]}'
