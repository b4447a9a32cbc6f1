"""Choices of several settings and studies of one data set, side by side."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses

from medxfer.report.read import finished_run
from medxfer.report.read import settings as settings_lib
from medxfer.report.read import thesis
from medxfer.report.read import titles
from medxfer.report.stats import choices


@dataclasses.dataclass(frozen=True, eq=False)
class Advice:
  """What one setting or one study says should train.

  Attributes:
    where: what it is called, such as its split and image size.
    choice: among its networks from ImageNet.
    words: the chosen network in words.
  """

  where: str
  choice: choices.Choice
  words: str

  @property
  def dataset(self) -> finished_run.Dataset:
    """The data set that it is for."""
    return self.choice.chosen.first.dataset


def otherwise(mine: Advice, others: Iterable[Advice]) -> Iterator[str]:
  """Yields which others advise differently for the same data, and why they may.

  Args:
    mine: the advice that stands before the sentences.
    others: all there are.
  """
  for other in others:
    if (
        other is mine
        or other.dataset != mine.dataset
        or other.choice.chosen.trained == mine.choice.chosen.trained
    ):
      continue
    unlike = '; '.join(_unlike(mine.choice, other.choice))
    reasons = (
        f' They differ in {unlike}.'
        if unlike
        else ' They differ in nothing that is known here.'
    )
    yield (
        f'Another comparison of this data set ({other.where}) advises '
        f'otherwise: {choices.lower(other.words)} '
        f'({other.choice.word}).{reasons}'
    )


def _unlike(a: choices.Choice, b: choices.Choice) -> Iterator[str]:
  """Yields what is not alike: what it is, here, there."""
  for name, here, there in (
      (name, _facts(a)[name], _facts(b)[name]) for name in _facts(a)
  ):
    if here != there:
      yield f'{name} (here {here}, there {there})'


def _facts(choice: choices.Choice) -> dict[str, str]:
  run = choice.chosen.first
  spec, recipe = run.spec, thesis.recipe(run.identity)
  return {
      'the network': run.architecture.title if run.architecture else '',
      'the number of images to train on': f'{run.summary["n"]["train"]:,}',
      'pixels per image': recipe['images'],
      'the split': titles.split_title(run.dataset, run.split),
      'values of pixels': recipe['pixels'],
      'learning rates': recipe['optimizer'],
      'epochs at most': str(spec.training.epochs),
      'seeds': _seeds(choice.columns),
      'how many layers the compared networks train': ', '.join(
          map(str, sorted({len(column.trained) for column in choice.columns}))
      ),
  }


def _seeds(columns: Sequence[settings_lib.Column]) -> str:
  return ', '.join(
      str(seed)
      for seed in sorted(
          {run.spec.seed for column in columns for run in column.runs}
      )
  )
