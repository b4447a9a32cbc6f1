"""The value range of a data set's deep grey images, decided once for all.

An image that was brightened by itself would lose what sets it apart, and 12
bits shown as 16 are black. So black and white are the same values for every
image whose file does not say them itself (see `grey`):

  integers  the smallest of 0..255, 1023, 4095, 16383 and 65535 that holds
            the values of all images; beyond that 0 to the largest of them
  floats    the same with 0..1 before it; 0 to the largest value where the
            range would be sixteen times as wide
  negative  -1 to 1 of floats, -1024 to 3071 (12 bits of computed tomography),
            else the smallest and the largest value

At most one image in 50 (one, of 20 to 49 images) may lie outside of it if the
range without them is half as wide or less: one stray file must not darken all
others. What lies outside becomes black or white, and is said.
"""

import numpy as np

from medxfer.data import bit_depth_survey
from medxfer.data import deep_grey

_TOPS = (255, 1023, 4095, 16383, deep_grey.FULL)
_TOMOGRAPHY = (-1024, 3071)
_DARK = 16  # An image with a sixteenth of the range or less: 4 bits less.
_STRAYS = 50


def decide(found: bit_depth_survey.Survey) -> deep_grey.Range:
  """Returns the range of a data set with at least one deep image."""
  silent = found.silent
  if not silent.any():
    pairs, counts = np.unique(found.said, axis=0, return_counts=True)
    return deep_grey.Range(*pairs[counts.argmax()].tolist())
  low = np.where(silent, found.low, found.said[:, 0])
  high = np.where(silent, found.high, found.said[:, 1])
  is_float = bool(found.is_float[silent].all())
  n = len(found)
  strays = max(n // _STRAYS, int(n >= 20))
  kept = np.maximum(-low, high).argsort(kind='stable')[: n - strays]
  whole, without = (
      _usual(float(low[rows].min()), float(high[rows].max()), is_float)
      for rows in (slice(None), kept)
  )
  narrow = 2 * (without[1] - without[0]) <= whole[1] - whole[0]
  return deep_grey.Range(*(without if narrow else whole))


def _usual(low: float, high: float, is_float: bool) -> tuple[float, float]:
  """Returns the range that holds values from `low` to `high`; see above."""
  if low < 0:
    if is_float and low >= -1 and high <= 1:
      return -1.0, 1.0
    if _TOMOGRAPHY[0] <= low and high <= _TOMOGRAPHY[1]:
      return _TOMOGRAPHY
    return low, max(high, 0)
  for top in ((1,) if is_float else ()) + _TOPS:
    if high <= top:
      return (0, high) if is_float and 0 < high < top / _DARK else (0, top)
  return 0, high


def found_in(found: bit_depth_survey.Survey, scale: deep_grey.Range) -> str:
  """Returns how many images a range was found in."""
  said = int((~found.silent).sum())
  return f'found in {_count(~_outside(found, scale))}' + (
      f', of which {said:,} say their own' if said else ''
  )


def _outside(
    found: bit_depth_survey.Survey, scale: deep_grey.Range
) -> np.ndarray:
  """Returns bool [n], which images a range is too narrow for."""
  counts = found.silent | scale.overrules
  return counts & ((found.low < scale.low) | (found.high > scale.high))


def told(
    found: bit_depth_survey.Survey, scale: deep_grey.Range, why: str
) -> list[str]:
  """Returns the lines that a run prints about its deep images.

  Args:
    found: the images.
    scale: their range; that of colours is fixed.
    why: where it is from.
  """
  own = np.zeros(len(found), bool) if scale.overrules else ~found.silent
  outside = _outside(found, scale)
  dark = _dark(found, scale, ~own)
  lines = []
  if found.colour:
    lines.append(
        f'warning: {len(found.colour):,} images have colours of 16 bits, of '
        f'which the upper 8 are read: {found.colour[0]}; save them as grey '
        'images, or with 8 bits'
    )
  if not len(found):
    if scale.overrules:
      lines.append(
          'note: no image is grey of more than 8 bits: '
          'data.value_range changes nothing'
      )
    return lines
  lines.append(
      f'grey values {deep_grey.described(*scale[:2])}, black to white, {why}'
  )
  if outside.any():
    lines.append(
        f'warning: {_count(outside)} hold values outside of it, which become '
        f'black or white: {_example(found, outside)}; '
        '--config.data.value_range=LOW,HIGH sets another'
    )
  if (found.said[own] != scale[:2]).any():
    groups = []
    for pair in np.unique(found.said[own], axis=0):
      those = (found.said == pair).all(axis=1)
      groups.append(
          f'{_count(those)} say themselves {deep_grey.described(*pair)}, such '
          f'as {found.names[int(those.argmax())]}'
      )
    lines.append(
        'note: depth differs between files: '
        + '; '.join(groups)
        + '; each of them is scaled by its own word'
    )
  if dark.any():
    bright = ~dark & ~own
    lines.append(
        f'warning: depth differs between files, it seems: {_count(dark)} '
        'keep to the lowest '
        f'{(found.high[dark].max() - scale.low) / (scale.high - scale.low):.0%}'
        f' of the range: {_example(found, dark)}'
        + (f'; not so {_example(found, bright)}' if bright.any() else '')
        + '; save all of them with one depth'
    )
  return lines


def _dark(
    found: bit_depth_survey.Survey, scale: deep_grey.Range, counts: np.ndarray
) -> np.ndarray:
  """Returns bool [n], which images seem to have fewer bits than the others.

  Those that use a sixteenth of the range, and those below a gap of a factor
  of two in the images' largest values that parts a twentieth or more from
  the rest: of one depth they would lie closer.

  Args:
    found: n images.
    scale: their range.
    counts: bool [n], which of them it is applied to.
  """
  used = found.high - scale.low
  few = (scale.high - scale.low) / _DARK
  ordered = np.sort(used[counts & (used > 0)])
  least = max(2, len(ordered) // 20)
  below = ordered[least - 1 : len(ordered) - least]
  above = ordered[least : len(ordered) - least + 1]
  if len(below):
    widest = (above / below).argmax()
    if above[widest] >= 2 * below[widest]:
      few = max(few, below[widest])
  return counts & (used <= few)


def noticed(found: deep_grey.Grey, scale: deep_grey.Range | None) -> str:
  """Returns what is wrong with a lone image for a run's range, or ''.

  Args:
    found: the image.
    scale: of the run's own images; None if it is not recorded.
  """
  extent = f'its values go from {found.low:g} to {found.high:g}'
  if scale is None or scale is deep_grey.UNSEEN:
    if found.said and scale:
      return ''
    return (
        f'{extent}, and the run has recorded no range of deep grey '
        'images: taken as 0 to 65535 (floats as 0 to 1 or 255, integers '
        'of 32 bits as 0 to 255 where they fit)'
    )
  if found.said and not scale.overrules:
    return ''
  if found.low < scale.low or found.high > scale.high:
    return (
        f"{extent}, outside of the run's range of "
        f'{deep_grey.described(*scale[:2])}; what is outside becomes black or '
        'white'
    )
  if found.high - scale.low <= (scale.high - scale.low) / _DARK:
    return (
        f"{extent}, a sixteenth of the run's range of "
        f'{deep_grey.described(*scale[:2])} or less: nearly black; has it '
        'fewer bits?'
    )
  return ''


def _count(rows: np.ndarray) -> str:
  return f'{int(rows.sum()):,} of {len(rows):,} deep images'


def _example(found: bit_depth_survey.Survey, rows: np.ndarray) -> str:
  i = int(rows.argmax())
  return f'{found.names[i]} ({found.low[i]:g} to {found.high[i]:g})'
