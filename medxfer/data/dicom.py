"""Pixels of DICOM files as a viewer shows them.

Stored values are rescaled (Modality LUT) and windowed (VOI LUT) as the file
says; MONOCHROME1 counts from white. A file without a window is scaled like any
deep grey image, from the range of its data set. Of several frames the first is
read.
"""

import io
from typing import Any

import numpy as np

from medxfer import errors
from medxfer.data import deep_grey

_WHITE_IS_ZERO = 'MONOCHROME1'
_GREY = ('MONOCHROME2', _WHITE_IS_ZERO)
_MOST = 100_000_000  # Pixels, as of `images.MAX_PIXELS`.


def read(content: bytes, name: str) -> deep_grey.Grey | np.ndarray:
  """Reads the first frame.

  Args:
    content: of the file.
    name: what messages call it.

  Returns:
    Grey values, with the window as what the file says of itself; or colours,
    uint8 [height, width, 3].

  Raises:
    errors.DataError: the file is damaged, holds no picture, is encrypted, too
      large, or compressed by what no installed library can read.
  """
  dataset = _dataset(content, name)
  _check(dataset, name)
  pixels = _pixels(dataset, name)
  if dataset.PhotometricInterpretation in _GREY:
    return _grey(dataset, pixels, name)
  return _colour(dataset, pixels, name)


def _dataset(content: bytes, name: str) -> Any:
  import pydicom

  try:
    return pydicom.dcmread(io.BytesIO(content))
  except MemoryError:
    raise
  # Broken headers drive it to anything.
  except Exception as error:
    raise errors.DataError(
        f'{name}: the DICOM header is damaged ({_words(error)}); fetch the '
        'file again or take it out of the data'
    ) from error


def _check(dataset: Any, name: str) -> None:
  if 'EncryptedAttributesSequence' in dataset and 'PixelData' not in dataset:
    raise errors.DataError(
        f'{name}: an encrypted DICOM file; decrypt it or take it out of the '
        'data'
    )
  wanted = ('Rows', 'Columns', 'PhotometricInterpretation')
  if 'PixelData' not in dataset or any(key not in dataset for key in wanted):
    what = str(dataset.get('Modality') or 'of an unknown kind')
    raise errors.DataError(
        f'{name}: a DICOM file without pixels ({what}), such as a report; '
        'take it out of the data'
    )
  if int(dataset.Rows) * int(dataset.Columns) > _MOST:
    raise errors.DataError(
        f'{name}: too many pixels ({dataset.Columns:,} x {dataset.Rows:,}), '
        f'at most {_MOST:,} are read'
    )


def _pixels(dataset: Any, name: str) -> np.ndarray:
  """Returns the stored values of the first frame."""
  from pydicom.pixels import utils

  try:
    return utils.pixel_array(dataset, index=0)
  except MemoryError:
    raise
  except Exception as error:
    syntax = getattr(
        getattr(dataset.file_meta, 'TransferSyntaxUID', None), 'name', '?'
    )
    raise errors.DataError(
        f'{name}: its pixels cannot be read ({syntax}: {_words(error)}); if '
        'they are compressed, pip install pylibjpeg[all], or save the file '
        'uncompressed'
    ) from error


def _grey(dataset: Any, stored: np.ndarray, name: str) -> deep_grey.Grey:
  from pydicom.pixels import processing

  if stored.ndim != 2:
    raise errors.DataError(
        f'{name}: pixels of shape {stored.shape}; a grey picture has rows '
        'and columns'
    )
  try:
    values = np.asarray(processing.apply_modality_lut(stored, dataset))
    said = _window(dataset)
    if said is None and 'VOILUTSequence' in dataset:
      values = np.asarray(processing.apply_voi(values, dataset))
      bits = int(dataset.VOILUTSequence[0].LUTDescriptor[2])
      said = (0.0, float(2**bits - 1))
  except Exception as error:
    raise errors.DataError(
        f'{name}: its values cannot be rescaled ({_words(error)}); save it '
        'as PNG'
    ) from error
  if values.dtype == np.float64:
    # Slope and intercept are text in the file; most are whole numbers.
    whole = np.array_equal(values, np.rint(values))
    values = values.astype(np.int32 if whole else np.float32)
  low, high = float(values.min()), float(values.max())
  if not np.isfinite([low, high]).all():
    raise errors.DataError(f'{name}: some values are not numbers')
  if said is None and int(dataset.get('BitsStored', 16)) <= 8 and low >= 0:
    said = (0.0, 255.0)
  return deep_grey.Grey(
      values=values,
      low=low,
      high=high,
      said=said,
      white_is_zero=dataset.PhotometricInterpretation == _WHITE_IS_ZERO,
      decoded=values,
  )


def _window(dataset: Any) -> tuple[float, float] | None:
  """Returns the values of black and white of the first window, or None.

  PS3.3, C.11.2.1.2: the linear function reaches black at c - 0.5 - (w - 1) / 2
  and white at c - 0.5 + (w - 1) / 2, the exact one at c - w / 2 and c + w / 2.
  """
  first = lambda key: np.atleast_1d(dataset.get(key, np.nan))[0]
  if not dataset.get('WindowCenter') and dataset.get('WindowCenter') != 0:
    return None
  centre, width = float(first('WindowCenter')), float(first('WindowWidth'))
  if not np.isfinite([centre, width]).all() or width < 1:
    return None
  if str(dataset.get('VOILUTFunction', 'LINEAR')) == 'LINEAR' and width > 1:
    centre, width = centre - 0.5, width - 1
  return centre - width / 2, centre + width / 2


def _colour(dataset: Any, stored: np.ndarray, name: str) -> np.ndarray:
  from pydicom.pixels import processing

  kind = str(dataset.PhotometricInterpretation)
  try:
    if kind == 'PALETTE COLOR':
      stored = processing.apply_color_lut(stored, dataset)
      stored = (stored / max(int(stored.max()), 1) * 255).round()
  except Exception as error:
    raise errors.DataError(
        f'{name}: its palette is damaged ({_words(error)})'
    ) from error
  # `pixel_array` has turned YBR into RGB.
  if stored.ndim != 3 or stored.shape[-1] != 3:
    raise errors.DataError(
        f'{name}: DICOM pixels of kind {kind} and shape {stored.shape} are '
        'not read; save the file as PNG'
    )
  if stored.dtype == np.uint16:
    stored = stored >> max(int(dataset.BitsStored) - 8, 0)
  return stored.astype(np.uint8)


def _words(error: Exception) -> str:
  return ' '.join(str(error).split())[:200] or type(error).__name__
