"""Protects the way of an image from its file to a batch."""

from collections.abc import Callable
import pathlib
import shutil
from typing import Any

import numpy as np
from PIL import Image
import pytest

from medxfer import errors
from medxfer.data import batching
from medxfer.data import builders
from medxfer.data import decoded as decoded_lib
from medxfer.data import ham10000
from medxfer.data import images
from medxfer.data import pipeline
from medxfer.data import pixel_sources

_SIZE = (40, 32)


@pytest.fixture
def folder(phantoms: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
  """A copy that a test may damage."""
  return shutil.copytree(phantoms, tmp_path / 'ham')


@pytest.fixture(scope='module')
def decoded(phantoms: pathlib.Path) -> decoded_lib.Decoded:
  """All phantoms at an odd size."""
  return pipeline.decode(ham10000.read(phantoms), _SIZE)


def test_the_tfds_builder_gives_image_label_and_metadata(
    phantoms: pathlib.Path,
) -> None:
  """HAM10000 must be usable as any TFDS data set."""
  builder = builders.of('ham10000')(phantoms)
  assert builder.name == 'ham10000'
  assert builder.info.splits['all'].num_examples == len(builder.examples)
  assert builder.info.features['label'].names == list(ham10000.CLASS_NAMES)
  first = next(iter(builder.as_dataset(split='all').as_numpy_iterator()))
  assert first['image_id'].decode() == builder.examples.image_ids[0]
  assert first['lesion_id'].decode() == builder.examples.groups[0]
  assert first['label'] == builder.examples.labels[0]
  assert set(first) == {
      'image',
      'label',
      'image_id',
      'lesion_id',
      'dx_type',
      'age',
      'sex',
      'localization',
  }
  with Image.open(builder.examples.paths[0]) as image:
    np.testing.assert_array_equal(first['image'].shape[:2], image.size[::-1])


def test_pixels_belong_to_their_rows(decoded: decoded_lib.Decoded) -> None:
  """A shifted row would train every image with its neighbour's label."""
  for row in (0, 7, len(decoded.examples) - 1):
    image = images.read_rgb(decoded.examples.paths[row])
    np.testing.assert_array_equal(
        decoded.pixels[row], pipeline.resize(image, _SIZE)
    )


def test_resizing_averages_rather_than_samples() -> None:
  """Without antialiasing a fine pattern would become noise."""
  stripes = np.zeros((128, 128, 3), np.uint8)
  stripes[:, ::2] = 255
  small = pipeline.resize(stripes, (32, 32))
  assert abs(small[4:-4, 4:-4].astype(int) - 128).max() <= 2


def test_all_sources_serve_the_same_batches(
    decoded: decoded_lib.Decoded,
) -> None:
  """`data.cache` may change speed and memory, not results."""
  rows, weights = batching.batched(np.arange(3, 24)[::-1], 8)
  batches = {}
  for cache in ('device', 'host', 'none'):
    source = pixel_sources.make(cache, decoded, _SIZE)
    batches[cache] = np.stack(
        [
            pixel_sources.pixels(source.stored, batch)
            for batch in source.batches(rows)
        ]
    )
  np.testing.assert_array_equal(batches['device'], decoded.pixels[rows])
  np.testing.assert_array_equal(batches['host'], batches['device'])
  np.testing.assert_array_equal(batches['none'], batches['device'])
  assert weights.sum() == 21


def test_digests_tell_pixels_apart(
    decoded: decoded_lib.Decoded, phantoms: pathlib.Path
) -> None:
  """A resume compares them; copies across the split are found by them."""
  again = pipeline.decode(ham10000.read(phantoms), _SIZE, keep=False)
  assert again.digests == decoded.digests and again.pixels is None
  assert len(set(decoded.digests)) == len(decoded.digests)


@pytest.mark.parametrize(
    'damage',
    [
        lambda path: path.write_bytes(path.read_bytes()[:-200]),
        lambda path: path.write_text('<html>not found</html>'),
    ],
)
def test_an_unreadable_image_is_named_or_skipped(
    folder: pathlib.Path, damage: Callable[..., Any]
) -> None:
  """Truncated files, and error pages saved as .jpg, are common."""
  examples = ham10000.read(folder)
  damage(examples.paths[5])
  with pytest.raises(errors.DataError) as caught:
    pipeline.decode(examples, _SIZE)
  assert str(examples.paths[5]) in str(caught.value)
  assert 'on_bad_image=skip' in str(caught.value)
  decoded = pipeline.decode(examples, _SIZE, on_bad_image='skip')
  assert list(decoded.examples.skipped) == [examples.image_ids[5]]
  assert len(decoded.examples) == len(decoded.pixels) == len(decoded.digests)
  np.testing.assert_array_equal(
      decoded.pixels[5],
      pipeline.resize(images.read_rgb(examples.paths[6]), _SIZE),
  )


def test_nothing_readable_is_an_error(folder: pathlib.Path) -> None:
  """Skipping everything is no data set."""
  examples = ham10000.read(folder).take([0, 1])
  for path in examples.paths:
    path.write_text('no image')
  with pytest.raises(errors.DataError, match='not one image'):
    pipeline.decode(examples, _SIZE, on_bad_image='skip')


def test_an_epoch_holds_every_row_once_in_an_order_of_seed_and_epoch() -> None:
  """The order must be computable anew after a crash."""
  rows = np.arange(100, 130)
  one = batching.shuffled(rows, seed=1, epoch=2)
  assert sorted(one) == list(rows)
  np.testing.assert_array_equal(one, batching.shuffled(rows, seed=1, epoch=2))
  assert list(one) != list(batching.shuffled(rows, seed=1, epoch=3))
  assert list(one) != list(batching.shuffled(rows, seed=2, epoch=2))
  twice = batching.shuffled(rows, seed=1, epoch=2, passes=2)
  # The first pass is that of an epoch of one; the second has its own order.
  np.testing.assert_array_equal(twice[:30], one)
  assert sorted(twice[30:]) == list(rows) and list(twice[30:]) != list(one)
  batches, weights = batching.batched(one, 8)
  assert batches.shape == weights.shape == (4, 8)
  np.testing.assert_array_equal(batches[weights == 1], one)


def test_a_batch_larger_than_the_split_is_the_split() -> None:
  """100,000 copies of one image would only exhaust the memory."""
  batches, weights = batching.batched(np.arange(5), 100_000)
  np.testing.assert_array_equal(batches, [np.arange(5)])
  assert weights.sum() == weights.size == 5
  # Unless four devices share it.
  batches, weights = batching.batched(np.arange(5), 100_000, 4)
  np.testing.assert_array_equal(batches, [[0, 1, 2, 3, 4, 0, 0, 0]])
  np.testing.assert_array_equal(weights, [[1, 1, 1, 1, 1, 0, 0, 0]])
