"""The section of a layer study: what to freeze, curves, layers one by one."""

from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses

from medxfer import errors
from medxfer.report.figures import layer_curves
from medxfer.report.figures import style
from medxfer.report.read import estimates
from medxfer.report.read import layer_measures
from medxfer.report.read import layer_studies
from medxfer.report.read import titles
from medxfer.report.stats import choices
from medxfer.report.stats import freezing
from medxfer.report.text import advice as advice_lib
from medxfer.report.text import conclusions
from medxfer.report.text import published_shape
from medxfer.report.text import tables
from medxfer.report.text import verdicts as answers_lib
from medxfer.study import layer_arms


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
    study: layer_studies.LayerStudy, name: layer_curves.Name
) -> Section:
  """Arranges and draws a study.

  Args:
    study: the runs, and what was measured.
    name: stem -> name of a file that no other has.
  """
  sound, missing = study.sound, [_unfinished(study)]
  choice = None
  try:
    choice = freezing.choose(study)
  except errors.DataError as error:
    missing.append(
        f'What to freeze cannot be said: {error}. Test images must not choose '
        'instead.'
    )
  title = _title(study)
  measured = study.measured
  found = [
      _curves(study, choice, name('layers_curves')),
      published_shape.table(sound, name('layers_shape')),
  ]
  charts = layer_curves.over_cuts(study, name)
  if measured:
    found.append(
        _layers(measured, study.architecture.convolutions, name('layers'))
    )
    charts += layer_curves.over_layers(
        measured, study.architecture.convolutions, name
    )
  return Section(
      title=title,
      dataset=titles.dataset_title(study.first.dataset),
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


def _curves(
    study: layer_studies.LayerStudy, choice: freezing.Choice | None, name: str
) -> tables.Table:
  """Returns the macro F1 of every arm, a row a number of layers."""
  columns = [
      (f'{layer_studies.called(source)}, {word}', study.curve(kind, source))
      for kind, word in (
          (layer_arms.FROZEN, 'frozen'),
          (layer_arms.TUNED, 'tuned'),
      )
      for source in study.sources
      if study.curve(kind, source)
  ]
  columns.append(('Last layers train', freezing.unfrozen(study)))
  counts = sorted({count for _, curve in columns for count in curve})
  return tables.Table(
      name,
      'Macro F1 of every network of the study',
      (),
      ('Layers', *(title for title, _ in columns)),
      tuple(
          (
              tables.figure(count, 0),
              *(
                  tables.spread(
                      estimates.f1_macro(curve[count])
                      if count in curve
                      else None
                  )
                  for _, curve in columns
              ),
          )
          for count in counts
      ),
      tuple(_notes(study, choice)),
  )


def _notes(
    study: layer_studies.LayerStudy, choice: freezing.Choice | None
) -> list[str]:
  """Returns what stands below the table of `_curves`."""
  notes = [
      'Rows: how many of the first layers are transferred; the others start '
      'at random. In the last column, how many of the last layers train, all '
      'from ImageNet. The head always trains.'
  ]
  base, statistics = (
      study.column(layer_arms.BASE),
      study.column(layer_arms.STATISTICS, layer_arms.IMAGENET, study.whole),
  )
  if base:
    notes.append(
        f'Everything from random weights: {estimates.f1_macro(base).text()}.'
    )
  if statistics:
    notes.append(
        'Of ImageNet’s layers mean and variance alone: '
        f'{estimates.f1_macro(statistics).text()}.'
    )
  if choice:
    notes.append(
        'Fraction of the resampled sets of validation images that choose so '
        'many last layers to train: '
        + ', '.join(
            f'{trained}: {100 * fraction:.0f} %'
            for trained, fraction in choice.fractions.items()
        )
        + '.'
    )
  return notes


def _layers(
    measured: layer_measures.Measured, layers: Sequence[str], name: str
) -> tables.Table:
  """Returns everything that was measured, one row per layer."""
  scores = measured.diagnostics
  groups = {
      'Index': measured.index,
      'Probe': measured.probes,
      'LogME': {source: scores['log_me'][source] for source in measured.index},
      'H-score': {
          source: scores['h_score'][source] for source in measured.index
      },
      'Moved': measured.moved,
      'CKA': {
          line.title: line.values for line in layer_curves.similar(measured)
      },
      'Lost if put back': measured.put_back,
  }
  columns = {
      f'{measure}, {layer_studies.called(network)}': values
      for measure, found in groups.items()
      for network, values in found.items()
  }
  notes = [
      'Index: (T − R) / (max(T, O) − R), not below 0, of the macro F1 of '
      'probes on the transferred layer (T), on the same layer after '
      'fine-tuning (O) and on random filters (R). – where random filters '
      'serve as well. Its interval says how sure that is.',
      'The probes of networks that were trained here learn from the images '
      'that trained the network, which it knows too well: on new images such '
      'a probe would do better. Their scores (O) are then too low, and the '
      'index too high.',
      'LogME and H-score are cheap diagnostics from training images; '
      'higher promises better transfer.',
  ]
  for source, found in measured.agreement.items():
    for key, words in (
        ('frozen', 'the score with its layers frozen'),
        ('freezing', 'what freezing brings against fine-tuning them'),
    ):
      correlation, cuts = found[key]
      if correlation is not None:
        notes.append(
            f'The index of {layer_studies.called(source)} and {words}: rank '
            f'correlation {estimates.number(correlation, 2)} over {cuts} cuts.'
        )
  return tables.Table(
      name,
      'Layer by layer',
      (),
      ('Layer', *columns),
      tuple(
          (
              tables.words(layer),
              *(tables.spread(values[layer]) for values in columns.values()),
          )
          for layer in layers
      ),
      tuple(notes),
  )
