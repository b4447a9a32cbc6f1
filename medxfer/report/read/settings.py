"""Runs side by side: what makes a table, what makes a column.

A setting is what all columns of a table share: data set, split, recipe,
architecture and image size. A column is one specification; its seeds are
repeats. Trees and forests know no recipe, so they stand in every table of their
data and split.
"""

from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
import functools

from medxfer import spec as specs
from medxfer.data import registry
from medxfer.model import architectures
from medxfer.model import trainable
from medxfer.report.read import finished_run
from medxfer.report.read import recipes
from medxfer.report.read import thesis
from medxfer.report.read import titles
from medxfer.training import strategy

# Arms in the order of both tables; others follow by name.
_ORDER = (
    'decision_tree',
    'random_forest',
    'random',
    'all',
    'imagenet',
    'ham',
    'last_block',
    'first_block',
    'first_last',
    'head',
)
_TITLES = {**thesis.TABLES['7.2'].columns, **thesis.TABLES['7.1'].columns}


@dataclasses.dataclass(frozen=True, eq=False)
class Column:
  """Runs that differ in nothing but their seed.

  Attributes:
    arm: the name of the configuration arm.
    title: its heading; unlike those of its neighbours.
    group: the heading above several.
    runs: by ascending seed.
    published: row -> what the thesis printed, or None.
  """

  arm: str
  title: str
  group: str
  runs: tuple[finished_run.Run, ...]
  published: Mapping[str, float] | None

  @property
  def first(self) -> finished_run.Run:
    """The run with the lowest seed, which figures show."""
    return self.runs[0]

  @property
  def notes(self) -> tuple[str, ...]:
    """Why no conclusion is drawn from it: a run's training notes."""
    return tuple(dict.fromkeys(note for run in self.runs for note in run.notes))

  @property
  def few(self) -> dict[str, int]:
    """Class -> test images, of the classes that have too few in a run."""
    found: dict[str, int] = {}
    for run in self.runs:
      for name, count in run.few.items():
        found[name] = min(count, found.get(name, count))
    return found

  @property
  def trained(self) -> frozenset[str]:
    """The layers that trained; none of a tree."""
    if self.first.is_baseline:
      return frozenset()
    return frozenset(strategy.resolve(self.first.spec).trained)


@dataclasses.dataclass(frozen=True, eq=False)
class Setting:
  """What all columns of one table share, and the columns."""

  dataset: finished_run.Dataset
  split: str
  recipe: tuple[str, ...]
  architecture: architectures.Architecture | None
  image_size: tuple[int, int]
  columns: tuple[Column, ...]

  @property
  def network(self) -> str:
    """What its architecture is called, see `network_title`."""
    return titles.network_title(self.architecture)

  @property
  def title(self) -> str:
    """Split, architecture, recipe and image size in words."""
    height, width = self.image_size
    network = f'{self.network}, ' if self.network else ''
    return (
        f'{titles.split_title(self.dataset, self.split)}, {network}'
        f'{recipes.title(self.recipe)} recipe, {height}×{width} pixels'
    )

  @property
  def slug(self) -> str:
    """The same, for a file's name."""
    return titles.slug(
        f'{self.split} {" ".join(self.recipe)} {self.image_size[0]}'
        f'{" phantom" if self.dataset.phantom else ""}'
        f' {self.network}'
    )

  @functools.cached_property
  def networks(self) -> tuple[Column, ...]:
    """The columns that are no trees."""
    return tuple(c for c in self.columns if not c.first.is_baseline)

  def column(self, *arms: str) -> Column | None:
    """Returns the first column of one of these arms that trains all layers."""
    for column in self.networks:
      spec = column.first.spec
      if (
          column.arm in arms
          and spec.model.trainable == 'all'
          and strategy.is_plain(spec)
      ):
        return column
    return None

  @property
  def pretrained(self) -> Column | None:
    """The column that started from ImageNet and trains all layers."""
    return self.column('all', 'imagenet')

  @property
  def random(self) -> Column | None:
    """The column that started from random weights and trains all layers."""
    return self.column('random')


