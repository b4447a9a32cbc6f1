"""The findings of a layer study in plain sentences."""

from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses
import math

from medxfer import errors
from medxfer.evaluation import multiple_testing
from medxfer.report.read import estimates
from medxfer.report.read import layer_measures
from medxfer.report.read import layer_studies
from medxfer.report.read import settings as settings_lib
from medxfer.report.stats import choices
from medxfer.report.stats import contrasts
from medxfer.study import layer_arms

# A layer is called general whose index is at least this, by the lower end of
# its interval.
_GENERAL = 0.9
# From this rank correlation on, so many cuts agree by chance in one study of
# twenty (Zar, Significance testing of the Spearman rank correlation
# coefficient, 1972); fewer than five always may.
_BY_CHANCE = {
    5: 1.0,
    6: 0.886,
    7: 0.786,
    8: 0.738,
    9: 0.700,
    10: 0.648,
    11: 0.618,
    12: 0.587,
    13: 0.560,
    14: 0.538,
    15: 0.521,
    16: 0.503,
}
# With fewer cuts only a perfect order could be told from chance.
_FEWEST_CUTS = 6
_TUNED = f'{layer_arms.TUNED}_{layer_arms.IMAGENET}'


def sentences(study: layer_studies.LayerStudy) -> tuple[str, ...]:
  """Returns what the curves and the layers of ImageNet's network say.

  Networks whose training has notes say nothing.
  """
  sound = study.sound
  found = [_frozen(sound), _fine_tuned(sound), _single_block(sound)]
  if sound.measured:
    found += [
        _general(sound.measured),
        _moved(sound.measured),
        _put_back(sound.measured),
    ]
    found += [
        _agreement(source, sound.measured) for source in sound.measured.index
    ]
  return tuple(text for text in found if text)


def _frozen(study: layer_studies.LayerStudy) -> str:
  curve = {
      count: dataclasses.replace(column, title=f'the first {count}')
      for count, column in study.curve(
          layer_arms.FROZEN, layer_arms.IMAGENET
      ).items()
  }
  # Of equals, the one that trains the fewest layers.
  try:
    choice = choices.choose(
        curve[count] for count in sorted(curve, reverse=True)
    )
  except errors.DataError as error:
    return f'Which cut of frozen layers is best cannot be said: {error}.'
  if not choice:
    return ''
  best, last = choice.chosen, curve[max(curve)]
  text = (
      'Frozen below a rest that begins at random, '
      f'{best.title} layers of ImageNet serve best by validation images '
      f'({choice.word}): macro F1 {_text(best)} on test images, rank '
      f'{choice.on_test.index(best) + 1} of {len(curve)} there.'
  )
  if last is not best:
    text += (
        f' All {max(curve)} of them, against these: '
        f'{choice.against(last).reversed().words}.'
    )
  return text


def _fine_tuned(study: layer_studies.LayerStudy) -> str:
  tuned = study.column(layer_arms.TUNED, layer_arms.IMAGENET, study.whole)
  base = study.column(layer_arms.BASE)
  if not tuned or not base:
    return ''
  scale = study.column(layer_arms.STATISTICS, layer_arms.IMAGENET, study.whole)
  gaps = contrasts.corrected(
      [contrasts.contrast(column, base) for column in (tuned, scale) if column]
  )
  text = (
      f'If everything trains, ImageNet’s weights bring '
      f'{gaps[0].words} against random ones'
  )
  if scale:
    text += f'; their scale alone brings {gaps[1].words}'
  return f'{text}.'


def _single_block(study: layer_studies.LayerStudy) -> str:
  blocks = {
      number: dataclasses.replace(column, title=f'block {number}')
      for number, column in study.single_blocks.items()
  }
  try:
    choice = choices.choose(blocks.values())
  except errors.DataError as error:
    return f'Which single block serves best cannot be said: {error}.'
  if not choice:
    return ''
  best = choice.chosen
  text = (
      f'Of single blocks trained with the head, {best.title} serves best by '
      f'validation images ({choice.word}): macro F1 {_text(best)} on test '
      f'images, rank {choice.on_test.index(best) + 1} of '
      f'{len(choice.columns)} there.'
  )
  whole = study.column(layer_arms.TUNED, layer_arms.IMAGENET, study.whole)
  if whole:
    text += (
        ' Against training everything: '
        f'{contrasts.contrast(best, whole).words}.'
    )
  return text


