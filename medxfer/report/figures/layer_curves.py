"""The figures of a layer study: curves over cuts, and layer by layer."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

from medxfer.report.figures import line_charts
from medxfer.report.figures import style
from medxfer.report.read import estimates
from medxfer.report.read import layer_measures
from medxfer.report.read import layer_studies
from medxfer.report.read import settings as settings_lib
from medxfer.report.stats import freezing
from medxfer.study import layer_arms

# Colours, the same wherever a network is drawn; another task's come third.
_ROLES = {
    layer_arms.IMAGENET: 0,
    layer_arms.OWN: 1,
    layer_arms.RANDOM: 3,
    f'{layer_arms.TUNED}_{layer_arms.IMAGENET}': 4,
}
_OTHER, _OTHER_TUNED, _TWO_TASKS = 2, 5, 6
# Stem of a file -> a name that no other file of the report has.
Name = Callable[[str], str]


def over_cuts(study: layer_studies.LayerStudy, name: Name) -> list[style.Chart]:
  """Draws the curves of a study.

  Args:
    study: its runs.
    name: stem -> name of a file that no other has.
  """
  base = study.column(layer_arms.BASE)
  start = {0: estimates.f1_macro(base)} if base else {}
  charts = []
  for kind, title, caption in (
      (
          layer_arms.FROZEN,
          'Frozen transfer',
          'The first layers come from a source and stay as they are; the rest '
          'begins at random and trains. Where a curve falls below its left '
          'end, frozen layers cost more than they bring.',
      ),
      (
          layer_arms.TUNED,
          'Fine-tuned transfer',
          'The first layers come from a source; the rest begins at random, and '
          'everything trains.',
      ),
  ):
    lines = [
        _line(source, {**start, **_values(study.curve(kind, source))})
        for source in study.sources
        if study.curve(kind, source)
    ]
    if lines:
      charts.append(
          line_charts.over_counts(
              name(f'layers_{kind}'),
              title,
              f'{caption} 0: everything from random weights. Bars: 95 % '
              'intervals.',
              'transferred layers',
              lines,
          )
      )
  return [*charts, *_from_imagenet(study, name)]


def _from_imagenet(
    study: layer_studies.LayerStudy, name: Name
) -> Iterator[style.Chart]:
  """Yields the curves of networks whose layers all come from ImageNet."""
  for stem, title, caption, axis, curve in (
      (
          'layers_unfrozen',
          'Unfreezing',
          'All layers come from ImageNet; the head and so many of the last '
          'layers train. Where the curve is flat, training more pays nothing.',
          'last layers that train',
          freezing.unfrozen(study),
      ),
      (
          'layers_blocks',
          'One block at a time',
          'All layers come from ImageNet; the head and this block alone train. '
          'Bars: 95 % intervals.',
          'block that trains',
          study.single_blocks,
      ),
  ):
    if len(curve) > 1:
      line = _line(layer_arms.IMAGENET, _values(curve))
      yield line_charts.over_counts(name(stem), title, caption, axis, [line])


def over_layers(
    measured: layer_measures.Measured, layers: Sequence[str], name: Name
) -> list[style.Chart]:
  """Draws what was measured of each layer.

  Args:
    measured: of each layer.
    layers: the convolutions, first to last.
    name: as for `over_cuts`.
  """
  return [
      line_charts.over_layers(
          name('layers_probes'),
          'What a linear probe reads',
          'Macro F1, on test images, of a linear classifier of what each '
          'layer makes of an image, averaged over the image.',
          'macro F1 of a probe',
          layers,
          _lines(measured.probes),
      ),
      line_charts.over_layers(
          name('layers_index'),
          'General or specific',
          '1: the layer serves this task as well as after fine-tuning on it; '
          '0: no better than random filters.',
          'generality index',
          layers,
          _lines(measured.index),
      ),
      line_charts.over_layers(
          name('layers_moved'),
          'How far training moved the weights',
          'Distance between a layer’s weights before and after training, '
          'relative to their size before.',
          'relative change',
          layers,
          _lines(measured.moved),
      ),
      line_charts.over_layers(
          name('layers_similarity'),
          'How alike layers see the images',
          'Linear CKA of what a layer makes of the test images in two '
          'networks. 1: the same but for rotation and scale; 0: unrelated.',
          'CKA',
          layers,
          similar(measured),
      ),
      line_charts.over_layers(
          name('layers_put_back'),
          'Put one layer back',
          'Macro F1 that is lost if one layer alone is put back to what it '
          'was before training. About 0: it need not have trained.',
          'macro F1 lost',
          layers,
          _lines(measured.put_back),
      ),
  ]


def similar(measured: layer_measures.Measured) -> list[line_charts.Curve]:
  """Returns CKA before and after training, and between fine-tuned ones."""
  found = []
  for (a, b), values in measured.similarity.items():
    if b == f'{layer_arms.TUNED}_{a}' or (a, b) == (
        layer_arms.RANDOM,
        layer_arms.OWN,
    ):
      found.append(
          line_charts.Curve(
              f'{layer_studies.called(a)}: before, after', _role(b), values
          )
      )
    elif (
        a == f'{layer_arms.TUNED}_{layer_arms.IMAGENET}' and b in measured.index
    ):
      found.append(
          line_charts.Curve(
              f'fine-tuned here, on {layer_studies.called(b)}',
              _TWO_TASKS,
              values,
          )
      )
  return found


def _values(
    curve: Mapping[int, settings_lib.Column],
) -> dict[int, estimates.Estimate]:
  return {count: estimates.f1_macro(column) for count, column in curve.items()}


def _lines(
    networks: Mapping[str, layer_measures.ByLayer],
) -> list[line_charts.Curve]:
  return [_line(network, values) for network, values in networks.items()]


def _line(network: str, values: Mapping) -> line_charts.Curve:
  return line_charts.Curve(
      layer_studies.called(network), _role(network), values
  )


def _role(network: str) -> int:
  is_tuned = network.startswith(f'{layer_arms.TUNED}_')
  return _ROLES.get(network, _OTHER_TUNED if is_tuned else _OTHER)
