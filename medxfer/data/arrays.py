"""Images as Python programs hold them: arrays, paths, open files, pictures.

What a file would become, an array becomes as well: the same pixels, in the
same range.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import functools
import os
import pathlib
from typing import Any

import numpy as np
from PIL import Image
from PIL import ImageOps

from medxfer import errors
from medxfer.data import deep_grey
from medxfer.data import images as images_lib

_SHAPES = (
    'an image is [height, width, 3] (RGB), [height, width, 4] (RGBA) or '
    '[height, width] (grey); a batch is [n, height, width, channels], '
    'with one channel for grey'
)
Notice = Callable[[deep_grey.Grey], None]


def listed(images: Any) -> Sequence[Any]:
  """Returns single images, from one of them or from many.

  Args:
    images: one image (see `rgb`) or a sequence of them; an array of four
      dimensions is a batch.

  Raises:
    UsageError: it is nothing of that kind.
  """
  if isinstance(images, (bytearray, memoryview)):
    images = bytes(images)
  single = (str, bytes, os.PathLike, Image.Image)
  if isinstance(images, single) or hasattr(images, 'read'):
    return [images]
  if isinstance(images, (list, tuple)):
    return images
  if hasattr(images, '__array__'):
    array = np.asarray(images)
    return list(array) if array.ndim == 4 else [array]
  if hasattr(images, '__iter__') and not isinstance(images, Mapping):
    return list(images)
  raise errors.UsageError(
      f'images: {type(images).__name__} is not an image; give an array, a '
      'path, an open file, or a sequence of them'
  )


def rgb(
    image: Any,
    name: str,
    *,
    grey_range: deep_grey.Range | None = None,
    notice: Notice | None = None,
) -> np.ndarray:
  """Returns one image as 8-bit RGB, [height, width, 3].

  Args:
    image: a path, the bytes of a file, an open binary file, a Pillow image,
      or an array: [height, width], [height, width, 1], 3 (RGB) or 4 (RGBA).
      Unsigned 8 bits are taken as they are. Deep grey (more bits, or
      floats) is scaled from `grey_range`, as files are. Of colours, 16 bits
      keep their upper 8, floats in [0, 1] are scaled by 255, and other values
      must lie in [0, 255].
    name: what messages call it.
    grey_range: of the data set, for deep grey.
    notice: called with a deep grey image before it is scaled.

  Raises:
    DataError: a file is missing, damaged or no image.
    UsageError: an array has another shape, or values without a place in 8
      bits.

  Example:
    >>> arrays.rgb(np.uint16([[0, 65535]]), 'x').tolist()
    [[[0, 0, 0], [255, 255, 255]]]
  """
  if isinstance(image, (str, os.PathLike)):
    path = pathlib.Path(image)
    if path.is_dir():
      raise errors.UsageError(
          f'{path}: is a folder; give the paths of its images'
      )
    return images_lib.read_rgb(path, grey_range=grey_range, notice=notice)
  if isinstance(image, (bytearray, memoryview)):
    image = bytes(image)
  if isinstance(image, bytes) or hasattr(image, 'read'):
    return images_lib.read_rgb(
        image, name=name, grey_range=grey_range, notice=notice
    )
  if isinstance(image, Image.Image):
    image = _of_pillow(image, name)
  array = _checked(np.asarray(image), name)
  if array.ndim == 2:
    return _grey(array, name, grey_range, notice)
  return _colour(array, name)


def _checked(array: np.ndarray, name: str) -> np.ndarray:
  """Returns [h, w], [h, w, 3] or [h, w, 4] of finite numbers."""
  if array.ndim == 3 and array.shape[-1] == 1:
    array = array[..., 0]
  is_image = array.ndim == 2 or array.ndim == 3 and array.shape[-1] in (3, 4)
  if not is_image or not array.size:
    planar = array.ndim == 3 and array.shape[0] in (1, 3, 4)
    raise errors.UsageError(
        f'{name}: an array of shape {array.shape}; {_SHAPES}'
        + ('; if its channels come first, transpose it' if planar else '')
    )
  if array.dtype == bool:
    array = array.astype(np.uint8) * 255
  if array.dtype.kind not in 'uif':
    raise errors.UsageError(f'{name}: an array of {array.dtype}; give numbers')
  if array.dtype.kind == 'f' and not np.isfinite(array).all():
    raise errors.UsageError(f'{name}: some values are NaN or infinite')
  return array


def sized(
    image: Any,
    name: str,
    image_size: tuple[int, int],
    grey_range: deep_grey.Range | None = None,
    notice: Notice | None = None,
) -> np.ndarray:
  """Returns one image as training read it: uint8 [height, width, 3].

  Args:
    image: see `rgb`.
    name: what messages call it.
    image_size: (height, width) in pixels.
    grey_range: of the data set, for deep grey.
    notice: called with a deep grey image before it is scaled.
  """
  found = rgb(image, name, grey_range=grey_range, notice=notice)
  if found.shape[:2] == tuple(image_size):
    return found
  # TensorFlow resizes, as in training; it takes seconds to load.
  from medxfer.data import pipeline

  return pipeline.resize(found, image_size)


def batches(
    images: Any,
    size: int,
    image_size: tuple[int, int],
    grey_range: deep_grey.Range | None = None,
    notice: Callable[[str, deep_grey.Grey], None] | None = None,
) -> Iterator[np.ndarray]:
  """Yields the pixels of images, uint8 [at most `size`, height, width, 3].

  Args:
    images: see `listed`.
    size: of a batch.
    image_size: (height, width) in pixels.
    grey_range: of the data set, for deep grey.
    notice: called with the name of a deep grey image, and with the image.
  """
  found = listed(images)
  for first in range(0, len(found), size):
    yield np.stack(
        [
            sized(
                image,
                name := f'images[{i}]',
                image_size,
                grey_range,
                functools.partial(notice, name) if notice else None,
            )
            for i, image in enumerate(found[first : first + size], start=first)
        ]
    )


def _grey(
    array: np.ndarray,
    name: str,
    grey_range: deep_grey.Range | None,
    notice: Notice | None,
) -> np.ndarray:
  if array.dtype != np.uint8:
    if array.dtype == np.float16:
      array = array.astype(np.float32)
    grey = deep_grey.Grey(
        array, array.min().item(), array.max().item(), None, False, array
    )
    if notice:
      notice(grey)
    array = deep_grey.eight_bits(grey, grey_range, name)
  return np.repeat(array[..., np.newaxis], 3, axis=2)


def _colour(array: np.ndarray, name: str) -> np.ndarray:
  """Returns uint8 [height, width, 3] of RGB or RGBA of any type."""
  low, high = array.min().item(), array.max().item()
  if array.dtype == np.uint16:
    array = array >> 8
  elif array.dtype.kind == 'f' and low >= 0 and high <= 1:
    array = np.rint(array * np.float32(255))
  elif low < 0 or high > 255:
    raise errors.UsageError(
        f'{name}: {array.dtype} colours from {low:g} to {high:g}, neither in '
        '[0, 1] nor in [0, 255]; scale them to 8 bits'
    )
  array = np.rint(array).astype(np.uint8)
  if array.shape[-1] == 3:
    return array
  return images_lib.to_rgb(Image.fromarray(array, 'RGBA'), name)


def _of_pillow(image: Image.Image, name: str) -> np.ndarray:
  """Returns a picture's pixels, upright; deep grey as it is."""
  image = ImageOps.exif_transpose(image)
  if deep_grey.is_deep(image):
    return np.asarray(image)
  return images_lib.to_rgb(image, name)
