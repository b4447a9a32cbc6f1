"""Whether the curves look as they were published for photographs.

Yosinski et al. (arXiv 1411.1792) cut a network for half of ImageNet after each
of seven layers. Their accuracies here are means over their published logs,
where the network that learns everything anew has .625. Their claims stand for
networks of at least `_BLOCKS` blocks.
"""

from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses

from medxfer.evaluation import multiple_testing
from medxfer.model.architectures import Architecture
from medxfer.report.read import estimates
from medxfer.report.read import layer_studies
from medxfer.report.stats import contrasts
from medxfer.report.text import tables
from medxfer.study import layer_arms

_Study = layer_studies.LayerStudy
# So much macro F1 may be lost by what is claimed to lose nothing. The gains
# and losses that were published are larger: .02 to .6 of accuracy.
MARGIN = 0.02


@dataclasses.dataclass(frozen=True)
class _Claim:
  """A difference of two networks that has a published sign.

  Attributes:
    words: what is claimed.
    published: what they found.
    first: kind, source and number of layers of the network.
    second: of the one that is subtracted.
    is_lower: whether the difference is below zero; else it is not lower than
      by `MARGIN`.
  """

  words: str
  published: str
  first: tuple[str, str, int]
  second: tuple[str, str, int]
  is_lower: bool


_BASE = (layer_arms.BASE, '', 0)
_OTHER = '*'  # Any source that is a task of its own.
_BLOCKS = 5  # Cuts after the first, third and fourth are compared.


def _claims(architecture: Architecture) -> tuple[_Claim, ...]:
  """Returns what was published, as cuts of this network; () if shallow."""
  ends = layer_arms.block_ends(architecture)
  if len(ends) < _BLOCKS:
    return ()
  one, _, three, four, *_, whole = ends
  frozen, tuned = layer_arms.FROZEN, layer_arms.TUNED
  return (
      _Claim(
          'Frozen transfer falls towards the top: all layers of ImageNet, '
          'against its first block',
          '.542 with seven layers, .627 with one',
          (frozen, layer_arms.IMAGENET, whole),
          (frozen, layer_arms.IMAGENET, one),
          True,
      ),
      _Claim(
          'Frozen transfer falls at the top: {other}, against four blocks',
          '.542 with seven layers, .599 with four',
          (frozen, _OTHER, whole),
          (frozen, _OTHER, four),
          True,
      ),
      _Claim(
          'Fine-tuned transfer does not: all layers of ImageNet, against its '
          'first block',
          '.646 with seven layers, .637 with one',
          (tuned, layer_arms.IMAGENET, whole),
          (tuned, layer_arms.IMAGENET, one),
          False,
      ),
      _Claim(
          'Fine-tuned transfer is no worse than random weights',
          '.646, against .625',
          (tuned, layer_arms.IMAGENET, whole),
          _BASE,
          False,
      ),
      _Claim(
          'Random frozen layers collapse early: three blocks, against none',
          'of 1000 classes .001 with three layers, .575 with none',
          (frozen, layer_arms.RANDOM, three),
          _BASE,
          True,
      ),
      _Claim(
          'Layers trained together: four own blocks frozen, against none',
          '.593 with five layers, .625 with none',
          (frozen, layer_arms.OWN, four),
          _BASE,
          True,
      ),
      _Claim(
          'Fine-tuning brings them together again',
          '.629 with five layers, .625 with none',
          (tuned, layer_arms.OWN, four),
          _BASE,
          False,
      ),
  )


def table(study: _Study, name: str) -> tables.Table | None:
  """Compares a study with the published curves; None without their cuts.

  Args:
    study: its runs.
    name: stem of the files.
  """
  claims, gaps = [], []
  for claim in _claims(study.architecture):
    first, second = (
        study.column(kind, study.other if source == _OTHER else source, count)
        for kind, source, count in (claim.first, claim.second)
    )
    if first and second:
      claims.append(claim)
      gaps.append(contrasts.contrast(first, second))
  if not claims:
    return None
  rows = tuple(
      (
          tables.words(
              claim.words.format(other=layer_studies.called(study.other))
          ),
          tables.words(claim.published),
          tables.spread(gap.f1_macro, signed=True),
          tables.words(word),
      )
      for claim, gap, word in zip(claims, gaps, _holds(claims, gaps))
  )
  return tables.Table(
      name,
      'The published shape, and this one',
      (),
      ('Claim', 'Published, accuracy', 'Here, macro F1', 'Holds'),
      rows,
      (
          'Published: Yosinski et al., How transferable are features in deep '
          'neural networks? (2014), seven layers, one half of ImageNet to the '
          'other, averaged over their logs; everything from random weights '
          '.625.',
          'Here: difference of macro F1 on the same test images. A claim that '
          'one network is lower holds if the difference is clearly below zero. '
          'A claim that it is not lower (“does not”, “no worse”, “brings '
          f'together”) holds if it is clearly not lower by {MARGIN} of macro '
          'F1 or more, the margin that was set beforehand. Clear: p, corrected '
          'by Holm for the number of claims, is below .05. No: the opposite is '
          'clear. Open: neither is.',
      ),
  )


def _holds(
    claims: Sequence[_Claim], gaps: Sequence[contrasts.Contrast]
) -> list[str]:
  """Returns 'yes', 'no' or 'open' for each claim."""
  by_zero = _adjusted(gap.p_value for gap in gaps)
  by_claim = _adjusted(
      gap.p_value if claim.is_lower else gap.f1_macro.p_value(-MARGIN)
      for claim, gap in zip(claims, gaps)
  )
  words = []
  for claim, gap, p_claim, p_zero in zip(claims, gaps, by_claim, by_zero):
    value = gap.f1_macro.value
    holds = value < 0 if claim.is_lower else value > -MARGIN
    contradicted = value > 0 if claim.is_lower else value < 0
    if holds and p_claim < estimates.ALPHA:
      words.append('yes')
    elif contradicted and p_zero < estimates.ALPHA:
      words.append('no')
    else:
      words.append('open')
  return words


def _adjusted(p_values: Iterable[float | None]) -> list[float]:
  return multiple_testing.holm(
      [1.0 if p_value is None else p_value for p_value in p_values]
  )
