"""What the folders of a tree of images mean: subsets, sources, classes, groups.

Some levels of folders are told by their names: published subsets by
`subset_names`; a wrapper is the only folder of its level. The others are told
from one another by `folder_levels`. This is a guess, so
that what was found is printed, and `data.levels` overrules it.

Only names are looked at here, no file.
"""

from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses

from medxfer import errors
from medxfer.data import folder_levels
from medxfer.data import level_search


@dataclasses.dataclass(frozen=True, eq=False)
class Layout:
  """What a tree of images means.

  Attributes:
    levels: what the folders of each level are, from the top: wrapper, subset,
      source, class, group or part, which means nothing, as do those further
      down.
    places: image id -> what its folders say.
    left_out: image id -> why it is in no class, as a noun.
    parents: folders that hold the folders of classes.
    above: folders that hold the folders of subsets.
    notes: level -> what was found there, and how to overrule it; lines.
  """

  levels: tuple[str, ...]
  places: Mapping[str, level_search.Place]
  left_out: Mapping[str, str]
  parents: tuple[str, ...]
  above: tuple[str, ...]
  notes: Mapping[str, tuple[str, ...]]

  @property
  def class_names(self) -> tuple[str, ...]:
    """The classes in order of their names."""
    return tuple(sorted({place.class_name for place in self.places.values()}))


def find(
    ids: Iterable[str],
    *,
    levels: str = level_search.AUTO,
    named: Mapping[str, str] | None = None,
) -> Layout:
  """Decides what each level of folders means.

  Args:
    ids: paths of images, '/' between their parts.
    levels: 'auto', or what the levels are, subsets and wrappers aside, such as
      'source/class/group'.
    named: folder -> subset, for subsets of unusual names.

  Raises:
    DataError: the folders can be read in no way, or in two.
    UsageError: a subset that was named is not there.
  """
  ids = list(ids)
  named = named or {}
  search = level_search.Search(folder_levels.tree(ids), levels, named)
  try:
    search.run()
  except errors.DataError:
    # A folder that is nowhere may be why the others make no sense.
    if named.keys() <= {part for name in ids for part in name.split('/')}:
      raise
  missing = sorted(named.keys() - search.subsets.keys())
  if missing:
    raise errors.UsageError(
        f'data.subsets: no folder {missing[0]!r} beside the classes or above '
        f'them holds an image; there is {level_search.listed(search.seen)}'
    )
  places, left_out = {}, {}
  for name in ids:
    place = search.place(tuple(name.split('/')[:-1]))
    (left_out if isinstance(place, str) else places)[name] = place
  return Layout(
      tuple(search.levels),
      places,
      left_out,
      tuple(map('/'.join, search.parents)),
      tuple(map('/'.join, search.above)),
      {kind: tuple(lines) for kind, lines in search.notes.items()},
  )
