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

from collections.abc import Sequence
import dataclasses
import hashlib
import pathlib

import numpy as np

from medxfer import cache
from medxfer import errors
from medxfer import progress
from medxfer.data import contents as contents_lib
from medxfer.data import examples as examples_lib
from medxfer.data import grey
from medxfer.data import images

_KIND = 'depth'
_VERSION = 1  # Of what is kept.
_TOPS = (255, 1023, 4095, 16383, grey.FULL)
_TOMOGRAPHY = (-1024, 3071)
_DARK = 16  # An image with a sixteenth of the range or less: 4 bits less.
_STRAYS = 50
_COLOUR = 1  # Stands where no values are: 16-bit colours.
_HEAD = 32  # Bytes that tell which files may be deep.
_PNG, _TIFF = b'\x89PNG\r\n\x1a\n', (b'II', b'MM')
_JPEG2000 = (b'\0\0\0\x0cjP', b'\xff\x4f\xff\x51')
_COLUMNS = ('low', 'high', 'said_low', 'said_high', 'is_float')


@dataclasses.dataclass(frozen=True, eq=False)
class Survey:
  """The deep grey images of a data set.

  Attributes:
    names: of the images.
    low, high: float64 [n], their extremes.
    said: float64 [n, 2], what their files call black and white, or NaN.
    is_float: bool [n].
    colour: names of images of 16-bit colours, whose lower bits are not read.
  """

  names: tuple[str, ...]
  low: np.ndarray
  high: np.ndarray
  said: np.ndarray
  is_float: np.ndarray
  colour: tuple[str, ...] = ()

  def __len__(self) -> int:
    return len(self.names)

  @property
  def silent(self) -> np.ndarray:
    """bool [n], whether a file does not say its range."""
    return np.isnan(self.said[:, 0])


def survey(
    examples: examples_lib.Examples,
    contents: Sequence[bytes | None],
    where: pathlib.Path | None = None,
) -> Survey:
  """Looks at the deep grey images; others cost a look at 32 bytes.

  Args:
    examples: the table; images that cannot be read are passed over.
    contents: digests of the files, of `contents.read`.
    where: folder of the cache; None for none.

  Raises:
    DataError: a file has changed since its digest was made.
  """
  rows = [i for i, path in enumerate(examples.paths)
          if contents[i] and _may_be_deep(path)]
  found = np.empty((0, len(_COLUMNS)))
  if rows:
    paths = [examples.paths[i] for i in rows]
    found = _kept(paths, [contents[i] for i in rows], where)
  deep, colour = ~np.isnan(found[:, 0]), found[:, 1] == _COLOUR
  names = np.array(examples.image_ids, object)[rows]
  colour = tuple(names[colour & ~deep])
  names, found = tuple(names[deep]), found[deep]
  return Survey(
      names=names, colour=colour,
      low=found[:, 0], high=found[:, 1], said=found[:, 2:4],
      is_float=found[:, 4] == 1)


