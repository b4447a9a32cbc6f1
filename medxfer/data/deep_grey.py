"""Deep grey images: what their files store, and its place in 8 bits.

A file of 16 bits rarely uses all of them: X-rays have 10, 12 or 14, computed
tomography counts from -1024. Which value is white is a matter of the whole
data set (`depth` finds it), unless the file says it of itself:

  PNG        an sBIT chunk below 16. The specification wants such values
             scaled up to 16 bits; where none is above its bits they were not
  TIFF       BitsPerSample of 12; MaxSampleValue or SMaxSampleValue (and the
             smallest, of signed values) that span 8 to 15 bits exactly.
             Others are taken for the image's own extremes
  PGM        a maxval below 65535
  JPEG 2000  a precision below 16
"""

from collections.abc import Mapping
import dataclasses
import math
from typing import Any
from typing import BinaryIO
from typing import NamedTuple

import numpy as np
from PIL import Image

from medxfer import errors

FULL = 65535
_PNG_CHUNKS = 32  # At most so many come before the pixels.
_BITS, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339
_SMALLEST, _LARGEST = (280, 340), (281, 341)  # Unsigned; of any type.
_WHITE_IS_ZERO, _UNSIGNED, _FLOAT = 0, 1, 3
# A codestream's start and the marker of its size; JPEG 2000, annex A.
_CODESTREAM, _PRECISION = b'\xff\x4f\xff\x51', 42


class Range(NamedTuple):
  """The values that become black and white.

  Attributes:
    low: black, as the files store it.
    high: white.
    overrules: whether it counts even where a file says its own.
  """

  low: float
  high: float
  overrules: bool = False


# Of a run that saw no deep image.
UNSEEN = Range(0, FULL)


@dataclasses.dataclass(frozen=True, eq=False)
class Grey:
  """A deep grey image.

  Attributes:
    values: [height, width], as the file stores them.
    low, high: their extremes, or wider ones that the file tells of.
    said: the values that the file itself calls black and white, or None.
    white_is_zero: whether it counts from white.
    decoded: the values as Pillow scales them.
  """

  values: np.ndarray
  low: float
  high: float
  said: tuple[float, float] | None
  white_is_zero: bool
  decoded: np.ndarray

  @property
  def is_float(self) -> bool:
    return self.values.dtype.kind == 'f'


class Header(NamedTuple):
  """What a file's header says of its values."""

  said: tuple[float, float] | None = None
  significant: int = 0  # Bits of sBIT.
  extremes: tuple[float | None, float | None] = (None, None)
  maxval: int = 0  # Pillow has scaled from here to 65535.
  shift: int = 0  # Pillow has shifted by so many bits.
  white_is_zero: bool = False
  unsigned: bool = False


def is_deep(image: Image.Image) -> bool:
  """Whether an image has one channel of more than 8 bits."""
  return image.mode == 'F' or image.mode.startswith('I')


def header(image: Image.Image, stream: BinaryIO) -> Header:
  """Reads the header of a deep image's file.

  Args:
    image: opened and not yet loaded, which forgets some of it.
    stream: the file.
  """
  if image.format == 'TIFF':
    return _tiff(image)
  if image.format == 'PPM':
    tile = image.tile[0]  # pyright: ignore[reportAttributeAccessIssue]
    maxval = tile.args[-1] if tile.codec_name.startswith('ppm') else FULL
    return (
        Header(said=(0, maxval), maxval=maxval) if maxval < FULL else Header()
    )
  place = stream.tell()
  stream.seek(0)
  try:
    return (_png if image.format == 'PNG' else _jpeg2000)(stream)
  finally:
    stream.seek(place)


def of_image(image: Image.Image, found: Header, name: str) -> Grey:
  """Returns the values of a loaded deep image.

  Args:
    image: of one channel of more than 8 bits.
    found: its header.
    name: what messages call it.

  Raises:
    DataError: some are no numbers.
  """
  values = decoded = np.asarray(image)
  if found.maxval:
    values = np.rint(values * (found.maxval / FULL)).astype(np.int32)
  elif found.shift:
    values = values >> found.shift
  elif found.unsigned:
    values = values.view(np.uint32)
  low, high = values.min().item(), values.max().item()
  if not math.isfinite(low) or not math.isfinite(high):
    raise errors.DataError(
        f'{name}: some values are not numbers (NaN or infinite); choose a '
        'window and save it as 8 or 16 bits'
    )
  said = found.said
  if found.significant and high > 0:
    most = 2**found.significant - 1
    said = (0, most if high <= most else FULL)
  smallest, largest = found.extremes
  if said and not said[0] <= low <= high <= said[1]:
    said = None
  if not said and smallest is not None:
    low = min(low, smallest)
  if not said and largest is not None:
    high = max(high, largest)
  return Grey(values, low, high, said, found.white_is_zero, decoded)


