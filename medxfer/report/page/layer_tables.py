"""The tables of a layer study."""

from collections.abc import Iterator

from medxfer.evaluation import measure
from medxfer.evaluation import rank_correlation
from medxfer.report.figures import layer_curves
from medxfer.report.read import estimates
from medxfer.report.read import layer_measures
from medxfer.report.read import layer_studies
from medxfer.report.stats import freezing
from medxfer.report.text import tables
from medxfer.study import layer_arms


def curves(
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
  if study.rates > 1:
    notes.append(
        f'Of {study.rates} learning rates each network has the one that is '
        'best on validation images of its first seed.'
    )
  blocks = study.single_blocks
  if blocks:
    notes.append(
        'One block alone trains, all from ImageNet: '
        + ', '.join(
            f'block {number}: {estimates.f1_macro(column).text()}'
            for number, column in blocks.items()
        )
        + '.'
    )
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


def layers(
    study: layer_studies.LayerStudy,
    measured: layer_measures.Measured,
    name: str,
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
  notes += [*_agreements(measured), *_scores(study, measured)]
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
          for layer in study.architecture.convolutions
      ),
      tuple(notes),
  )


def _agreements(measured: layer_measures.Measured) -> Iterator[str]:
  """Yields whether the index says what trainings say."""
  for source, found in measured.agreement.items():
    for key, words in (
        ('frozen', 'the score with its layers frozen'),
        ('freezing', 'what freezing brings against fine-tuning them'),
    ):
      correlation, cuts = found[key]
      if correlation is not None:
        shown = rank_correlation.with_interval(correlation, cuts)
        yield _correlated(
            f'The index of {layer_studies.called(source)} and {words}',
            shown,
            cuts,
        )


def _scores(
    study: layer_studies.LayerStudy, measured: layer_measures.Measured
) -> Iterator[str]:
  """Yields whether LogME and H-score say what trainings say."""
  convolutions = study.architecture.convolutions
  for source in measured.index:
    curve = study.curve(layer_arms.FROZEN, source)
    for title, key in (('LogME', 'log_me'), ('H-score', 'h_score')):
      by_layer = measured.diagnostics[key][source]
      found = [
          (score.value, estimates.f1_macro(column).value)
          for count, column in curve.items()
          if (score := by_layer[convolutions[count - 1]])
      ]
      if len(found) > 1:
        shown = rank_correlation.spearman(*map(list, zip(*found)))
        if shown.value is not None:
          yield _correlated(
              f'{title} of {layer_studies.called(source)} and the score with '
              'its layers frozen',
              shown,
              len(found),
          )


def _correlated(what: str, shown: measure.Measure, cuts: int) -> str:
  assert shown.value is not None
  low, high = shown.interval or (None, None)
  text = estimates.Estimate(shown.value, low, high).text(2, signed=True)
  return f'{what}: rank correlation {text} over {cuts} cuts.'