def _general(measured: layer_measures.Measured) -> str:
  index = measured.index.get(layer_arms.IMAGENET)
  if not index:
    return ''
  known = {layer: one for layer, one in index.items() if one}
  general = [layer for layer in known if _is_general(measured, layer)]
  rest = [layer for layer in known if layer not in general]
  chance = f'; one of {len(known)} may be so by chance'
  text = (
      f'{_count(general)} of ImageNet’s {len(known)} layers clearly '
      f'{"serves" if len(general) == 1 else "serve"} this task as well as '
      'after fine-tuning, or nearly (the whole interval of the index is at '
      f'or above {_GENERAL}, and the layer clearly beats random filters)'
      f'{_named(general, list(index))}{chance if len(general) == 1 else ""}.'
  )
  if rest:
    least = min(rest, key=lambda layer: known[layer].value)
    text += f' The lowest index is that of {least}, {known[least].text(2)}.'
  return text


def _is_general(measured: layer_measures.Measured, layer: str) -> bool:
  """Whether a layer of ImageNet is general by what is known for certain."""
  index = measured.index[layer_arms.IMAGENET][layer]
  transferred, random = (
      measured.probes.get(network, {}).get(layer)
      for network in (layer_arms.IMAGENET, layer_arms.RANDOM)
  )
  if not index or index.low is None or not transferred or not random:
    return False
  gain = contrasts.independent(transferred, random)
  return index.low >= _GENERAL and gain.is_clear and gain.value > 0


def _moved(measured: layer_measures.Measured) -> str:
  moved = {
      layer: one
      for layer, one in (measured.moved.get(_TUNED) or {}).items()
      if one
  }
  if not moved:
    return ''
  most, least = (
      choose(moved, key=lambda layer: moved[layer].value)
      for choose in (max, min)
  )
  return (
      f'Fine-tuning moved {most} the farthest, by '
      f'{100 * moved[most].value:.1f} % of its size, and {least} the '
      f'least, by {100 * moved[least].value:.1f} %.'
  )


def _put_back(measured: layer_measures.Measured) -> str:
  lost = measured.put_back.get(_TUNED)
  if not lost:
    return ''
  known = {layer: one for layer, one in lost.items() if one}
  p_values = [one.p_value() for one in known.values()]
  tested = [p_value for p_value in p_values if p_value is not None]
  if len(tested) < len(lost):
    return ''
  clear = [
      layer
      for layer, p_value in zip(known, multiple_testing.holm(tested))
      if p_value < estimates.ALPHA and known[layer].value > 0
  ]
  if not clear:
    return (
        'Any one of the fine-tuned layers can be put back to ImageNet’s '
        'without a clear loss.'
    )
  worst = max(clear, key=lambda layer: known[layer].value)
  if len(clear) == 1:
    return (
        f'Of the fine-tuned layers {worst} alone cannot be put back to '
        f'ImageNet’s without a clear loss, {known[worst].text()} of macro '
        'F1.'
    )
  return (
      f'{len(clear)} of the fine-tuned layers cannot be put back to '
      f'ImageNet’s without a clear loss{_named(clear, list(lost))}; '
      f'{worst} costs '
      f'most, {known[worst].text()} of macro F1.'
  )


def _agreement(source: str, measured: layer_measures.Measured) -> str:
  correlation, cuts = measured.agreement[source]['freezing']
  if correlation is None:
    return ''
  passed = round(abs(correlation), 3) >= _BY_CHANCE.get(cuts, math.inf)
  if not passed and cuts < _FEWEST_CUTS:
    return (
        f'The index of {layer_studies.called(source)} and what freezing '
        f'costs: {cuts} are too few cuts to tell whether they go together '
        f'(rank correlation {estimates.number(correlation, 2)}).'
    )
  word = (
      'has no clear relation to'
      if not passed
      else 'agrees with'
      if correlation > 0
      else 'contradicts'
  )
  return (
      f'The index of {layer_studies.called(source)}, from one pass over '
      f'the images, {word} what freezing costs, which takes two trainings '
      f'a cut: rank correlation {estimates.number(correlation, 2)} over '
      f'{cuts} cuts.'
  )


def _count(names: Sequence[str]) -> str:
  return str(len(names)) if names else 'None'


def _named(names: Iterable[str], layers: list[str]) -> str:
  """Returns ': ' and names; neighbours by their first and last.

  Args:
    names: some layers, first to last.
    layers: all layers, first to last.
  """
  parts: list[list[int]] = []
  for place in map(layers.index, names):
    if parts and parts[-1][1] == place - 1:
      parts[-1][1] = place
    else:
      parts.append([place, place])
  words = [
      layers[a] if a == b else f'{layers[a]} to {layers[b]}' for a, b in parts
  ]
  return f': {", ".join(words)}' if words else ''


def _text(column: settings_lib.Column) -> str:
  return estimates.f1_macro(column).text()