def eight_bits(found: Grey, scale: Range | None, name: str) -> np.ndarray:
  """Returns uint8 [height, width]; what is out of range is black or white.

  Args:
    found: the image.
    scale: of the data set; None for what is known of the file alone.
    name: what messages call it.

  Raises:
    DataError: there is no `scale`, and no place for these values.
  """
  own = range_of(found, scale)
  if own is None:
    eight = _alone(found, name)
  else:
    low, high = own
    wide = np.float64 if found.values.dtype.itemsize > 2 else np.float32
    eight = found.values.astype(wide)
    eight -= low
    eight *= 255 / (high - low)
    eight = np.rint(np.clip(eight, 0, 255, out=eight)).astype(np.uint8)
  # Pillow inverts only 8 bits.
  return 255 - eight if found.white_is_zero else eight


def range_of(found: Grey, scale: Range | None) -> tuple[float, float] | None:
  """Returns the values of black and white; None: the extremes of the image."""
  if scale is None:
    return None
  if found.said and not scale.overrules:
    return found.said
  return None if scale is UNSEEN else scale[:2]


def described(low: float, high: float) -> str:
  """Returns '0 to 4095 (12 bits)'."""
  bits = _bits(low, high)
  return f'{low:.7g} to {high:.7g}' + (f' ({bits} bits)' if bits else '')


def _alone(found: Grey, name: str) -> np.ndarray:
  """Scales an image of which only values and type are known."""
  values, low, high = found.decoded, found.decoded.min(), found.decoded.max()
  if found.is_float:
    if low >= 0 and high <= 1:
      return np.rint(values * np.float32(255)).astype(np.uint8)
    if low >= 0 and high <= 255:
      return np.rint(values).astype(np.uint8)
    raise errors.DataError(
        f'{name}: float values from {low:g} to {high:g}, neither in [0, 1]'
        ' nor in [0, 255]; choose a window and save it as 8 bits'
    )
  if low < 0 or high > FULL:
    raise errors.DataError(
        f'{name}: integer values from {low} to {high}, outside [0, 65535];'
        ' choose a window and save it as 8 or 16 bits'
    )
  # In 32 bits 8-bit values are common; in 16 bits they are a dark picture.
  if values.dtype.itemsize > 2 and high <= 255:
    return values.astype(np.uint8)
  return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _bits(low: float, high: float) -> int:
  """Returns how many bits a range spans exactly; 0 for another range."""
  span = high - low + 1
  if not 256 <= span <= 2**32 or span != int(span):
    return 0
  bits = int(span).bit_length() - 1
  return bits if span == 2**bits else 0


def _tiff(image: Image.Image) -> Header:
  tags = image.tag_v2  # pyright: ignore[reportAttributeAccessIssue]
  low, high = (_number(tags, codes) for codes in (_SMALLEST, _LARGEST))
  bits, kind = (_number(tags, (code,)) for code in (_BITS, _SAMPLE_FORMAT))
  said: tuple[float, float] | None = None
  if bits and 8 < bits < 16:
    said = (0, 2 ** int(bits) - 1)
  elif high is not None:
    span = (low or 0, high)
    if kind == _FLOAT and span == (0, 1) or 8 <= _bits(*span) < 16:
      said = span
  # What the type holds at most says nothing, and the rest is of integers.
  if kind == _FLOAT or bits and (high or 0) - (low or 0) >= 2**bits - 1:
    low = high = None
  return Header(
      said=said,
      extremes=(low, high),
      white_is_zero=tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO,
      unsigned=bits == 32 and kind in (None, _UNSIGNED),
  )


def _number(tags: Mapping[int, Any], codes: tuple[int, ...]) -> float | None:
  """Returns the first finite number of the first tag that is there."""
  for code in codes:
    said = tags.get(code)
    first: Any = said[0] if isinstance(said, tuple) and said else said
    try:
      if first is not None and math.isfinite(float(first)):
        return float(first)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
      continue
  return None


def _png(stream: BinaryIO) -> Header:
  """Looks for sBIT, which stands before the pixels."""
  stream.seek(8)
  for _ in range(_PNG_CHUNKS):
    head = stream.read(8)
    length, kind = int.from_bytes(head[:4], 'big'), head[4:]
    if kind == b'sBIT':
      bits = (stream.read(1) or b'\0')[0]
      return Header(significant=bits if 8 <= bits < 16 else 0)
    if kind in (b'IDAT', b''):
      break
    stream.seek(length + 4, 1)
  return Header()


def _jpeg2000(stream: BinaryIO) -> Header:
  """Looks for the precision of the first component."""
  content = stream.read(1 << 16)
  start = content.find(_CODESTREAM)
  if start < 0 or len(content) <= start + _PRECISION:
    return Header()
  precision = content[start + _PRECISION]
  bits = (precision & 0x7F) + 1
  # Pillow moves signed values up by half their range.
  if precision & 0x80 or not 8 < bits < 16:
    return Header()
  return Header(said=(0, 2**bits - 1), shift=16 - bits)
