"""Which of two classes is positive."""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import re

from medxfer import errors

# Words of a class that is the absence of a finding.
_ABSENT = frozenset(
    (
        'absence',
        'absent',
        'benign',
        'clear',
        'control',
        'controls',
        'ctrl',
        'false',
        'healthy',
        'negative',
        'neg',
        'none',
        'normal',
        'unaffected',
        'uninfected',
        'unremarkable',
        'benigno',
        'gesund',
        'normale',
        '正常',
        '良性',
    )
)
# These are a finding beside those that are none at all.
_HARMLESS = frozenset(('benign', 'benigno', '良性'))
_NOT = ('no', 'non', 'not', 'un', 'without')
_FINDINGS = (
    'cancer',
    'disease',
    'finding',
    'findings',
    'lesion',
    'tumor',
    'tumour',
)
_WORDS = re.compile(r'[^\W\d_]+')
# At a change from lower to upper case too: NoFinding, nonCOVID.
_JOINT = re.compile(r'(?<=[a-z])(?=[A-Z])')


@dataclasses.dataclass(frozen=True)
class Positive:
  """The positive class of two.

  Attributes:
    name: of the class.
    why: the reason in words.
  """

  name: str
  why: str


def check(class_names: Sequence[str], wanted: str) -> None:
  """Refuses a positive class that cannot be one.

  Args:
    class_names: k names.
    wanted: `evaluation.positive`; '' is never refused.

  Raises:
    UsageError: the class does not exist, or there are more than two.
  """
  if wanted and wanted not in class_names:
    raise errors.UsageError(
        f'evaluation.positive: there is no class {wanted!r}; the classes are '
        f'{", ".join(map(repr, class_names))}'
    )
  if wanted and len(class_names) != 2:
    raise errors.UsageError(
        f'evaluation.positive={wanted!r}: with {len(class_names)} classes '
        'each is measured against all others; leave the key out'
    )


def choose(
    class_names: Sequence[str], counts: Mapping[str, int], wanted: str = ''
) -> Positive | None:
  """Returns the positive class: the wanted, the abnormal, or the rarer one.

  Args:
    class_names: k names.
    counts: class -> number of training images.
    wanted: `evaluation.positive`; '' leaves the choice to names and counts.

  Returns:
    The class, or None of more than two: there every class is measured against
    all others.

  Raises:
    UsageError: as `check`.
  """
  check(class_names, wanted)
  if len(class_names) != 2:
    return None
  if wanted:
    return Positive(wanted, 'evaluation.positive names it')
  first, last = class_names
  absent = [_is_absence(first, last), _is_absence(last, first)]
  if all(absent):
    absent = [not _HARMLESS & set(_words(name)) for name in class_names]
  if absent[0] != absent[1]:
    name, other = (last, first) if absent[0] else (first, last)
    return Positive(name, f'{other!r} is the absence of a finding by its name')
  if counts[first] != counts[last]:
    rarer = min(class_names, key=counts.__getitem__)
    return Positive(rarer, 'it is the rarer one in train')
  return Positive(
      last, 'both are equally frequent in train, and it is the last by name'
  )


def _is_absence(name: str, other: str) -> bool:
  """Whether a class is by its name the absence of a finding."""
  words = _words(name)
  if _ABSENT & set(words) or words == ['no']:
    return True
  if words and words[0] in _NOT and len(words) > 1:
    return True
  # notumor, and uninfected beside infected.
  whole, finding = ''.join(words), ''.join(_words(other))
  return whole in {
      f'{word}{what}' for word in _NOT for what in (finding, *_FINDINGS) if what
  }


def _words(name: str) -> list[str]:
  return [word.casefold() for word in _WORDS.findall(_JOINT.sub(' ', name))]
