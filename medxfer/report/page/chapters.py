"""The chapter of a data set: its images, a part a setting, a checklist."""

from collections.abc import Sequence
import dataclasses

from medxfer.report.figures import class_counts
from medxfer.report.figures import decision_curve
from medxfer.report.figures import diagnosis
from medxfer.report.figures import explained
from medxfer.report.figures import style
from medxfer.report.figures import training_curves
from medxfer.report.page import names as names_lib
from medxfer.report.read import finished_run
from medxfer.report.read import settings as settings_lib
from medxfer.report.read import titles
from medxfer.report.text import averages
from medxfer.report.text import cautions
from medxfer.report.text import comparisons
from medxfer.report.text import elsewhere
from medxfer.report.text import leaks
from medxfer.report.text import points
from medxfer.report.text import positive_class
from medxfer.report.text import subgroups
from medxfer.report.text import tables
from medxfer.report.text import verdicts as answers_lib
from medxfer.report.text.checklists import about
from medxfer.report.text.checklists import checklist

_DIAGNOSES = (
    diagnosis.confusion,
    diagnosis.reliability,
    diagnosis.roc,
    decision_curve.decision,
)


@dataclasses.dataclass(frozen=True, eq=False)
class Other:
  """A column that does not stand for its setting, under its title."""

  title: str
  tables: tuple[tables.Table, ...]
  charts: tuple[style.Chart, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
  """One setting.

  Attributes:
    title: of its section.
    tables: the F1 scores; further measures; pairs of networks.
    charts: training curves.
    cautions: what a reader must know before the numbers, a sentence each.
    shown: the title of the column that stands for it; see `answers.shown`.
    diagnoses: what that column gets wrong.
    others: what the other columns get wrong.
  """

  title: str
  tables: tuple[tables.Table, ...]
  charts: tuple[style.Chart, ...]
  cautions: tuple[str, ...]
  shown: str
  diagnoses: tuple[style.Chart, ...]
  others: tuple[Other, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class Chapter:
  """One data set: how many images, a part a setting, what journals ask."""

  title: str
  distribution: style.Chart
  parts: tuple[Part, ...]
  checklist: tables.Table


def chapter(
    dataset: finished_run.Dataset,
    alike: Sequence[settings_lib.Setting],
    names: names_lib.Names,
    seen: explained.Explained,
) -> Chapter:
  """Arranges and draws a data set.

  Args:
    dataset: which.
    alike: its settings.
    names: of files.
    seen: what was explained by heat maps.
  """
  return Chapter(
      titles.dataset_title(dataset),
      class_counts.distribution(_first_run(alike), names.classes(dataset)),
      tuple(_part(setting, names) for setting in alike),
      _checklist(alike, names, seen),
  )


def _checklist(
    alike: Sequence[settings_lib.Setting],
    names: names_lib.Names,
    seen: explained.Explained,
) -> tables.Table:
  """Returns the checklist of the setting that answers for a data set."""
  [setting] = answers_lib.chosen(alike, trees_alone=True)
  centres = {
      column.first.spec.data.test_source: None
      for one in alike
      for column in one.columns
      if column.first.spec.data.test_source
  }
  return checklist.table(
      about.About(
          column=answers_lib.shown(setting),
          setting=setting,
          centres=tuple(centres),
          is_drawn=setting.dataset in seen.datasets,
      ),
      names.setting(setting, 'checklist'),
  )


def _part(setting: settings_lib.Setting, names: names_lib.Names) -> Part:
  best, notes = cautions.choice(setting)
  found = [
      tables.f1_table(setting, names.setting(setting), best, notes),
      comparisons.measures(setting, names.setting(setting, 'measures')),
      averages.table(setting, names.setting(setting, 'averages')),
      leaks.table(setting, names.setting(setting, 'copies')),
      elsewhere.table(setting, names.setting(setting, 'elsewhere')),
      points.table(setting, names.setting(setting, 'operating_points')),
      comparisons.pairs(setting, names.setting(setting, 'pairs')),
  ]
  curve = training_curves.training(setting, names.setting(setting, 'training'))
  shown = answers_lib.shown(setting)
  worth = {column: _worth(setting, column, names) for column in setting.columns}
  diagnoses = {
      column: _diagnoses(setting, column, names) for column in setting.columns
  }
  return Part(
      title=setting.title[:1].upper() + setting.title[1:],
      tables=tuple(table for table in (*found, *worth[shown]) if table),
      charts=(curve,) if curve else (),
      cautions=tuple(cautions.sentences(setting)),
      shown=shown.title,
      diagnoses=diagnoses[shown],
      others=tuple(
          Other(column.title, worth[column], diagnoses[column])
          for column in setting.columns
          if column is not shown
      ),
  )


def _worth(
    setting: settings_lib.Setting,
    column: settings_lib.Column,
    names: names_lib.Names,
) -> tuple[tables.Table, ...]:
  arm = titles.slug(column.arm)
  found = (
      positive_class.table(
          setting, column, names.setting(setting, f'classes_{arm}')
      ),
      subgroups.table(
          setting, column, names.setting(setting, f'subgroups_{arm}')
      ),
  )
  return tuple(table for table in found if table)


def _diagnoses(
    setting: settings_lib.Setting,
    column: settings_lib.Column,
    names: names_lib.Names,
) -> tuple[style.Chart, ...]:
  arm = titles.slug(column.arm)
  found = (
      draw(column, names.setting(setting, f'{draw.__name__}_{arm}'))
      for draw in _DIAGNOSES
  )
  return tuple(chart for chart in found if chart)


def _first_run(settings: Sequence[settings_lib.Setting]) -> finished_run.Run:
  """A network's run if there is one: trees have no validation images."""
  columns = [c for s in settings for c in (s.networks or s.columns)]
  return columns[0].first
