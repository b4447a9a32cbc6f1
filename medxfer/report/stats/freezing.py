"""What to freeze: how many layers to train, chosen by validation images."""

from collections.abc import Mapping
import dataclasses

from medxfer import errors
from medxfer.model.architectures import Architecture
from medxfer.report.read import layer_studies
from medxfer.report.read import settings as settings_lib
from medxfer.report.stats import choices
from medxfer.study import layer_arms


@dataclasses.dataclass(frozen=True, eq=False)
class Choice:
  """How many of the last convolutions to train.

  Attributes:
    architecture: of all networks.
    trained: of the chosen network.
    columns: number that trains -> its runs, ascending.
    choice: among these networks.
  """

  architecture: Architecture
  trained: int
  columns: Mapping[int, settings_lib.Column]
  choice: choices.Choice

  @property
  def fractions(self) -> Mapping[int, float]:
    """Number -> fraction of the resampled validation sets that choose it."""
    fractions = dict(zip(self.choice.columns, self.choice.fractions))
    return {
        trained: fractions[column]
        for trained, column in self.columns.items()
        if column in fractions
    }

  @property
  def advice(self) -> str:
    """What to freeze, in words."""
    return advice(self.trained, self.architecture)

  @property
  def verdict(self) -> str:
    """What to freeze, and how sure that is, in words."""
    return f'{self.advice} ({self.choice.word}).'

  @property
  def words(self) -> str:
    """What the words of the verdict mean."""
    return choices.WORDS

  @property
  def sentences(self) -> tuple[str, ...]:
    """What speaks for it."""
    found = [*self.choice.sentences]
    for trained, words in (
        (0, 'the head alone'),
        (len(self.architecture.convolutions), 'all layers'),
    ):
      column = self.columns.get(trained)
      # The second, and the best on test, are compared already.
      if (
          column in self.choice.columns[2:]
          and column is not self.choice.on_test[0]
      ):
        found.append(f'Against {words}: {self.choice.against(column).words}.')
    return tuple(found)

  @property
  def numbers(self) -> str:
    """The sentences in one paragraph."""
    return ' '.join(self.sentences)


def choose(study: layer_studies.LayerStudy) -> Choice | None:
  """Chooses among the networks that start from ImageNet as a whole.

  Args:
    study: with a run of at least two of them.

  Returns:
    The choice, of equals the one that trains the fewest layers; None if there
    is nothing to choose.

  Raises:
    DataError: as `choices.choose`.
  """
  columns = {
      trained: dataclasses.replace(column, title=_title(trained, study.whole))
      for trained, column in unfrozen(study).items()
  }
  try:
    choice = choices.choose(columns.values())
  except errors.DataError as error:
    raise errors.DataError(f'{study.name}: {error}') from error
  if not choice:
    return None
  [trained] = (
      count for count, column in columns.items() if column is choice.chosen
  )
  return Choice(study.architecture, trained, columns, choice)


def unfrozen(study: layer_studies.LayerStudy) -> dict[int, settings_lib.Column]:
  """Returns trained convolutions -> runs from ImageNet as a whole."""
  found = dict(study.curve(layer_arms.LAST, layer_arms.IMAGENET))
  for trained, kind in (
      (0, layer_arms.FROZEN),
      (study.whole, layer_arms.TUNED),
  ):
    column = study.column(kind, layer_arms.IMAGENET, study.whole)
    if column:
      found[trained] = column
  return dict(sorted(found.items()))


def _title(trained: int, whole: int) -> str:
  """Returns what a network of the choice is called inside a sentence."""
  if trained in (0, whole):
    return 'the head alone' if not trained else 'all layers'
  return f'the last {trained} layers trained'


def advice(trained: int, architecture: Architecture) -> str:
  """Returns in words that the last convolutions train and others do not."""
  convolutions = architecture.convolutions
  if trained == 0:
    return 'Freeze all convolutions, train the head'
  if trained == len(convolutions):
    return 'Freeze nothing'
  frozen = convolutions[:-trained]
  ends = layer_arms.block_ends(architecture)
  if len(frozen) in ends:
    number = ends.index(len(frozen)) + 1
    return 'Freeze block 1' if number == 1 else f'Freeze blocks 1 to {number}'
  return f'Freeze the layers up to {frozen[-1]}'