def arrange(runs: Iterable[finished_run.Run]) -> tuple[Setting, ...]:
  """Returns the settings: real images first, then by data set and split."""
  tables, trees = {}, {}
  for run in runs:
    place = (run.dataset, run.split)
    if run.is_baseline:
      trees.setdefault(place, []).append(run)
    else:
      key = (
          *place,
          recipes.of(run.spec),
          run.architecture,
          run.spec.data.image_size,
      )
      tables.setdefault(key, []).append(run)
  for place, baselines in trees.items():
    if not any(key[:2] == place for key in tables):
      tables[(*place, (), None, baselines[0].spec.data.image_size)] = []
  settings = [
      Setting(
          dataset,
          split,
          recipe,
          architecture,
          size,
          _columns(dataset, networks + trees.get((dataset, split), [])),
      )
      for (
          dataset,
          split,
          recipe,
          architecture,
          size,
      ), networks in tables.items()
  ]
  return tuple(sorted(settings, key=_rank))


def _rank(setting: Setting) -> tuple[object, ...]:
  dataset = setting.dataset
  return (
      bool(dataset.phantom),
      registry.NAMES.index(dataset.name),
      dataset.folder,
      dataset.digest,
      dataset.class_names,
      dataset.phantom,
      tuple(titles.SPLITS).index(setting.split.partition(':')[0]),
      setting.split,
      setting.network,
      -len(setting.columns),
      setting.recipe,
      setting.image_size,
  )


def _columns(
    dataset: finished_run.Dataset, runs: Iterable[finished_run.Run]
) -> tuple[Column, ...]:
  alike: dict[specs.RunSpec, list[finished_run.Run]] = {}
  for run in runs:
    alike.setdefault(run.identity, []).append(run)
  columns = [
      _column(dataset, sorted(group, key=lambda run: run.spec.seed))
      for group in alike.values()
  ]
  columns.sort(
      key=lambda column: (
          column.arm not in _ORDER,
          _ORDER.index(column.arm) if column.arm in _ORDER else 0,
          column.arm,
          column.first.name,
      )
  )
  return tuple(_told_apart(columns))


def _column(
    dataset: finished_run.Dataset, runs: list[finished_run.Run]
) -> Column:
  spec = runs[0].spec
  arm = spec.model.name if runs[0].is_baseline else spec.arm
  table = thesis.table(dataset.name)
  printed = table.columns.get(arm) if table else None
  known = printed or _TITLES.get(arm)
  title = known.title if known else arm.replace('_', ' ') or 'unnamed arm'
  if arm == 'head':
    title = 'Head alone trainable'
  as_known = (
      runs[0].is_baseline
      or arm == 'head'
      or (known and _same_layers(known.trainable, spec))
  ) and (runs[0].is_baseline or strategy.is_plain(spec))
  if not as_known:
    title = f'{title}, {_scope(spec)}'
  if runs[0].is_baseline or spec.model.init_from == 'random':
    group = thesis.BASELINE_MODELS
  else:
    group = table.transferred if table else 'Transferred models'
  # What phantoms or another network score says nothing about the thesis.
  is_same = (
      as_known
      and not dataset.phantom
      and (runs[0].is_baseline or spec.model.name == thesis.NETWORK)
  )
  shown = printed.f1 if printed and is_same else None
  return Column(arm, title, group, tuple(runs), shown)


def _same_layers(patterns: str, spec: specs.RunSpec) -> bool:
  """Whether a network trains what the thesis says of its last block, too."""
  plan = strategy.resolve(spec)
  last = list(plan.architecture.blocks)[-1]
  patterns = patterns.replace(thesis.LAST_BLOCK, last)
  return trainable.resolve(patterns, plan.architecture) == plan.trained


def _scope(spec: specs.RunSpec) -> str:
  """Returns what trains, one stage after the other, and at which rates."""
  patterns = (stage.model.trainable for stage in strategy.stages(spec))
  text = ', then '.join(
      'head' if one == 'none' else one.replace(',', ' and ') for one in patterns
  )
  text += ' trainable'
  if spec.optimizer.layer_decay != 1:
    text += f', each block at {spec.optimizer.layer_decay:g} of the next'
  return text + ', by relative gradient' * spec.optimizer.relative_gradient


def _told_apart(columns: list[Column]) -> list[Column]:
  """Adds to equal titles the keys in which their specifications differ."""
  answer = []
  for column in columns:
    equals = [c for c in columns if c.title == column.title]
    if len(equals) > 1:
      keys = sorted(
          {
              line.split(':')[0]
              for other in equals
              for line in specs.difference(
                  column.first.identity.to_json(),
                  other.first.identity.to_json(),
              )
          }
      )
      values = ', '.join(
          f'{key} {recipes.value_of(column.first.identity, key)}'
          for key in keys
      )
      column = dataclasses.replace(column, title=f'{column.title} ({values})')
    answer.append(column)
  return answer
