"""The contents of a report in order: from runs to tables and figures."""

from collections.abc import Iterable
import dataclasses

from medxfer.model import architectures
from medxfer.report.figures import architecture_diagram
from medxfer.report.figures import explained
from medxfer.report.figures import style
from medxfer.report.page import advice_study
from medxfer.report.page import chapters as chapters_lib
from medxfer.report.page import layer_study
from medxfer.report.page import names as names_lib
from medxfer.report.read import collect
from medxfer.report.read import finished_run
from medxfer.report.read import settings as settings_lib
from medxfer.report.text import comparisons
from medxfer.report.text import run_list
from medxfer.report.text import sources
from medxfer.report.text import tables
from medxfer.report.text import verdicts as answers_lib


@dataclasses.dataclass(frozen=True, eq=False)
class Contents:
  """Everything that is shown.

  Attributes:
    collection: the runs, and what was left out.
    answers: the first screen.
    phantoms: whether procedural images are among the data.
    chapters: one per data set.
    layers, advices: one per study.
    comparisons: leakage and pixels, where there are twins.
    networks: what trained in each arm, one of each architecture.
    explained: pictures, and why some are missing.
    runs: the list of runs.
  """

  collection: collect.Collection
  answers: tuple[answers_lib.Answer, ...]
  phantoms: bool
  chapters: tuple[chapters_lib.Chapter, ...]
  layers: tuple[layer_study.Section, ...]
  advices: tuple[advice_study.Section, ...]
  comparisons: tuple[tables.Table, ...]
  networks: tuple[style.Chart, ...]
  explained: explained.Explained
  runs: tables.Table

  def tables(self) -> tuple[tables.Table, ...]:
    """Returns all tables, in the order of the page."""
    found = [
        t
        for c in self.chapters
        for p in c.parts
        for t in (*p.tables, *(t for other in p.others for t in other.tables))
    ]
    found += [chapter.checklist for chapter in self.chapters]
    for section in (*self.advices, *self.layers):
      found += section.tables
    return (*found, *self.comparisons, self.runs)

  def charts(self) -> tuple[style.Chart, ...]:
    """Returns all figures that are drawn, in the order of the page."""
    found = [*self.networks]
    for chapter in self.chapters:
      found.append(chapter.distribution)
      for part in chapter.parts:
        found += [*part.charts, *part.diagnoses]
        found += [chart for other in part.others for chart in other.charts]
    for section in (*self.advices, *self.layers):
      found += section.charts
    return tuple(found)


def make(collection: collect.Collection) -> Contents:
  """Arranges, computes and draws a report."""
  settings = settings_lib.arrange(collection.runs)
  names = names_lib.Names(settings)
  seen = explained.explain(answers_lib.chosen(settings))
  chapters = tuple(
      chapters_lib.chapter(dataset, alike, names, seen)
      for dataset, alike in _by_dataset(settings).items()
  )
  advices = tuple(
      advice_study.section(study, names) for study in collection.advices
  )
  # One answer per data set: that of the study that is fair to all strategies.
  advised = {section.dataset for section in advices}
  sections = tuple(
      layer_study.section(study, names.study(study), advised)
      for study in collection.studies
  )
  found = (
      comparisons.leakage(settings, 'leakage'),
      comparisons.pixels(settings, 'pixels'),
      sources.table(settings, 'sources'),
  )
  advice = (*answers_lib.advice(settings), *layer_study.advice(sections))
  return Contents(
      collection=collection,
      answers=(
          *advice_study.answers(advices),
          *answers_lib.answers(settings, advice, advised),
          *layer_study.answers(sections, advice),
      ),
      phantoms=any(run.dataset.phantom for run in collection.all_runs)
      or any(study.data.phantom for study in collection.advices),
      chapters=chapters,
      layers=sections,
      advices=advices,
      comparisons=tuple(table for table in found if table),
      networks=_networks(settings, names),
      explained=seen,
      runs=run_list.runs(collection, 'runs'),
  )


def _networks(
    settings: Iterable[settings_lib.Setting], names: names_lib.Names
) -> tuple[style.Chart, ...]:
  """Draws what trained, a figure per architecture."""
  alike: dict[architectures.Architecture, list[settings_lib.Column]] = {}
  for setting in settings:
    if setting.architecture:
      alike.setdefault(setting.architecture, []).extend(setting.networks)
  return tuple(
      architecture_diagram.network(
          architecture, columns, names.free('figure_6_1')
      )
      for architecture, columns in alike.items()
  )


def _by_dataset(
    settings: Iterable[settings_lib.Setting],
) -> dict[finished_run.Dataset, list[settings_lib.Setting]]:
  answer: dict[finished_run.Dataset, list[settings_lib.Setting]] = {}
  for setting in settings:
    answer.setdefault(setting.dataset, []).append(setting)
  return answer
