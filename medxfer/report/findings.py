"""What a layer study has found, in sentences for those who know no paper."""

from collections.abc import Iterable
from collections.abc import Sequence
import math

from medxfer.model import layers
from medxfer.report import estimates
from medxfer.report import layer_studies
from medxfer.report import settings as settings_lib
from medxfer.study import curves

# From this index on, a layer is called general.
_GENERAL = 0.9
# From this rank correlation on, so many cuts agree by chance in one study of
# twenty (Zar, Significance testing of the Spearman rank correlation
# coefficient, 1972); fewer than five always may.
_BY_CHANCE = {5: 1.0, 6: 0.886, 7: 0.786, 8: 0.738, 9: 0.700, 10: 0.648,
              11: 0.618, 12: 0.587, 13: 0.560}
_TUNED = f'{curves.TUNED}_{curves.IMAGENET}'


def sentences(study: layer_studies.LayerStudy) -> tuple[str, ...]:
  """Returns what the curves and the layers of ImageNet's network say."""
  found = [_frozen(study), _fine_tuned(study)]
  if study.measured:
    found += [_general(study.measured), _moved(study.measured),
              _put_back(study.measured)]
    found += [_agreement(source, study.measured)
              for source in study.measured.index]
  return tuple(text for text in found if text)


def _frozen(study: layer_studies.LayerStudy) -> str:
  curve = study.curve(curves.FROZEN, curves.IMAGENET)
  if len(curve) < 2:
    return ''
  best = max(curve, key=lambda count: _f1(curve[count]))
  text = (f'Frozen below a rest that begins at random, the first {best} layers '
          f'of ImageNet serve best: macro F1 {_text(curve[best])}.')
  last = max(curve)
  if last != best:
    gap = estimates.contrast(curve[best], curve[last]).f1_macro
    text += (f' All {last} of them cost {gap.text()}'
             f'{"." if gap.is_clear else ", not clear."}')
  return text


def _fine_tuned(study: layer_studies.LayerStudy) -> str:
  tuned = study.column(curves.TUNED, curves.IMAGENET, curves.ALL)
  base = study.column(curves.BASE)
  if not tuned or not base:
    return ''
  gap = estimates.contrast(tuned, base).f1_macro
  text = (f'If everything trains, ImageNet’s weights bring '
          f'{gap.text(signed=True)} against random ones')
  scale = study.column(curves.STATISTICS, curves.IMAGENET, curves.ALL)
  if scale:
    share = estimates.contrast(scale, base).f1_macro
    text += f'; their scale alone brings {share.text(signed=True)}'
  return f'{text}.'


def _general(measured: layer_studies.Measured) -> str:
  index = measured.index.get(curves.IMAGENET)
  if not index:
    return ''
  known = {layer: one.value for layer, one in index.items() if one}
  general = [layer for layer, value in known.items() if value >= _GENERAL]
  rest = [layer for layer in known if layer not in general]
  text = (f'{_count(general)} of ImageNet’s {len(known)} layers serve this '
          'task as well as after fine-tuning, or nearly (index at least '
          f'{_GENERAL}){_named(general)}.')
  if rest:
    least = min(rest, key=known.__getitem__)
    text += (f' The most specific is {least}, with '
             f'{index[least].text(2)}.')
  return text


def _moved(measured: layer_studies.Measured) -> str:
  moved = measured.moved.get(_TUNED)
  if not moved:
    return ''
  most, least = (choose(moved, key=lambda layer: moved[layer].value)
                 for choose in (max, min))
  return (f'Fine-tuning moved {most} the farthest, by '
          f'{100 * moved[most].value:.1f} % of its size, and {least} the '
          f'least, by {100 * moved[least].value:.1f} %.')


def _put_back(measured: layer_studies.Measured) -> str:
  lost = measured.put_back.get(_TUNED)
  if not lost:
    return ''
  clear = [layer for layer in layers.CONVOLUTIONS
           if lost[layer].is_clear and lost[layer].value > 0]
  if not clear:
    return ('Any one of the fine-tuned layers can be put back to ImageNet’s '
            'without a clear loss.')
  worst = max(clear, key=lambda layer: lost[layer].value)
  if len(clear) == 1:
    return (f'Of the fine-tuned layers {worst} alone cannot be put back to '
            f'ImageNet’s without a clear loss, {lost[worst].text()} of macro '
            f'F1; one of {len(lost)} may do so by chance.')
  return (f'{len(clear)} of the fine-tuned layers cannot be put back to '
          f'ImageNet’s without a clear loss{_named(clear)}; {worst} costs '
          f'most, {lost[worst].text()} of macro F1.')


def _agreement(source: str, measured: layer_studies.Measured) -> str:
  correlation, cuts = measured.agreement[source]['freezing']
  if correlation is None:
    return ''
  word = ('has no clear relation to'
          if round(abs(correlation), 3) < _BY_CHANCE.get(cuts, math.inf) else
          'agrees with' if correlation > 0 else 'contradicts')
  return (f'The index of {layer_studies.called(source)}, from one pass over '
          f'the images, {word} what freezing costs, which takes two trainings '
          f'a cut: rank correlation {estimates.number(correlation, 2)} over '
          f'{cuts} cuts.')


def _count(names: Sequence[str]) -> str:
  return str(len(names)) if names else 'None'


def _named(names: Iterable[str]) -> str:
  """Returns ': ' and names; neighbours by their first and last."""
  parts, places = [], [layers.CONVOLUTIONS.index(name) for name in names]
  for place in places:
    if parts and parts[-1][1] == place - 1:
      parts[-1][1] = place
    else:
      parts.append([place, place])
  words = [layers.CONVOLUTIONS[a] if a == b else
           f'{layers.CONVOLUTIONS[a]} to {layers.CONVOLUTIONS[b]}'
           for a, b in parts]
  return f': {", ".join(words)}' if words else ''


def _f1(column: settings_lib.Column) -> float:
  return estimates.estimate(column, 'f1_macro').value


def _text(column: settings_lib.Column) -> str:
  return estimates.estimate(column, 'f1_macro').text()
