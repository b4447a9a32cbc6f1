"""What the deep grey images of a data set hold, found without the others."""

from collections.abc import Sequence
import dataclasses
import hashlib
import pathlib

import numpy as np

from medxfer import cache
from medxfer import errors
from medxfer import progress
from medxfer.data import dicom_headers
from medxfer.data import examples as examples_lib
from medxfer.data import file_digests as contents_lib
from medxfer.data import images

_KIND = 'depth'
_VERSION = 1  # Of what is kept.
_COLOUR = 1  # Stands where no values are: 16-bit colours.
_HEAD = dicom_headers.HEAD  # Bytes that tell which files may be deep.
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


def read(
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
  deep_ones = {
      i: content
      for i, (path, content) in enumerate(zip(examples.paths, contents))
      if content and _may_be_deep(path)
  }
  rows, found = list(deep_ones), np.empty((0, len(_COLUMNS)))
  if rows:
    paths = [examples.paths[i] for i in rows]
    found = _kept(paths, list(deep_ones.values()), where)
  deep, colour = ~np.isnan(found[:, 0]), found[:, 1] == _COLOUR
  names = np.array(examples.image_ids, object)[rows]
  colour = tuple(names[colour & ~deep])
  names, found = tuple(names[deep]), found[deep]
  return Survey(
      names=names,
      colour=colour,
      low=found[:, 0],
      high=found[:, 1],
      said=found[:, 2:4],
      is_float=found[:, 4] == 1,
  )


def _may_be_deep(path: pathlib.Path) -> bool:
  """Whether a file may be deep, by its first bytes: JPEG and others may not."""
  try:
    with path.open('rb') as file:
      head = file.read(_HEAD)
  except OSError:
    return False
  if head.startswith(_PNG):
    return head[24:25] == b'\x10'
  if dicom_headers.is_dicom(head):
    return True
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
  key = {
      'contents': hashlib.sha256(b''.join(contents)).hexdigest(),
      'version': _VERSION,
  }
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
    paths: Sequence[pathlib.Path], contents: Sequence[bytes], into: np.ndarray
) -> np.ndarray:
  files = list(zip(paths, contents))
  for i, (path, content) in enumerate(
      progress.track(
          files,
          total=len(files),
          title='looking for the value range',
          unit='images',
      )
  ):
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
  return (
      found.low,
      found.high,
      *(found.said or (np.nan, np.nan)),
      float(found.is_float),
  )
