"""Which names of folders mean train, validation or test."""

from collections.abc import Iterable
from collections.abc import Mapping
import re

from medxfer import errors

SUBSETS = ('train', 'val', 'test')
LEFT_OUT = (
    ''  # A usual name of a subset for which the user named another folder.
)
_WORDS = {
    'train': 'train',
    'training': 'train',
    'trainset': 'train',
    'val': 'val',
    'valid': 'val',
    'validate': 'val',
    'validation': 'val',
    'validating': 'val',
    'dev': 'val',
    'development': 'val',
    'test': 'test',
    'testing': 'test',
}
# What may stand beside such a word and adds nothing to it.
_NEUTRAL = frozenset(
    (
        'set',
        'sets',
        'data',
        'dataset',
        'datasets',
        'images',
        'image',
        'imgs',
        'img',
        'samples',
        'split',
        'folder',
        'dir',
        'the',
    )
)
_JOINED = re.compile(
    f'({"|".join(_WORDS)})(set|data|dataset|images|imgs)', re.IGNORECASE
)
# At a change from small to capital letters, from letters to digits, and at what
# is no letter or digit.
_BOUNDARY = re.compile(r'(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=[0-9])|[\W_]+')


def find(names: Iterable[str], named: Mapping[str, str]) -> dict[str, str]:
  """Returns folder -> subset of those folders of one level that are subsets.

  A name is one if it is a usual word (`Train`, `training_set`, `01_valid`), or
  if it is like another but for such a word (`ISIC_2019_Training_Input`,
  `ISIC_2019_Test_Input`; `train2017`, `val2017`).

  Args:
    names: the folders of one level.
    named: folder -> subset, as the user says. A folder of a usual name for the
      same subset is `LEFT_OUT`.

  Raises:
    DataError: two folders mean one subset.
  """
  names = sorted(names)
  parsed = {name: _parse(name) for name in names}
  found = {
      name: subset
      for name, (subset, rest) in parsed.items()
      if subset and not rest
  }
  for rest in {rest for subset, rest in parsed.values() if subset}:
    alike = {
        name: subset
        for name, (subset, other) in parsed.items()
        if subset and other == rest
    }
    if 'train' in alike.values() and len(set(alike.values())) > 1:
      found |= alike
  meant = {name: named[name] for name in names if name in named}
  found = {
      name: LEFT_OUT if subset in meant.values() else subset
      for name, subset in found.items()
  } | meant
  _refuse_twice(found)
  return found


def _parse(name: str) -> tuple[str, tuple[str, ...]]:
  """Returns the subset in a name, or '', and what else the name says."""
  joined = _JOINED.fullmatch(name)
  if joined:
    return _WORDS[joined[1].lower()], ()
  tokens = [token.lower() for token in _BOUNDARY.split(name) if token]
  subsets = [token for token in tokens if token in _WORDS]
  if len(subsets) != 1:
    return '', tuple(tokens)
  # A number before it only keeps folders in order.
  first = next(i for i, t in enumerate(tokens) if not t.isdigit())
  rest = tuple(
      t for t in tokens[first:] if t not in _WORDS and t not in _NEUTRAL
  )
  return _WORDS[subsets[0]], rest


def _refuse_twice(found: Mapping[str, str]) -> None:
  seen: dict[str, str] = {}
  for name, subset in sorted(found.items()):
    if subset in seen and subset != LEFT_OUT:
      raise errors.DataError(
          f'two folders mean the subset {subset}: {seen[subset]}/ and '
          f'{name}/; merge them, or say which one is meant: '
          f'--config.data.subsets={subset}={name}'
      )
    seen[subset] = name
