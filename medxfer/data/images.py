"""Reads any image file as 8-bit RGB.

Collections of medical images mix grey, palette, CMYK and 16-bit files, photos
that are stored lying on their side, and downloads that broke off. Everything
here comes out as the upright picture a person would see, or not at all.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import io
import os
import pathlib
from typing import BinaryIO

import numpy as np
from PIL import ExifTags
from PIL import Image

from medxfer import errors
from medxfer.data import deep_grey as grey_lib
from medxfer.data import dicom
from medxfer.data import dicom_headers

# A larger image is a damaged header or an attack; X-rays have 10 million.
MAX_PIXELS = 100_000_000

# Named, because Pillow's full list starts other programs (EPS) and takes
# almost any bytes for an image (TGA).
_FORMATS = ('JPEG', 'PNG', 'TIFF', 'BMP', 'GIF', 'WEBP', 'PPM', 'JPEG2000')
_RGB_MODES = frozenset(
    (
        '1',
        'L',
        'LA',
        'La',
        'P',
        'PA',
        'RGB',
        'RGBA',
        'RGBa',
        'RGBX',
        'CMYK',
        'YCbCr',
        'HSV',
    )
)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_REPLACE = 'fetch the file again or take it out of the data'


def read_rgb(
    source: pathlib.Path | bytes | BinaryIO,
    *,
    name: str | None = None,
    grey_range: grey_lib.Range | None = None,
    notice: Callable[[grey_lib.Grey], None] | None = None,
) -> np.ndarray:
  """Reads one image; the content decides what it is, not the extension.

  The EXIF orientation is applied, the first frame of several is taken, and
  transparent parts become black; of DICOM, see `dicom`. Grey of more than 8
  bits is scaled from `grey_range`, or from what the file says of itself (see
  `grey`), to [0, 255]. Without a range 16-bit grey is scaled from [0, 65535],
  32-bit integers that fit 8 bits are kept and others scaled like 16-bit ones,
  floats in [0, 1] are scaled by 255 and floats in [0, 255] kept. Results are
  rounded to the nearest value.

  Args:
    source: a path, the bytes of a file, or a binary stream, which is read
      from its position to its end and left open.
    name: what messages call the image; the path or the stream's name if
      None.
    grey_range: of the data set that a deep grey image belongs to.
    notice: called with a deep grey image, before it is scaled.

  Returns:
    uint8 [height, width, 3], a copy of its own.

  Raises:
    errors.DataError: the file is missing, empty, not an image, damaged or
      cut off, without pixels, larger than `MAX_PIXELS`, or its values have
      no defined place in 8 bits.
  """
  name = name or _name(source)
  orientation = 1
  with _stream(source, name) as stream:
    if _is_dicom(stream):
      found = dicom.read(stream.read(), name)
    else:
      with _loaded(stream, name) as (image, header):
        orientation = _orientation(image)
        found = (
            grey_lib.of_image(image, header, name)
            if header
            else to_rgb(image, name)
        )
  if isinstance(found, grey_lib.Grey):
    if notice:
      notice(found)
    eight = grey_lib.eight_bits(found, grey_range, name)
    rgb = np.repeat(eight[:, :, np.newaxis], 3, axis=2)
  else:
    rgb = found
  if orientation in _TURNS:
    turned = Image.fromarray(rgb).transpose(_TURNS[orientation])
    rgb = np.array(turned)
  return rgb


def read_grey(content: bytes, name: str) -> grey_lib.Grey | None:
  """Returns an image's grey values; None of one that has 8 bits, or colours.

  Args:
    content: of the file.
    name: what messages call it.

  Raises:
    errors.DataError: as of `read_rgb`.
  """
  if dicom_headers.is_dicom(content[: dicom_headers.HEAD]):
    found = dicom.read(content, name)
    return found if isinstance(found, grey_lib.Grey) else None
  with _stream(content, name) as stream, _open(stream, name) as image:
    if not grey_lib.is_deep(image):
      return None
  with (
      _stream(content, name) as stream,
      _loaded(stream, name) as (image, header),
  ):
    return grey_lib.of_image(image, header, name) if header else None


def loses_bits(content: bytes, name: str) -> bool:
  """Whether an image has colours of 16 bits, of which the upper 8 are read.

  Args:
    content: of a PNG or TIFF file.
    name: what messages call it.

  Raises:
    errors.DataError: it is not an image.
  """
  with _stream(content, name) as stream, _open(stream, name) as image:
    return not grey_lib.is_deep(image) and any(
        ';16' in str(tile.args)
        for tile in image.tile  # pyright: ignore[reportAttributeAccessIssue]
    )


@contextlib.contextmanager
def _loaded(
    stream: BinaryIO, name: str
) -> Iterator[tuple[Image.Image, grey_lib.Header | None]]:
  """Yields a decoded image; also its header if it is deep grey."""
  with _open(stream, name) as image:
    try:
      deep = grey_lib.is_deep(image)
      header = grey_lib.header(image, stream) if deep else None
      image.load()
    except MemoryError:
      raise
    # Pillow's decoders raise whatever a damaged file drives them to.
    except Exception as error:
      raise errors.DataError(
          f'{name}: the image is cut off or damaged ({_words(error)});'
          f' {_REPLACE}'
      ) from error
    yield image, header


def _is_dicom(stream: BinaryIO) -> bool:
  head = stream.read(dicom_headers.HEAD)
  stream.seek(0)
  return dicom_headers.is_dicom(head)


def _name(source: pathlib.Path | bytes | BinaryIO) -> str:
  if isinstance(source, (str, os.PathLike)):
    return os.fspath(source)
  return str(getattr(source, 'name', None) or '<image bytes>')


def _words(error: Exception) -> str:
  return ' '.join(str(error).split()) or type(error).__name__


@contextlib.contextmanager
def _stream(
    source: pathlib.Path | bytes | BinaryIO, name: str
) -> Iterator[BinaryIO]:
  """Yields a seekable, non-empty binary stream at its start."""
  try:
    if isinstance(source, (str, os.PathLike)):
      stream = pathlib.Path(source).open('rb')
    elif isinstance(source, (bytes, bytearray, memoryview)):
      stream = io.BytesIO(source)
    else:
      stream = io.BytesIO(source.read())
  except FileNotFoundError as error:
    raise errors.DataError(
        f'{name}: there is no such image file; fetch it or take it out of'
        ' the list'
    ) from error
  except OSError as error:
    raise errors.DataError(
        f'{name}: the file cannot be read ({error.strerror or error});'
        ' name an image file and allow reading it'
    ) from error
  with stream:
    if not stream.read(1):
      raise errors.DataError(f'{name}: the file is empty; {_REPLACE}')
    stream.seek(0)
    yield stream


def _open(stream: BinaryIO, name: str) -> Image.Image:
  """Reads the header and refuses a size before a pixel is decoded."""
  try:
    image = Image.open(stream, formats=_FORMATS)
  # Pillow's own limits lie on either side of ours: it warns above 89 million
  # pixels, which is an exception where the caller made warnings errors, and
  # refuses above 179 million.
  except (
      Image.DecompressionBombError,
      Image.DecompressionBombWarning,
  ) as error:
    raise errors.DataError(
        f'{name}: too many pixels ({_words(error)}), at most'
        f' {MAX_PIXELS:,} are read; make it smaller or take it out of the'
        ' data'
    ) from error
  except Image.UnidentifiedImageError as error:
    raise errors.DataError(
        f'{name}: not an image of a kind that is read, or its header is'
        f' damaged; give one of {", ".join(_FORMATS)}'
    ) from error
  except MemoryError:
    raise
  # Plugins raise anything from EOFError to ValueError on a broken header.
  except Exception as error:
    raise errors.DataError(
        f'{name}: the header is cut off or damaged ({_words(error)});'
        f' {_REPLACE}'
    ) from error
  width, height = image.size
  if width < 1 or height < 1:
    raise errors.DataError(
        f'{name}: the image has no pixels ({width} x {height}); {_REPLACE}'
    )
  if width * height > MAX_PIXELS:
    raise errors.DataError(
        f'{name}: too many pixels ({width:,} x {height:,}), at most'
        f' {MAX_PIXELS:,} are read; make it smaller or take it out of the'
        ' data'
    )
  return image


def _orientation(image: Image.Image) -> int:
  """Returns the EXIF orientation, 1 (upright) to 8.

  Not `PIL.ImageOps.exif_transpose`: that also writes the EXIF block anew and
  fails on blocks it can read but not write.
  """
  try:
    return image.getexif().get(ExifTags.Base.Orientation, 1)
  # Where nothing can be read, every viewer shows the picture as it is stored.
  except Exception:
    return 1


def to_rgb(image: Image.Image, name: str) -> np.ndarray:
  """Returns uint8 [height, width, 3] of a loaded image of up to 8 bits."""
  if image.mode not in _RGB_MODES:
    raise errors.DataError(
        f'{name}: colours of kind {image.mode} have no exact place in RGB;'
        ' save it as an RGB or grey image'
    )
  if image.has_transparency_data:
    image = image.convert('RGBA')
    # Black, as outside a dermatoscope's field or an X-ray plate: white would
    # put the brightest value of the picture where nothing was recorded.
    black = Image.new('RGBA', image.size, (0, 0, 0, 255))
    image = Image.alpha_composite(black, image)
  # Pillow has undone Adobe's inverted CMYK while decoding.
  return np.array(image.convert('RGB'))
