"""Protects the pictures: right place, right colour, any caption."""

import pathlib

import matplotlib
import numpy as np
from PIL import Image
import pytest

from medxfer.explain import pictures


def _image(height: int = 40, width: int = 60) -> np.ndarray:
  rng = np.random.default_rng(3)
  return rng.integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_heat_is_painted_where_it_is() -> None:
  """Upside down or mirrored, an explanation would be worse than none."""
  image, heat = _image(), np.zeros((4, 6))
  heat[0, 5] = 1
  found = pictures.overlay(image, heat, alpha=1.0)
  assert found.shape == image.shape and found.dtype == np.uint8
  assert found[0, -1] == pytest.approx(
      np.array(matplotlib.colormaps['inferno'](1.0, bytes=True)[:3]), abs=1
  )
  np.testing.assert_array_equal(found[20:], image[20:])
  np.testing.assert_array_equal(found[:, :40], image[:, :40])


def test_without_heat_the_image_stays_as_it_is() -> None:
  """Nothing found must not look like something."""
  image = _image()
  np.testing.assert_array_equal(
      pictures.overlay(image, np.zeros((2, 3))), image
  )


def test_maps_are_resized_between_their_places() -> None:
  """Bilinear: from dark to bright without a step, ends at the ends."""
  found = pictures.coloured(np.array([[0.0, 1.0]]), (3, 64), 'gray')
  row = found[1, :, 0].astype(int)
  assert row[0] == 0 and row[-1] == 255
  assert 0 <= np.diff(row).min() and np.diff(row).max() < 12


@pytest.mark.parametrize(
    'values, expected',
    [
        ([[2.0, 4.0], [3.0, 6.0]], [[0, 0.5], [0.25, 1]]),
        ([[7.0, 7.0]], [[0, 0]]),
    ],
)
def test_a_map_is_stretched_over_its_own_range(
    values: list, expected: list
) -> None:
  """A dead channel is dark, not a division by zero."""
  np.testing.assert_allclose(pictures.stretched(np.array(values)), expected)


def test_sheets_hold_every_picture_unchanged() -> None:
  """Row by row, white between them."""
  images = [_image() for _ in range(4)]
  images[3] = images[3] // 2
  plain = pictures.tile(images, columns=3)
  assert plain.shape == (2 * 46 + 6, 3 * 66 + 6, 3)
  np.testing.assert_array_equal(plain[52:92, 6:66], images[3])
  assert (plain[52:92, 72:] == 255).all() and (plain[:6] == 255).all()
  captioned = pictures.tile(images, ['a', 'b', 'c', 'd'], columns=9)
  assert captioned.shape[1] == 4 * 66 + 6
  np.testing.assert_array_equal(captioned[-46:-6, -66:-6], images[3])
  assert (captioned[6:24, 6:66] != 255).any()


@pytest.mark.parametrize(
    'caption',
    [
        'a caption that is much wider than its picture',
        'меланома',
        'two\nlines',
        '<script>',
        '',
        'not\udcff UTF-8',
        '黑色素瘤',
    ],
)
def test_any_caption_stays_above_its_own_picture(caption: str) -> None:
  """Names of files and classes are whatever people call them."""
  images = [np.full((40, 60, 3), 255, np.uint8)] * 2
  found = pictures.tile(images, [caption, ''], columns=2)
  assert found.shape == (40 + 18 + 12, 2 * 66 + 6, 3)
  assert (found[24:] == 255).all() and (found[:, 68:] == 255).all()


def test_small_images_are_enlarged_by_whole_numbers() -> None:
  """32 pixels are no picture to look at; 224 are left alone."""
  assert pictures.enlarged(_image(32, 48)).shape == (192, 288, 3)
  assert pictures.enlarged(_image(64, 64)).shape == (192, 192, 3)
  image = _image(224, 224)
  assert pictures.enlarged(image) is image


def test_stacks_and_files_keep_every_pixel(tmp_path: pathlib.Path) -> None:
  """PNG, not JPEG; the narrower picture gets white beside it."""
  wide, narrow = _image(10, 30), _image(5, 20)
  found = pictures.stack([wide, narrow])
  pictures.write(tmp_path / 'p.png', found)
  read = np.asarray(Image.open(tmp_path / 'p.png'))
  np.testing.assert_array_equal(read[:10], wide)
  np.testing.assert_array_equal(read[10:, :20], narrow)
  assert (read[10:, 20:] == 255).all()
