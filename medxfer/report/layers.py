"""The section of a layer study: what to freeze, curves, layers one by one."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses

from medxfer import errors
from medxfer.model import layers
from medxfer.report import answers as answers_lib
from medxfer.report import estimates
from medxfer.report import findings
from medxfer.report import freezing
from medxfer.report import layer_studies
from medxfer.report import published_shape
from medxfer.report import settings as settings_lib
from medxfer.report import tables
from medxfer.report.charts import by_layer
from medxfer.report.charts import style
from medxfer.study import curves

# Colours, the same wherever a network is drawn; another task's come third.
_ROLES = {curves.IMAGENET: 0, curves.OWN: 1, curves.RANDOM: 3,
          f'{curves.TUNED}_{curves.IMAGENET}': 4}
_OTHER, _OTHER_TUNED, _TWO_TASKS = 2, 5, 6
# Stem of a file -> a name that no other file of the report has.
_Name = Callable[[str], str]


@dataclasses.dataclass(frozen=True, eq=False)
class Section:
  """One study.

  Attributes:
    title: of its section.
    dataset: what its data set is called.
    choice: what to freeze; None where nothing was to choose.
    missing: why it could not be chosen, or ''.
    findings: what else the study says, a sentence each.
    tables: curves; against the published shape; layer by layer.
    charts: curves; then layer by layer.
  """

  title: str
  dataset: str
  choice: freezing.Choice | None
  missing: str
  findings: tuple[str, ...]
  tables: tuple[tables.Table, ...]
  charts: tuple[style.Chart, ...]


def section(study: layer_studies.LayerStudy, name: _Name) -> Section:
  """Arranges and draws a study.

  Args:
    study: the runs, and what was measured.
    name: stem -> name of a file that no other has.
  """
  choice, missing = None, ''
  try:
    choice = freezing.choose(study)
  except errors.DataError as error:
    missing = f'What to freeze cannot be said: {error}.'
  spec = study.first.spec
  height, width = spec.data.image_size
  n = study.first.summary['n']
  title = (
      f'{settings_lib.dataset_title(study.first.dataset)}, '
      f'{settings_lib.split_title(study.first.dataset, spec.data.split)}, '
      f'{height}×{width} pixels, {n["train"]:,} images to train on, '
      f'{n["test"]:,} to test')
  measured = study.measured
  found = [_curves(study, choice, name('layers_curves')),
           published_shape.table(study, name('layers_shape'))]
  charts = _curve_charts(study, name)
  if measured:
    found.append(_layers(measured, name('layers')))
    charts += _layer_charts(measured, name)
  return Section(
      title=title, dataset=settings_lib.dataset_title(study.first.dataset),
      choice=choice, missing=missing, findings=findings.sentences(study),
      tables=tuple(t for t in found if t), charts=tuple(charts))


def answers(
    sections: Iterable[Section],
) -> tuple[answers_lib.Answer, ...]:
  """Returns what the studies say in short; nothing if they chose nothing."""
  lines = tuple(
      answers_lib.Line(one.dataset, one.choice.verdict, one.choice.numbers)
      for one in sections if one.choice)
  question = 'What can stay frozen?'
  return (answers_lib.Answer(question, lines),) if lines else ()


def _curve_charts(
    study: layer_studies.LayerStudy, name: _Name
) -> list[style.Chart]:
  base = study.column(curves.BASE)
  start = {0: _f1(base)} if base else {}
  charts = []
  for kind, title, caption in (
      (curves.FROZEN, 'Frozen transfer',
       'The first layers come from a source and stay as they are; the rest '
       'begins at random and trains. Where a curve falls below its left end, '
       'frozen layers cost more than they bring.'),
      (curves.TUNED, 'Fine-tuned transfer',
       'The first layers come from a source; the rest begins at random, and '
       'everything trains.')):
    lines = [
        _line(source, {**start, **_values(study.curve(kind, source))})
        for source in study.sources if study.curve(kind, source)]
    if lines:
      charts.append(by_layer.over_counts(
          name(f'layers_{kind}'), title,
          f'{caption} 0: everything from random weights. Bars: 95 % intervals, '
          'or the standard deviation over seeds.',
          'transferred layers', lines))
  unfrozen = freezing.unfrozen(study)
  if len(unfrozen) > 1:
    charts.append(by_layer.over_counts(
        name('layers_unfrozen'), 'Unfreezing',
        'All layers come from ImageNet; the head and so many of the last '
        'layers train. Where the curve is flat, training more pays nothing.',
        'last layers that train',
        [_line(curves.IMAGENET, _values(unfrozen))]))
  return charts


def _layer_charts(
    measured: layer_studies.Measured, name: _Name
) -> list[style.Chart]:
  return [
      by_layer.over_layers(
          name('layers_probes'), 'What a linear probe reads',
          'Macro F1, on test images, of a linear classifier of what each '
          'layer makes of an image, averaged over the image.',
          'macro F1 of a probe', _lines(measured.probes)),
      by_layer.over_layers(
          name('layers_index'), 'General or specific',
          '1: the layer serves this task as well as after fine-tuning on it; '
          '0: no better than random filters.',
          'generality index', _lines(measured.index)),
      by_layer.over_layers(
          name('layers_moved'), 'How far training moved the weights',
          'Distance between a layer’s weights before and after training, '
          'relative to their size before.', 'relative change',
          _lines(measured.moved)),
      by_layer.over_layers(
          name('layers_similarity'), 'How alike layers see the images',
          'Linear CKA of what a layer makes of the test images in two '
          'networks. 1: the same but for rotation and scale; 0: unrelated.',
          'CKA', _pairs(measured)),
      by_layer.over_layers(
          name('layers_put_back'), 'Put one layer back',
          'Macro F1 that is lost if one layer alone is put back to what it '
          'was before training. About 0: it need not have trained.',
          'macro F1 lost', _lines(measured.put_back)),
  ]


def _pairs(measured: layer_studies.Measured) -> list[by_layer.Curve]:
  """Returns CKA before and after training, and between fine-tuned ones."""
  found = []
  for (a, b), values in measured.similarity.items():
    if b == f'{curves.TUNED}_{a}' or (a, b) == (curves.RANDOM, curves.OWN):
      found.append(by_layer.Curve(
          f'{layer_studies.called(a)}: before, after', _role(b), values))
    elif a == f'{curves.TUNED}_{curves.IMAGENET}' and b in measured.index:
      found.append(by_layer.Curve(
          f'fine-tuned here, on {layer_studies.called(b)}', _TWO_TASKS, values))
  return found


def _curves(
    study: layer_studies.LayerStudy,
    choice: freezing.Choice | None,
    name: str,
) -> tables.Table:
  """Returns the macro F1 of every arm, a row a number of layers."""
  columns = [
      (f'{layer_studies.called(source)}, {word}', study.curve(kind, source))
      for kind, word in ((curves.FROZEN, 'frozen'), (curves.TUNED, 'tuned'))
      for source in study.sources if study.curve(kind, source)]
  columns.append(('Last layers train', freezing.unfrozen(study)))
  counts = sorted({count for _, curve in columns for count in curve})
  notes = ['Rows: how many of the first layers are transferred, the rest '
           'begins at random; in the last column, how many of the last layers '
           'train, all from ImageNet. The head always trains.']
  base, statistics = (
      study.column(curves.BASE),
      study.column(curves.STATISTICS, curves.IMAGENET, curves.ALL))
  if base:
    notes.append(f'Everything from random weights: {_f1(base).text()}.')
  if statistics:
    notes.append('Of ImageNet’s layers mean and variance alone: '
                 f'{_f1(statistics).text()}.')
  if choice:
    notes.append('Share of resampled validation images that choose so many '
                 'last layers to train: ' + ', '.join(
                     f'{trained}: {100 * share:.0f} %'
                     for trained, share in choice.shares.items()) + '.')
  return tables.Table(
      name, 'Macro F1 of every network of the study', (),
      ('Layers', *(title for title, _ in columns)),
      tuple((tables.figure(count, 0), *(
          tables.spread(_f1(curve[count]) if count in curve else None)
          for _, curve in columns)) for count in counts), tuple(notes))


def _layers(measured: layer_studies.Measured, name: str) -> tables.Table:
  """Returns everything that was measured, a row a layer."""
  columns = {
      **{f'Index, {layer_studies.called(source)}': values
         for source, values in measured.index.items()},
      **{f'Probe, {layer_studies.called(network)}': values
         for network, values in measured.probes.items()},
      **{f'LogME, {layer_studies.called(source)}':
         measured.diagnostics['log_me'][source] for source in measured.index},
      **{f'H-score, {layer_studies.called(source)}':
         measured.diagnostics['h_score'][source] for source in measured.index},
      **{f'Moved, {layer_studies.called(network)}': values
         for network, values in measured.moved.items()},
      **{f'CKA, {line.title}': line.values for line in _pairs(measured)},
      **{f'Lost if put back, {layer_studies.called(network)}': values
         for network, values in measured.put_back.items()},
  }
  notes = [
      'Index: (T − R) / (max(T, O) − R), not below 0, of the macro F1 of '
      'probes on the transferred layer (T), on the same layer after '
      'fine-tuning (O) and on random filters (R). – where random filters '
      'serve as well.']
  for source, found in measured.agreement.items():
    for key, words in (
        ('frozen', 'the score with its layers frozen'),
        ('freezing', 'what freezing brings against fine-tuning them')):
      correlation, cuts = found[key]
      if correlation is not None:
        notes.append(
            f'The index of {layer_studies.called(source)} and {words}: rank '
            f'correlation {estimates.number(correlation, 2)} over {cuts} cuts.')
  notes.append('LogME and H-score are cheap diagnostics from training images; '
               'higher promises better transfer.')
  return tables.Table(
      name, 'Layer by layer', (), ('Layer', *columns),
      tuple((tables.words(layer), *(
          tables.spread(values[layer]) for values in columns.values()))
            for layer in layers.CONVOLUTIONS), tuple(notes))


def _f1(column: settings_lib.Column) -> estimates.Estimate:
  return estimates.estimate(column, 'f1_macro')


def _values(
    curve: Mapping[int, settings_lib.Column],
) -> dict[int, estimates.Estimate]:
  return {count: _f1(column) for count, column in curve.items()}


def _lines(
    networks: Mapping[str, layer_studies.ByLayer],
) -> list[by_layer.Curve]:
  return [_line(network, values) for network, values in networks.items()]


def _line(network: str, values: Mapping) -> by_layer.Curve:
  return by_layer.Curve(layer_studies.called(network), _role(network), values)


def _role(network: str) -> int:
  is_tuned = network.startswith(f'{curves.TUNED}_')
  return _ROLES.get(network, _OTHER_TUNED if is_tuned else _OTHER)
