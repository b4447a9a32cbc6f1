"""The arms of a layer study, by name: which layers came from where.

    base              random weights, everything trains
    frozen_SOURCE_N   the first N convolutions from SOURCE, and frozen
    tuned_SOURCE_N    the first N convolutions from SOURCE; everything trains
    statistics        of ImageNet's layers mean and variance alone, likewise
    last_K            ImageNet weights; the last K convolutions train
    block_K           ImageNet weights; block K trains, and no other

and the head always trains. Where nothing is said, weights are random. These
are the networks of Yosinski et al. (arXiv 1411.1792): with another task's
weights their AnB and AnB+, with those of `own`, the arm `base` of the same
seed, their BnB and BnB+.
"""

import dataclasses
import re
from typing import Self

from medxfer.model.architectures import Architecture

PREFIX = 'layers_'  # Of the name of such a study.
MEASURED = 'layers.json'  # What `measure` writes into its folder.
BASE, STATISTICS = 'base', 'statistics'
FROZEN, TUNED, LAST, BLOCK = 'frozen', 'tuned', 'last', 'block'
IMAGENET, OWN, RANDOM = 'imagenet', 'own', 'random'
_PATTERN = re.compile(
    rf'(?P<kind>{FROZEN}|{TUNED})_(?P<source>[a-z]+)_(?P<count>\d+)'
    rf'|(?P<part>{LAST}|{BLOCK})_(?P<trained>\d+)'
)


@dataclasses.dataclass(frozen=True)
class Arm:
  """One network of the study.

  Attributes:
    kind: BASE, STATISTICS, FROZEN, TUNED, LAST or BLOCK.
    source: where the transferred layers come from; '' if nothing does.
    count: convolutions that are transferred, or of LAST, that train; of BLOCK,
      the number of the block.
  """

  kind: str
  source: str = ''
  count: int = 0

  @property
  def name(self) -> str:
    """The name of the arm."""
    if self.kind in (BASE, STATISTICS):
      return self.kind
    if self.kind in (LAST, BLOCK):
      return f'{self.kind}_{self.count}'
    return f'{self.kind}_{self.source}_{self.count}'

  @classmethod
  def parse(cls, name: str, architecture: Architecture) -> Self | None:
    """Returns the arm of a name, or None if a network has no such arm."""
    convolutions = len(architecture.convolutions)
    if name == BASE:
      return cls(BASE)
    if name == STATISTICS:
      return cls(STATISTICS, IMAGENET, convolutions)
    match = _PATTERN.fullmatch(name)
    if match is None:
      return None
    if match['part']:
      arm = cls(match['part'], IMAGENET, int(match['trained']))
    else:
      arm = cls(match['kind'], match['source'], int(match['count']))
    most = len(architecture.blocks) if arm.kind == BLOCK else convolutions
    return arm if 1 <= arm.count <= most else None


def block_ends(architecture: Architecture) -> tuple[int, ...]:
  """Returns after how many convolutions each block ends."""
  return tuple(
      architecture.convolutions.index(names[-1]) + 1
      for names in architecture.blocks.values()
  )


def arms(
    architecture: Architecture, sources: tuple[str, ...], cuts: tuple[int, ...]
) -> tuple[Arm, ...]:
  """Returns the networks of a study, the one that others start from first.

  Args:
    architecture: of all of them.
    sources: of the transferred layers, besides ImageNet.
    cuts: numbers of transferred convolutions, ascending to
      all of them.
  """
  trained = (IMAGENET, OWN, *sources)
  convolutions = len(architecture.convolutions)
  return (
      Arm(BASE),
      *(Arm(FROZEN, source, n) for source in (*trained, RANDOM) for n in cuts),
      *(Arm(TUNED, source, n) for source in trained for n in cuts),
      Arm(STATISTICS, IMAGENET, convolutions),
      # None and all of them are frozen_imagenet_N and tuned_imagenet_N.
      *(Arm(LAST, IMAGENET, convolutions - n) for n in reversed(cuts[:-1])),
      # The last block is among the last convolutions.
      *(
          Arm(BLOCK, IMAGENET, number)
          for number in range(1, len(architecture.blocks))
      ),
  )


def first(architecture: Architecture, count: int) -> str:
  """Returns the first convolutions, as `model.transferred` names them."""
  return _names(architecture, architecture.convolutions[:count])


def rest(architecture: Architecture, count: int) -> str:
  """Returns those after the first, as `model.trainable` names them."""
  return _names(architecture, architecture.convolutions[count:])


def _names(architecture: Architecture, convolutions: tuple[str, ...]) -> str:
  """Returns names of layers, whole blocks by theirs; none is the head's."""
  names = []
  for block, members in architecture.blocks.items():
    chosen = [name for name in members if name in convolutions]
    names += [block] if len(chosen) == len(members) else chosen
  return ','.join(names) or 'none'
