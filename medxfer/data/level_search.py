"""Finds what the levels of a tree of images mean, from the top down."""

import collections
from collections.abc import Collection
from collections.abc import Mapping
from typing import NamedTuple

from medxfer import errors
from medxfer.data import file_kinds
from medxfer.data import folder_levels
from medxfer.data import subset_names

AUTO = 'auto'


Path = tuple[str, ...]


class Place(NamedTuple):
  """What the folders of an image mean; '' for levels that are not there."""

  class_name: str
  subset: str = ''
  source: str = ''
  group: str = ''


class Search:
  """Searches a tree downwards, all folders of a level at once."""

  def __init__(
      self, root: folder_levels.Node, levels: str, named: Mapping[str, str]
  ):
    self.front: dict[Path, folder_levels.Node] = {(): root}
    self.asked = [] if levels == AUTO else levels.split('/')
    self.guess = levels == AUTO
    self.named = named
    self.levels: list[str] = []
    self.subsets: dict[str, str] = {}  # Of all levels and folders.
    self.seen: dict[str, None] = {}  # From the top down.
    self.parents: tuple[Path, ...] = ()
    self.above: tuple[Path, ...] = ()
    self.unlabelled: set[Path] = set()
    self.masks: set[Path] = set()
    self.notes: dict[str, list[str]] = collections.defaultdict(list)

  def run(self) -> None:
    """Finds the levels down to the last that means something."""
    while 'class' not in self.levels or self.asked:
      self._take(self._kind())
    if 'subset' not in self.levels and self._all_sides(self.front):
      self._take('subset')
    if self.guess:
      self._below()

  def place(self, folders: Path) -> Place | str:
    """Returns what an image's folders mean, or why it is left out."""
    known = dict(zip(self.levels, folders))
    subset = self.subsets.get(known.get('subset', ''), '')
    if 'subset' in known and subset == subset_names.LEFT_OUT:
      return file_kinds.OTHER_SIDE
    for paths, reason in (
        (self.unlabelled, file_kinds.UNLABELLED),
        (self.masks, file_kinds.MASK),
    ):
      if any(folders[: len(path)] == path for path in paths):
        return reason
    if 'class' not in known or ('subset' in self.levels and not subset):
      return file_kinds.OUTSIDE
    group = known.get('group', '')
    source = known.get('source', '')
    # Each clinic numbers its patients from the start.
    group = f'{source}/{group}' if group and source else group
    return Place(known['class'], subset, source, group)

  def _children(self) -> dict[Path, folder_levels.Node]:
    found = {}
    for path, parent in self.front.items():
      masks = _masks(parent)
      self.masks |= {(*path, name) for name in masks}
      found |= {
          (*path, name): node
          for name, node in parent.folders.items()
          if name not in masks
      }
    return found

  def _kind(self) -> str:
    """Returns what the folders below the front are."""
    children = self._children()
    self.seen |= dict.fromkeys(sorted(path[-1] for path in children))
    if not children and 'class' in self.levels:
      raise errors.UsageError(
          'data.levels: the classes hold no folders; give '
          '--config.data.levels=auto'
      )
    if not children:
      _refuse_flat(self.front)
    if (
        'subset' not in self.levels
        and 'class' not in self.levels
        and (self._has_sides(children))
    ):
      return 'subset'
    if 'class' not in self.levels and self._wraps(children):
      return 'wrapper'
    if self.asked:
      return self.asked.pop(0)
    if {'source', 'group'} & set(self.levels):
      return 'class'
    if 'subset' not in self.levels and self._all_sides(children):
      # centre/subset/CLASS, or else CLASS/subset.
      deeper = any(
          subset.folders
          for node in children.values()
          for subset in node.folders.values()
      )
      return 'source' if deeper else 'class'
    return folder_levels.decide(children)

  def _take(self, kind: str) -> None:
    """Moves one level down."""
    children = self._children()
    if kind == 'subset':
      self.above = tuple(self.front)
      children = self._labelled(children)
    elif kind == 'class':
      self.parents = tuple(self.front)
    names = sorted({path[-1] for path in children})
    if self.guess or kind == 'wrapper':
      self.notes[kind] += folder_levels.note(kind, names)
    self.levels.append(kind)
    self.front = children

  def _has_sides(self, children: Mapping[Path, folder_levels.Node]) -> bool:
    """Whether these are published subsets; refuses a mixture with others."""
    names = {path[-1] for path in children}
    found: dict[str, str] = {}
    for parent in self.front.values():
      found |= subset_names.find(parent.folders, self.named)
    others = sorted(names - found.keys())
    if found and others:
      subset = min(found, key=lambda n: (found[n] != 'train', n))
      raise errors.DataError(
          f'{subset}/ is a subset by its name, but {others[0]}/ beside it is '
          f'not and holds images; move {others[0]}/ out, or name the folders '
          'of the subsets: --config.data.subsets=train=FOLDER,test=FOLDER '
          f'(if {subset}/ is a class, give it another name)'
      )
    self.subsets |= found
    return bool(found)

  def _all_sides(self, nodes: Mapping[Path, folder_levels.Node]) -> bool:
    """Whether nothing but subsets lies below each of several folders."""
    found = [
        (node, subset_names.find(node.folders, self.named))
        for node in nodes.values()
    ]
    if len(found) < 2 or not all(
        subsets and subsets.keys() == node.folders.keys()
        for node, subsets in found
    ):
      return False
    for _, subsets in found:
      self.subsets |= subsets
    return True

  def _wraps(self, children: Mapping[Path, folder_levels.Node]) -> bool:
    """Whether each folder holds a single folder, which holds others."""
    deeper = {name for node in children.values() for name in node.folders}
    if folder_levels.kind(deeper) == 'group':
      return False  # A class alone, over its patients.
    alone = len(children) == len({path[:-1] for path in children})
    return (
        alone
        and len(children) == len(self.front)
        and all(node.folders for node in children.values())
        and not any(node.images for node in self.front.values())
    )

  def _labelled(
      self, children: dict[Path, folder_levels.Node]
  ) -> dict[Path, folder_levels.Node]:
    """Leaves out subsets without labels, as the test images of competitions."""
    train = {
        name
        for path, node in children.items()
        if self.subsets[path[-1]] == 'train'
        for name in node.folders
    }
    kept = {}
    for path, node in children.items():
      subset = self.subsets[path[-1]]
      alone = len(node.folders) == 1 and not train & node.folders.keys()
      bare = (
          not node.folders
          or alone
          and not any(below.folders for below in node.folders.values())
      )
      if subset == subset_names.LEFT_OUT:
        continue
      if bare and 'class' not in self.levels and subset != 'train' and train:
        self.unlabelled.add(path)
        self.notes['subset'].append(
            f'{"/".join(path)}/ has no folders of classes: its '
            f'{node.total:,} images have no label and are left out'
        )
      else:
        kept[path] = node
    return kept

  def _below(self) -> None:
    """Decides what the folders below the classes are."""
    while children := self._children():
      kind = folder_levels.below_classes(self.front.values())
      if kind == 'source' and 'source' not in self.levels:
        self._take(kind)
      elif kind == 'group' and 'group' not in self.levels:
        self._take(kind)
      elif 'group' in self.levels:
        break
      else:
        # A folder alone, such as CLASS/images/, is no choice.
        if 'part' not in self.notes and (
            len(children) > len(self.front)
            or any(node.images for node in self.front.values())
        ):
          self.notes['part'] += folder_levels.note(
              'part', sorted('/'.join(path) for path in children)
          )
        self.levels.append('part')
        self.front = children


def _masks(parent: folder_levels.Node) -> set[str]:
  """Returns folders of masks beside a folder that has the same folders."""
  masks = {
      name for name in parent.folders if file_kinds.is_folder_of_masks(name)
  }
  return {
      name
      for name in masks
      if any(
          parent.folders[name].folders.keys() == node.folders.keys() != set()
          for other, node in parent.folders.items()
          if other not in masks
      )
  }


def _refuse_flat(front: Mapping[Path, folder_levels.Node]) -> None:
  count = sum(node.images for node in front.values())
  places = listed(sorted('/'.join(path) or '.' for path in front))
  raise errors.DataError(
      f'{count:,} images lie in {places} itself and in no folder of a class; '
      'put them into one folder per class, named like it (CLASS/*.jpg)'
  )


def listed(names: Collection[str]) -> str:
  first = ', '.join(list(names)[:3])
  return first + ', ...' * (len(names) > 3) or 'no folder'