def decide(found: Survey) -> grey.Range:
  """Returns the range of a data set with at least one deep image."""
  silent = found.silent
  if not silent.any():
    pairs, counts = np.unique(found.said, axis=0, return_counts=True)
    return grey.Range(*pairs[counts.argmax()].tolist())
  low = np.where(silent, found.low, found.said[:, 0])
  high = np.where(silent, found.high, found.said[:, 1])
  is_float = bool(found.is_float[silent].all())
  n = len(found)
  strays = max(n // _STRAYS, int(n >= 20))
  kept = np.maximum(-low, high).argsort(kind='stable')[:n - strays]
  whole, without = (
      _usual(float(low[rows].min()), float(high[rows].max()), is_float)
      for rows in (slice(None), kept))
  narrow = 2 * (without[1] - without[0]) <= whole[1] - whole[0]
  return grey.Range(*(without if narrow else whole))


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


def told(found: Survey, scale: grey.Range, why: str) -> list[str]:
  """Returns the lines that a run says of its deep images.

  Args:
    found: the images.
    scale: their range; that of colours is fixed.
    why: where it is from.
  """
  own = np.zeros(len(found), bool) if scale.overrules else ~found.silent
  outside = ~own & ((found.low < scale.low) | (found.high > scale.high))
  dark = ~own & (found.high - scale.low <= (scale.high - scale.low) / _DARK)
  lines = []
  if found.colour:
    lines.append(
        f'warning: {len(found.colour):,} images have colours of 16 bits, of '
        f'which the upper 8 are read: {found.colour[0]}; save them as grey '
        'images, or with 8 bits')
  if not len(found):
    return lines
  lines += [f'grey values: {grey.described(*scale[:2])} are black and white, '
           f'{why}']
  if outside.any():
    lines.append(
        f'warning: {_count(outside)} hold values outside of it, which become '
        f'black or white: {_example(found, outside)}; '
        '--config.data.value_range=LOW,HIGH sets another')
  if own.any():
    groups = [
        f'{_count((found.said == pair).all(axis=1))} say themselves '
        f'{grey.described(*pair)}, such as '
        f'{found.names[int((found.said == pair).all(axis=1).argmax())]}'
        for pair in np.unique(found.said[own], axis=0)]
    if len(groups) > 1 or not own.all() or found.said[own][0].tolist() != list(
        scale[:2]):
      lines.append('note: depth differs between files: ' + '; '.join(groups)
                   + '; each of them is scaled by its own word')
  if dark.any():
    lines.append(
        f'warning: depth differs between files, it seems: {_count(dark)} use '
        f'a sixteenth of the range or less, and will be nearly black: '
        f'{_example(found, dark)}'
        + (f'; not so {_example(found, ~dark & ~own)}'
           if (~dark & ~own).any() else '')
        + '; save all of them with one depth')
  return lines


def noticed(found: grey.Grey, scale: grey.Range | None) -> str:
  """Returns what is wrong with a lone image for a run's range, or ''.

  Args:
    found: the image.
    scale: of the run's own images; None if it is not recorded.
  """
  extent = f'its values go from {found.low:g} to {found.high:g}'
  if scale is None or scale is grey.UNSEEN:
    if found.said and scale:
      return ''
    return (f'{extent}, and the run knows no deep grey images or not their '
            'range: taken as 0 to 65535, or as 0 to 1 or 255 of floats and '
            '32-bit integers')
  if found.said and not scale.overrules:
    return ''
  if found.low < scale.low or found.high > scale.high:
    return (f'{extent}, outside of the run\'s range of '
            f'{grey.described(*scale[:2])}; what is outside becomes black or '
            'white')
  if found.high - scale.low <= (scale.high - scale.low) / _DARK:
    return (f'{extent}, a sixteenth of the run\'s range of '
            f'{grey.described(*scale[:2])} or less: nearly black; has it '
            'fewer bits?')
  return ''


def _count(rows: np.ndarray) -> str:
  return f'{int(rows.sum()):,} of {len(rows):,} deep images'


def _example(found: Survey, rows: np.ndarray) -> str:
  i = int(rows.argmax())
  return f'{found.names[i]} ({found.low[i]:g} to {found.high[i]:g})'


def _may_be_deep(path: pathlib.Path) -> bool:
  """Tells by a file's first bytes; JPEG, GIF, BMP and WebP have 8 bits."""
  try:
    with path.open('rb') as file:
      head = file.read(_HEAD)
  except OSError:
    return False
  if head.startswith(_PNG):
    return head[24:25] == b'\x10'
  return head.startswith((*_TIFF, *_JPEG2000, b'P'))


def _kept(
    paths: Sequence[pathlib.Path],
    contents: Sequence[bytes],
    where: pathlib.Path | None,
) -> np.ndarray:
  """Returns `_examine` of each file, from the cache if that holds it."""
  shape = (len(paths), len(_COLUMNS))
  if where is None:
    return _examined(paths, contents, np.empty(shape))
  key = {'contents': hashlib.sha256(b''.join(contents)).hexdigest(),
         'version': _VERSION}
  try:
    with cache.slot(where, _KIND, key) as slot:
      try:
        entry = slot.read()
      except cache.Damaged:
        entry = None
      if entry is not None and entry.array.shape == shape:
        return np.array(entry.array)
      with slot.draft(shape, np.float64) as draft:
        _examined(paths, contents, draft.array)
        draft.commit({'columns': list(_COLUMNS)})
        return np.array(draft.array)
  except OSError:
    # The cache of pixels, which comes next, says it.
    return _examined(paths, contents, np.empty(shape))


def _examined(
    paths: Sequence[pathlib.Path],
    contents: Sequence[bytes],
    into: np.ndarray,
) -> np.ndarray:
  files = list(zip(paths, contents))
  for i, (path, content) in enumerate(progress.track(
      files, total=len(files), title='looking for the value range',
      unit='images')):
    into[i] = _examine(path, content)
  return into


def _examine(path: pathlib.Path, digest: bytes) -> tuple[float, ...]:
  """Returns `_COLUMNS` of a file; NaN of one that is not grey or not read."""
  none = (np.nan,) * len(_COLUMNS)
  try:
    content = path.read_bytes()
    contents_lib.refuse_changed(str(path), content, digest)
    found = images.read_grey(content, str(path))
    if found is None and images.loses_bits(content, str(path)):
      return (np.nan, _COLOUR, *none[2:])
  except contents_lib.Changed:
    raise
  except (OSError, errors.DataError):
    return none  # Decoding will tell.
  if found is None:
    return none
  return (found.low, found.high, *(found.said or (np.nan, np.nan)),
          float(found.is_float))
