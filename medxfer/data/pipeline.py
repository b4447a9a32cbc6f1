"""The tf.data pipeline: read, decode to RGB, resize, once.

Files become uint8 arrays of one size; everything random happens later, on
the device. Decoding is `images.read_rgb`, the same for a training image and
for one that `medxfer predict` is given.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import functools
import hashlib
import os
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from medxfer import errors
from medxfer import progress
from medxfer.data import builders
from medxfer.data import decoded as decoded_lib
from medxfer.data import deep_grey
from medxfer.data import examples as examples_lib
from medxfer.data import file_digests as contents_lib
from medxfer.data import hash_vectors
from medxfer.data import images
from medxfer.data import perceptual_hash

_BATCH = 64
_CHANGED = b'\0'  # Begins the reason of a file that is not what it was.

# The bytes of a file, and its path -> uint8 [h, w, 3], b'' or why not, and a
# thumbnail.
_Reader = Callable[[bytes, bytes], tuple[np.ndarray, bytes, np.ndarray]]


def decode(
    examples: examples_lib.Examples,
    image_size: tuple[int, int],
    *,
    on_bad_image: str = 'fail',
    keep: bool = True,
    into: np.ndarray | None = None,
    contents: Sequence[bytes | None] | None = None,
    grey_range: deep_grey.Range | None = None,
) -> decoded_lib.Decoded:
  """Reads every image once.

  Args:
    examples: the table.
    image_size: (height, width) in pixels; images are squeezed into it, as
      the thesis did.
    on_bad_image: 'fail', or 'skip' to leave out and list what is unreadable.
    keep: whether to keep the pixels, n * height * width * 3 bytes.
    into: uint8 [n, height, width, 3] that takes them, kept in any case.
    contents: digests that the files must have, of `contents.read`; None, or
      one that is None, is not compared.
    grey_range: of deep grey images, as of `images.read_rgb`.

  Raises:
    DataError: an image cannot be read or is another, or none can be read.
  """
  pixels = into
  if keep and into is None:
    pixels = np.empty((len(examples), *image_size, 3), np.uint8)
  thumbnails = np.empty((len(examples), *hash_vectors.SHAPE), np.uint8)
  digests, bad = [], {}
  wanted = dict(zip(map(os.fsencode, examples.paths), contents or ()))
  read = functools.partial(_read, wanted, grey_range)
  for i, (image, reason, thumbnail) in enumerate(
      _loaded(examples, image_size, read)
  ):
    if reason:
      bad[examples.image_ids[i]] = _refusal(reason, on_bad_image)
    if pixels is not None:
      pixels[i] = image
    thumbnails[i] = thumbnail
    digests.append(_digest(image))
  if len(bad) == len(examples):
    raise errors.DataError(f'{examples.name}: not one image can be read')
  good = [i for i, name in enumerate(examples.image_ids) if name not in bad]
  return decoded_lib.Decoded(
      examples=examples.without(bad),
      digests=tuple(digests[i] for i in good),
      pixels=pixels if pixels is None or not bad else pixels[good],
      thumbnails=thumbnails[good] if bad else thumbnails,
      grey_range=grey_range,
  )


def _refusal(reason: bytes, on_bad_image: str) -> str:
  """Returns why an image is left out, or raises if none may be."""
  if reason.startswith(_CHANGED):
    raise errors.DataError(reason.removeprefix(_CHANGED).decode())
  if on_bad_image == 'fail':
    raise errors.DataError(
        f'{reason.decode()}; or leave such images out with '
        '--config.data.on_bad_image=skip'
    )
  return reason.decode()


def stream(
    examples: examples_lib.Examples,
    image_size: tuple[int, int],
    rows: np.ndarray,
    *,
    digests: Sequence[bytes],
    grey_range: deep_grey.Range | None = None,
) -> Iterator[np.ndarray]:
  """Yields batches read from the files, for images that fit no memory.

  Args:
    examples: a table of readable images.
    image_size: (height, width) in pixels.
    rows: [batches, batch size], which rows of the table each batch holds.
    digests: of the pixels of all images, as `decode` has found them.
    grey_range: as of `decode`.

  Yields:
    uint8 [batch size, height, width, 3].

  Raises:
    DataError: an image cannot be read any more, or is another.
  """
  wanted = examples.take(rows.reshape(-1).tolist())
  dataset = _decoded(
      builders.TableBuilder(wanted),
      image_size,
      functools.partial(_read, {}, grey_range),
  )
  batches = dataset.batch(rows.shape[1]).prefetch(tf.data.AUTOTUNE)
  for batch, (pixels, reasons, _) in zip(rows, _numpy(batches)):
    for reason in filter(None, reasons):
      raise errors.DataError(f'{reason.decode()}; it was readable before')
    for row, image in zip(batch, pixels):
      if digests[row] != _digest(image):
        raise errors.DataError(
            f'{examples.paths[row]}: the image has changed since this run '
            'began; restore it, and start again'
        )
    yield pixels


def resize(image: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
  """Resizes one image as `decode` does.

  Args:
    image: uint8 [h, w, 3].
    image_size: (height, width) in pixels.

  Returns:
    uint8 [height, width, 3].
  """
  return _resize(tf.constant(image), image_size).numpy()


def _loaded(
    examples: examples_lib.Examples, image_size: tuple[int, int], read: _Reader
) -> Iterator[tuple[np.ndarray, bytes, np.ndarray]]:
  """Yields pixels, why they could not be read or b'', and a thumbnail."""
  dataset = _decoded(builders.TableBuilder(examples), image_size, read)
  # Whole batches cross from TensorFlow to Python: one call per image would
  # cost as much as decoding it.
  batches = dataset.batch(_BATCH).prefetch(2)
  rows = (row for batch in _numpy(batches) for row in zip(*batch))
  yield from progress.track(
      rows, total=len(examples), title='reading images', unit='images'
  )


def _decoded(
    builder: builders.TableBuilder, image_size: tuple[int, int], read: _Reader
) -> tf.data.Dataset:
  """Returns pixels, reason they could not be read or b'', thumbnail."""

  # Nothing in it needs AutoGraph, whose files a killed process would leave.
  @tf.autograph.experimental.do_not_convert
  def prepare(row, path) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    image, reason, thumbnail = tf.numpy_function(
        read, [row['image'], path], (tf.uint8, tf.string, tf.uint8)
    )
    image.set_shape([None, None, 3])
    reason.set_shape([])
    thumbnail.set_shape(hash_vectors.SHAPE)
    return _resize(image, image_size), reason, thumbnail

  as_dataset: Any = builder.as_dataset  # A decorator hides its arguments.
  encoded = as_dataset(
      split=builders.SPLIT, decoders={'image': tfds.decode.SkipDecoding()}
  )
  paths = tf.data.Dataset.from_tensor_slices(
      [os.fspath(path) for path in builder.examples.paths]
  )
  return tf.data.Dataset.zip(encoded, paths).map(
      prepare, num_parallel_calls=tf.data.AUTOTUNE
  )


def _numpy(batches: tf.data.Dataset) -> Iterator[Any]:
  """Yields NumPy arrays; a file that has vanished is told like a bad one."""
  try:
    yield from batches.as_numpy_iterator()
  except tf.errors.OpError as error:
    raise errors.DataError(
        'an image cannot be read, though it was there a moment ago: '
        f'{error.message.splitlines()[0]}'
    ) from error


def _digest(image: np.ndarray) -> bytes:
  return hashlib.sha256(image.tobytes()).digest()


def _read(
    contents: Mapping[bytes, bytes | None],
    grey_range: deep_grey.Range | None,
    encoded: bytes,
    path: bytes,
) -> tuple[np.ndarray, bytes, np.ndarray]:
  name, reason = os.fsdecode(path), b''
  try:
    contents_lib.refuse_changed(name, encoded, contents.get(path))
    image = images.read_rgb(encoded, name=name, grey_range=grey_range)
  except errors.DataError as error:
    # An exception inside tf.data would arrive without the image's name.
    kind = _CHANGED if isinstance(error, contents_lib.Changed) else b''
    image, reason = np.zeros((1, 1, 3), np.uint8), kind + str(error).encode()
  return image, reason, perceptual_hash.thumbnail(image)


def _resize(image: tf.Tensor, image_size: tuple[int, int]) -> tf.Tensor:
  # Antialiased: without it a large photograph is sampled, not averaged.
  resized = tf.image.resize(image, image_size, antialias=True)
  return tf.cast(tf.clip_by_value(tf.round(resized), 0, 255), tf.uint8)
