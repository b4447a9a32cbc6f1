"""Distinguishes classes from sources (centres) and groups (patients).

The rules, the first that holds:

1. Folders that hold no further folders are classes.
2. Names decide where they hold a word of `_WORDS`: `hospital_a/` is a source,
   `patient7/` a group (with a digit), `benign/` is a class, and so are folders
   over `left/` and `right/`.
3. Ten or more numbered folders over a few names that repeat are groups
   (`10253/0/`, `10254/1/`, ...: a folder a patient, then the class).
4. Folders that hold the same names, at least two in three of all pairs, are
   sources, and these names the classes; unless the names are numbers, and more
   of them than there could be classes.
5. Otherwise they are classes.

Folders below classes are sources or groups if their names hold such a word.
They are groups, too, if the names are numbers, at least five a class, and one
holds several images. Either way nine in ten images lie in such folders. Others
are parts of their class.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import re

from medxfer import errors

_WORDS = {
    'source': (
        'center|centre|zentrum|site|hospital|clinic|source|cohort|scanner|'
        'device|vendor|institute|institution|domain|country|lab'
    ),
    'group': (
        'patient|patients|pat|pt|p|pid|subject|subj|sub|case|person|lesion|'
        'donor|animal|mouse|participant|series|slide'
    ),
    'part': (
        'part|parts|batch|chunk|shard|folder|dir|fold|subset|image|images|img|'
        'imgs|left|right|original|augmented|raw|crop|crops|mag|view'
    ),
    'class': (
        'benign|malignant|normal|abnormal|negative|positive|healthy|sick|'
        'disease|diseased|tumor|tumour|cancer|control|no|without'
    ),
}
_PATTERNS = {
    kind: re.compile(f'(?:^|[^a-z])({words})(?:[^a-z]|$)')
    for kind, words in _WORDS.items()
}
_CAMEL = re.compile('(?<=[a-z])(?=[A-Z])')
_DIGIT = re.compile('[0-9]')
_MANY = 10
_GROUPS_A_CLASS = 5  # Fewer could not be in each of five folds.


@dataclasses.dataclass
class Node:
  """A folder: the images that lie in it, and its folders that hold images."""

  images: int = 0
  folders: dict[str, 'Node'] = dataclasses.field(default_factory=dict)

  @property
  def total(self) -> int:
    """The number of images in it and below."""
    return self.images + sum(node.total for node in self.folders.values())


def tree(ids: Iterable[str]) -> Node:
  """Returns the folders of images, given their paths."""
  root = Node()
  for image_id in ids:
    node = root
    for part in image_id.split('/')[:-1]:
      node = node.folders.setdefault(part, Node())
    node.images += 1
  return root


def decide(nodes: Mapping[tuple[str, ...], Node]) -> str:
  """Returns what folders of one level are: 'class', 'source' or 'group'.

  Args:
    nodes: path -> folder. Those of the same name, in several subsets, are one.

  Raises:
    DataError: there are two readings, and nothing speaks for either.
  """
  outer = merged(nodes)
  inner = {name.casefold() for node in outer.values() for name in node.folders}
  total = sum(node.total for node in outer.values())
  direct = sum(node.images for node in outer.values())
  if len(outer) < 2 or len(inner) < 2 or direct > 0.05 * total:
    return 'class'
  above, below = kind(outer), kind(inner)
  if 'source' in (above, below) or above == 'class':
    return 'source' if above == 'source' else 'class'
  if above == 'group' and below != 'group' and _numbered(outer):
    return 'group'
  if below in ('group', 'part'):
    return 'class'
  if _numbered(outer) and len(outer) >= max(_MANY, 3 * len(inner)):
    return 'group'
  pairs = sum(
      len({name.casefold() for name in node.folders}) for node in outer.values()
  )
  if 3 * pairs < 2 * len(outer) * len(inner):
    return 'class'
  if below == 'class' or above == 'part' or not _numbered(inner):
    return 'source'
  if len(inner) >= max(_MANY, 3 * len(outer)):
    return 'class'
  one, two = sorted(outer)[:2]
  raise errors.DataError(
      f'{one}/ and {two}/ hold folders of the same names, such as '
      f'{min(inner)}/: these are classes of several sources (centres), or '
      'groups (patients) of several classes; say which: '
      '--config.data.levels=source/class or class/group (or class, if the '
      'lower ones mean nothing)'
  )


def below_classes(classes: Iterable[Node]) -> str:
  """Returns what folders below classes are: 'source', 'group' or 'part'."""
  classes = list(classes)
  folders = [
      (name, node) for above in classes for name, node in above.folders.items()
  ]
  names = {name for name, _ in folders}
  inside = sum(node.total for _, node in folders)
  told = kind(names)
  if inside < 0.9 * sum(node.total for node in classes):
    return 'part'
  if told:
    return told if told in ('source', 'group') else 'part'
  holding = sum(bool(node.folders) for node in classes)
  several = any(node.total > 1 for _, node in folders)
  numbers = _numbered(names) and len(folders) >= _GROUPS_A_CLASS * holding
  return 'group' if numbers and several else 'part'


def note(level: str, names: Sequence[str]) -> list[str]:
  """Returns lines about a level that was found, and how to overrule it.

  Args:
    level: what its folders are; 'part': nothing that matters.
    names: of its folders.
  """
  some = ', '.join(f'{name}/' for name in names[:2])
  some += ', ...' * (len(names) > 2)
  text = {
      'wrapper': f'{some}: the only folder there, entered',
      'source': (
          f'{some} are read as sources (centres), not as classes; otherwise: '
          '--config.data.levels=class'
      ),
      'group': (
          f'{some} are read as groups (patients), which data.split=grouped '
          'keeps together; otherwise: --config.data.groups=FILE or '
          '--config.data.levels=class'
      ),
      'part': (
          f'folders below the classes, such as {some}, are read as parts of '
          'their class; if each is a patient: '
          '--config.data.levels=class/group'
      ),
  }.get(level)
  return [text] if text else []


def merged(nodes: Mapping[tuple[str, ...], Node]) -> dict[str, Node]:
  """Returns name -> folder, those of the same name taken together."""
  found: dict[str, Node] = {}
  for path, node in nodes.items():
    found[path[-1]] = _joined(found.get(path[-1], Node()), node)
  return found


def _joined(a: Node, b: Node) -> Node:
  names = {**a.folders, **b.folders}
  return Node(
      a.images + b.images,
      {
          name: _joined(
              a.folders.get(name, Node()), b.folders.get(name, Node())
          )
          for name in names
      },
  )


def kind(names: Collection[str]) -> str:
  """Returns what names say they are, or ''."""
  words = [_CAMEL.sub(' ', name).lower() for name in names]
  for meant, share in (
      ('source', 0.5),
      ('group', 0.5),
      ('part', 0.5),
      ('class', 0),
  ):
    # `lesion/` and `no_lesion/` are classes, `lesion1/` is a group.
    told = [word for word in words if meant != 'group' or _DIGIT.search(word)]
    hits = sum(bool(_PATTERNS[meant].search(word)) for word in told)
    if hits > share * len(words):
      return meant
  return ''


def _numbered(names: Collection[str]) -> bool:
  """Whether names differ by numbers alone: p1, p2; 10253, 10254."""
  with_digits = sum(any(c.isdigit() for c in name) for name in names)
  patterns = {re.sub(r'\d+', '#', name) for name in names}
  alike = 2 * len(patterns) <= len(names) or (
      len({len(name) for name in names}) == 1 and len(min(names)) >= 6
  )
  return len(names) > 1 and with_digits >= 0.9 * len(names) and alike
