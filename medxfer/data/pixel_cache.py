"""A data set's pixels: decoded once for each size, mapped from disk since."""

from collections.abc import Callable
from collections.abc import Sequence
import errno
import functools
import hashlib
import importlib.metadata
import os
import pathlib
from typing import Any

import numpy as np

import medxfer
from medxfer import cache
from medxfer import console
from medxfer.data import decoded as decoded_lib
from medxfer.data import deep_grey
from medxfer.data import examples as examples_lib
from medxfer.data import file_digests as contents_lib
from medxfer.data import hash_vectors

_KIND = 'pixels'
_THUMBNAILS = 'thumbnails'
_DECODERS = ('pillow', 'tensorflow', 'tensorflow-cpu')


def read(
    examples: examples_lib.Examples,
    image_size: tuple[int, int],
    *,
    on_bad_image: str = 'fail',
    keep: bool = True,
    where: pathlib.Path | None = None,
    contents: Sequence[bytes | None] | None = None,
    grey_range: deep_grey.Range | None = None,
) -> decoded_lib.Decoded:
  """Returns what `pipeline.decode` does, from the cache if that holds it.

  Args:
    examples: the table.
    image_size: (height, width) in pixels.
    on_bad_image: 'fail' or 'skip'; a data set with images that cannot be
      read is decoded anew each time.
    keep: whether pixels are needed in memory if the disk cannot hold them.
    where: folder of the cache; None for none.
    contents: the files' digests, of `contents.read`; None to read them here.
    grey_range: of deep grey images.

  Raises:
    DataError: an image cannot be read or has changed since its digest was
      made, or none can be read.
  """
  contents = contents or contents_lib.read(examples.paths)

  decode = functools.partial(
      _decode,
      examples,
      image_size,
      on_bad_image=on_bad_image,
      keep=keep,
      contents=contents,
      grey_range=grey_range,
  )
  key = _key(contents, image_size, grey_range)
  if where is None or key is None:
    return decode()
  try:
    with (
        cache.slot(where, _KIND, key) as slot,
        cache.slot(where, _THUMBNAILS, key) as small,
    ):
      entry, thumbnails = _entry(slot), _entry(small)
      if entry is None or thumbnails is None:
        return _decode_into(slot, small, examples, image_size, decode)
      digests = tuple(map(bytes.fromhex, entry.about['digests']))
      arrays = entry.array, thumbnails.array
      return decoded_lib.Decoded(
          examples, digests, *arrays, grey_range=grey_range
      )
  except OSError as error:
    console.line(
        f'pixel cache: {where} cannot be used '
        f'({error.strerror or os.strerror(errno.EIO)}); the run continues '
        'without it'
    )
    return decode()


def _decode(*args: Any, **keywords: Any) -> decoded_lib.Decoded:
  """Calls `pipeline.decode`."""
  # TensorFlow takes seconds and 500 MiB; pixels from the cache need none of it.
  from medxfer.data import pipeline

  return pipeline.decode(*args, **keywords)


def _decode_into(
    slot: cache.Slot,
    small: cache.Slot,
    examples: examples_lib.Examples,
    image_size: tuple[int, int],
    decode: Callable[..., decoded_lib.Decoded],
) -> decoded_lib.Decoded:
  """Decodes into the cache; both entries are kept, or none is."""
  n = len(examples)
  with (
      slot.draft((n, *image_size, 3), np.uint8) as draft,
      small.draft((n, *hash_vectors.SHAPE), np.uint8) as drawn,
  ):
    decoded = decode(into=draft.array)
    if len(decoded.examples) == n:
      drawn.array[:] = decoded.thumbnails
      drawn.commit({})
      draft.commit({'digests': [d.hex() for d in decoded.digests]})
    return decoded


def _entry(slot: cache.Slot) -> cache.Entry | None:
  try:
    return slot.read()
  except cache.Damaged as damage:
    console.line(f'pixel cache: {damage}, made anew')
    return None


def _key(
    contents: Sequence[bytes | None],
    image_size: tuple[int, int],
    grey_range: deep_grey.Range | None,
) -> dict[str, Any] | None:
  """Returns what decides the pixels: bytes, size, range, and the decoder.

  None if a file cannot be read, which decoding will tell.
  """
  known = [content for content in contents if content is not None]
  if len(known) < len(contents):
    return None
  return {
      'contents': hashlib.sha256(b''.join(known)).hexdigest(),
      'image_size': list(image_size),
      'grey_range': list(grey_range or ()),
      'decoders': {name: _version(name) for name in _DECODERS},
      'medxfer': medxfer.__version__,
  }


def _version(package: str) -> str | None:
  try:
    return importlib.metadata.version(package)
  except importlib.metadata.PackageNotFoundError:
    return None
