"""The section of a layer study: what to freeze, curves, layers one by one."""

from collections.abc import Container
from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses

from medxfer import errors
from medxfer.data import registry
from medxfer.report.figures import layer_curves
from medxfer.report.figures import style
from medxfer.report.page import layer_tables
from medxfer.report.read import layer_studies
from medxfer.report.read import titles
from medxfer.report.stats import choices
from medxfer.report.stats import freezing
from medxfer.report.text import advice as advice_lib
from medxfer.report.text import conclusions
from medxfer.report.text import published_shape
from medxfer.report.text import tables
from medxfer.report.text import verdicts as answers_lib


@dataclasses.dataclass(frozen=True, eq=False)
class Section:
  """One study.

  Attributes:
    title: of its section.
    dataset: what its data set is called.
    choice: what to freeze; None where nothing was to choose.
    missing: what could not be said, and why, a sentence each.
    findings: what else the study says, a sentence each.
    tables: curves; against the published shape; layer by layer.
    charts: curves; then layer by layer.
  """

  title: str
  dataset: str
  choice: freezing.Choice | None
  missing: tuple[str, ...]
  findings: tuple[str, ...]
  tables: tuple[tables.Table, ...]
  charts: tuple[style.Chart, ...]


def section(
    study: layer_studies.LayerStudy,
    name: layer_curves.Name,
    advised: Container[str] = (),
) -> Section:
  """Arranges and draws a study.

  Args:
    study: the runs, and what was measured.
    name: stem -> name of a file that no other has.
    advised: data sets of which an advice study says what to freeze.
  """
  sound, missing = study.sound, [_unfinished(study)]
  dataset = titles.dataset_title(study.first.dataset)
  choice = None
  if dataset in advised:
    missing.append('What to fine-tune for these images is said above.')
  else:
    missing.append(_limits(study))
    try:
      choice = freezing.choose(study)
    except errors.DataError as error:
      missing.append(
          f'What to freeze cannot be said: {error}. Test images must not '
          'choose instead.'
      )
  title = _title(study)
  measured = study.measured
  found = [
      layer_tables.curves(study, choice, name('layers_curves')),
      published_shape.table(sound, name('layers_shape')),
  ]
  charts = layer_curves.over_cuts(study, name)
  if measured:
    found.append(layer_tables.layers(study, measured, name('layers')))
    charts += layer_curves.over_layers(
        measured, study.architecture.convolutions, name
    )
  return Section(
      title=title,
      dataset=dataset,
      choice=choice,
      missing=tuple(text for text in missing if text),
      findings=conclusions.sentences(study),
      tables=tuple(t for t in found if t),
      charts=tuple(charts),
  )


def advice(sections: Iterable[Section]) -> tuple[advice_lib.Advice, ...]:
  """Returns what the studies say should train."""
  return tuple(
      advice_lib.Advice(
          f'the study of layers, {one.title}',
          one.choice.choice,
          one.choice.advice,
      )
      for one in sections
      if one.choice
  )


def answers(
    sections: Iterable[Section], advice_: Sequence[advice_lib.Advice]
) -> tuple[answers_lib.Answer, ...]:
  """Returns what the studies say in short; nothing if they chose nothing.

  Args:
    sections: of all studies.
    advice_: what every setting and study says should train.
  """
  lines = []
  for one in sections:
    if one.choice:
      [mine] = (a for a in advice_ if a.choice is one.choice.choice)
      lines.append(
          answers_lib.line(
              one.dataset,
              one.choice.verdict,
              *one.choice.sentences,
              answers_lib.few(one.choice.choice.chosen),
              *one.missing[-1:],
              *advice_lib.otherwise(mine, advice_),
          )
      )
  question = 'What can stay frozen?'
  return (
      (answers_lib.Answer(question, tuple(lines), choices.WORDS),)
      if lines
      else ()
  )


def _title(study: layer_studies.LayerStudy) -> str:
  run, n = study.first, study.first.summary['n']
  height, width = run.spec.data.image_size
  network = titles.network_title(study.architecture)
  return (
      f'{titles.dataset_title(run.dataset)}, '
      f'{f"{network}, " if network else ""}'
      f'{titles.split_title(run.dataset, run.split)}, '
      f'{height}×{width} pixels, {n["train"]:,} images to train on, '
      f'{n["test"]:,} to test'
  )


def _limits(study: layer_studies.LayerStudy) -> str:
  recipe = registry.get(study.first.dataset.name).recipe
  rates = 'one learning rate and ' if study.rates == 1 else ''
  return (
      f'The networks of this study have {rates}one number of images: python -m '
      f'medxfer.study --config=configs/advice.py:{recipe} compares more '
      'strategies at the best rate of each, with fewer images as well.'
  )


def _unfinished(study: layer_studies.LayerStudy) -> str:
  noted = [
      f'{column.first.spec.arm} '
      f'({"; ".join(note.rstrip(".") for note in column.notes)})'
      for column in study.columns.values()
      if column.notes
  ]
  return (
      f'No conclusion is drawn from the networks {", ".join(noted)}.'
      if noted
      else ''
  )
