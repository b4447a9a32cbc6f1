"""Whether the curves look as they were published for photographs.

Yosinski et al. (arXiv 1411.1792) cut a network for half of ImageNet after each
of seven layers. Their accuracies here are means over their published logs,
where the network that learns everything anew has .625.
"""

import dataclasses

from medxfer.report import estimates
from medxfer.report import layer_studies
from medxfer.report import tables
from medxfer.study import curves

_Study = layer_studies.LayerStudy
_HALF = curves.BLOCKS[2]  # After block 3.


@dataclasses.dataclass(frozen=True)
class _Claim:
  """A difference of two networks that has a published sign.

  Attributes:
    words: what is claimed.
    published: what they found.
    first: kind, source and number of layers of the network.
    second: of the one that is subtracted.
    is_lower: whether the difference is below zero, clearly; else it is not.
  """

  words: str
  published: str
  first: tuple[str, str, int]
  second: tuple[str, str, int]
  is_lower: bool


_BASE = (curves.BASE, '', 0)
_OTHER = '*'  # Any source that is a task of its own.
_CLAIMS = (
    _Claim('Frozen transfer falls towards the top: all layers of ImageNet '
           'frozen, against its first block',
           '.542 with seven layers, .627 with one',
           (curves.FROZEN, curves.IMAGENET, curves.ALL),
           (curves.FROZEN, curves.IMAGENET, curves.BLOCKS[0]), True),
    _Claim('Frozen transfer falls at the top: all layers of {other} frozen, '
           'against four blocks', '.542 with seven layers, .599 with four',
           (curves.FROZEN, _OTHER, curves.ALL),
           (curves.FROZEN, _OTHER, curves.BLOCKS[3]), True),
    _Claim('Fine-tuned transfer does not: all layers of ImageNet, against its '
           'first block', '.646 with seven layers, .637 with one',
           (curves.TUNED, curves.IMAGENET, curves.ALL),
           (curves.TUNED, curves.IMAGENET, curves.BLOCKS[0]), False),
    _Claim('Fine-tuned transfer is no worse than random weights',
           '.646, against .625',
           (curves.TUNED, curves.IMAGENET, curves.ALL), _BASE, False),
    _Claim('Random frozen layers collapse early: three blocks of them, '
           'against none', 'of 1000 classes .001 with three layers, .575 with '
           'none', (curves.FROZEN, curves.RANDOM, _HALF), _BASE, True),
    _Claim('Layers that were trained together miss each other: four blocks '
           'of the own ones frozen, against none',
           '.593 with five layers, .625 with none',
           (curves.FROZEN, curves.OWN, curves.BLOCKS[3]), _BASE, True),
    _Claim('Fine-tuning brings them together again',
           '.629 with five layers, .625 with none',
           (curves.TUNED, curves.OWN, curves.BLOCKS[3]), _BASE, False),
)


def table(study: _Study, name: str) -> tables.Table | None:
  """Compares a study with the published curves; None if it has none of them.

  Args:
    study: its runs.
    name: stem of the files.
  """
  rows = []
  for claim in _CLAIMS:
    first, second = (
        study.column(kind, study.other if source == _OTHER else source, count)
        for kind, source, count in (claim.first, claim.second))
    if not first or not second:
      continue
    gap = estimates.contrast(first, second).f1_macro
    rows.append((
        tables.words(claim.words.format(
            other=layer_studies.called(study.other))),
        tables.words(claim.published),
        tables.spread(gap, signed=True),
        tables.words(_holds(gap, is_lower=claim.is_lower))))
  if not rows:
    return None
  return tables.Table(
      name, 'The published shape, and this one', (),
      ('Claim', 'Published, accuracy', 'Here, macro F1', 'Holds'),
      tuple(rows), (
          'Published: Yosinski et al., How transferable are features in deep '
          'neural networks? (2014), seven layers, one half of ImageNet to the '
          'other, averaged over their logs; everything from random weights '
          '.625.',
          'Here: difference of macro F1 on the same test images. Holds: yes '
          'if it is clear, open if its interval holds zero.'))


def _holds(gap: estimates.Estimate, *, is_lower: bool) -> str:
  if is_lower:
    if not gap.is_clear:
      return 'open'
    return 'yes' if gap.value < 0 else 'no'
  # It is claimed only not to be lower.
  return 'no' if gap.is_clear and gap.value < 0 else 'yes'
