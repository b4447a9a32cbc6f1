"""Every kind of image file comes out as the picture a person would see."""

import contextlib
import io
import pathlib
import struct
from typing import Any
import warnings
import zlib

import numpy as np
from PIL import ExifTags
from PIL import Image
from PIL import ImageOps
import pytest

from medxfer import errors
from medxfer.data import images

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)
COLOURS = np.stack([RAMP, RAMP[::-1], RAMP.T], axis=2)


def _bytes(
    image: Image.Image | np.ndarray, kind: str = 'PNG', **options: Any
) -> bytes:
  if isinstance(image, np.ndarray):
    image = Image.fromarray(image)
  stream = io.BytesIO()
  image.save(stream, kind, **options)
  return stream.getvalue()


def _grey(values: list | np.ndarray) -> np.ndarray:
  return np.repeat(np.asarray(values)[:, :, np.newaxis], 3, axis=2)


def _refused(source: Any) -> str:
  with pytest.raises(errors.DataError) as caught:
    images.read_rgb(source)
  return str(caught.value)


def _png(width: int, height: int, data: bytes = b'') -> bytes:
  """A PNG whose header claims any size."""

  def chunk(kind: bytes, body: bytes) -> bytes:
    check = struct.pack('>I', zlib.crc32(kind + body))
    return struct.pack('>I', len(body)) + kind + body + check

  header = struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)
  return (
      b'\x89PNG\r\n\x1a\n'
      + chunk(b'IHDR', header)
      + chunk(b'IDAT', zlib.compress(data))
      + chunk(b'IEND', b'')
  )


@pytest.mark.parametrize(
    'kind', ['PNG', 'BMP', 'TIFF', 'PPM', 'WEBP', 'JPEG2000']
)
def test_lossless_colour_is_kept_exactly(
    kind: str, tmp_path: pathlib.Path
) -> None:
  """Protects: no rounding, channel swap or transposition on the way."""
  options = {'lossless': True} if kind == 'WEBP' else {}
  data = _bytes(COLOURS, kind, **options)
  path = tmp_path / 'image'
  path.write_bytes(data)
  with path.open('rb') as stream:
    for source in (path, str(path), data, stream, io.BytesIO(data)):
      rgb = images.read_rgb(source)
      assert rgb.dtype == np.uint8 and rgb.flags.c_contiguous
      np.testing.assert_array_equal(rgb, COLOURS)
    assert not stream.closed
  rgb[0, 0] = 7  # A copy of its own can be written to.


@pytest.mark.parametrize(
    'image, want',
    [
        (Image.fromarray(RAMP > 99), _grey((RAMP > 99) * 255)),
        (Image.fromarray(RAMP), _grey(RAMP)),
        (
            Image.merge(
                'LA', [Image.fromarray(RAMP), Image.new('L', (16, 16), 255)]
            ),
            _grey(RAMP),
        ),
        (Image.new('LA', (2, 2), (200, 0)), _grey(np.zeros((2, 2)))),
        (
            Image.new('RGBA', (2, 2), (255, 0, 100, 51)),
            np.tile([51, 0, 20], (2, 2, 1)),
        ),
        (Image.fromarray(COLOURS).convert('P'), None),
    ],
    ids=['1', 'L', 'LA-opaque', 'LA-clear', 'RGBA', 'P'],
)
def test_modes(image: Image.Image, want: np.ndarray | None) -> None:
  """Protects: bilevel, grey and palettes are right; clear parts are black."""
  if want is None:
    want = np.array(image.convert('RGB'))
  np.testing.assert_array_equal(images.read_rgb(_bytes(image)), want)


@pytest.mark.parametrize('kind', ['PNG', 'GIF'])
def test_transparent_palette_entries_become_black(kind: str) -> None:
  """Protects: the colour hidden below transparency is not shown."""
  image = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8), 'L')
  image = image.convert('P')
  image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
  rgb = images.read_rgb(_bytes(image, kind, transparency=1))
  assert rgb.tolist() == [[[255, 0, 0], [0, 0, 0]], [[0, 0, 255], [0, 0, 0]]]


def test_transparent_colour_of_a_png_becomes_black() -> None:
  """Protects: the colour key of RGB files is transparency too."""
  image = Image.new('RGB', (2, 1), (9, 8, 7))
  image.putpixel((1, 0), (1, 2, 3))
  rgb = images.read_rgb(_bytes(image, transparency=(9, 8, 7)))
  assert rgb.tolist() == [[[0, 0, 0], [1, 2, 3]]]


@pytest.mark.parametrize(
    'mode, kind', [('CMYK', 'TIFF'), ('CMYK', 'JPEG'), ('YCbCr', 'TIFF')]
)
def test_print_and_video_colours(mode: str, kind: str) -> None:
  """Protects: CMYK, inverted in JPEG, is no negative; YCbCr is not RGB."""
  red = {'CMYK': (0, 255, 255, 0), 'YCbCr': (76, 85, 255)}[mode]
  data = _bytes(Image.new(mode, (16, 16), red), kind)
  # As Photoshop writes them: the marker says that the values are inverted.
  assert kind != 'JPEG' or b'Adobe' in data
  rgb = images.read_rgb(data).astype(int)
  assert np.abs(rgb - [255, 0, 0]).max() <= 3


@pytest.mark.parametrize(
    'kind, order', [('PNG', '<u2'), ('TIFF', '<u2'), ('TIFF', '>u2')]
)
def test_16_bit_ramp_is_scaled_and_not_clipped(kind: str, order: str) -> None:
  """Protects: X-rays in 16 bits are not white."""
  ramp = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
  want = np.rint(ramp / 257).astype(np.uint8)
  rgb = images.read_rgb(_bytes(ramp.astype(order), kind))
  np.testing.assert_array_equal(rgb, _grey(want))
  assert (rgb.min(), rgb.max()) == (0, 255)


def test_dark_16_bit_images_stay_dark() -> None:
  """Protects: one scale for all files of a kind, whatever they show."""
  dark = np.full((2, 2), 200, np.uint16)
  assert images.read_rgb(_bytes(dark)).max() == 1


def test_16_bit_tiff_that_counts_from_white() -> None:
  """Protects: negatives are shown as the picture they stand for."""
  ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
  data = _bytes(ramp, 'TIFF', tiffinfo={262: 0})
  want = 255 - np.rint(ramp / 257).astype(np.uint8)
  np.testing.assert_array_equal(images.read_rgb(data), _grey(want))


@pytest.mark.parametrize(
    'values, want',
    [
        ([[0, 255], [7, 1]], [[0, 255], [7, 1]]),
        ([[0, 256], [65535, 257]], [[0, 1], [255, 1]]),
    ],
)
def test_32_bit_integers(values: list, want: list) -> None:
  """Protects: 8-bit values in a wide file are kept, 16-bit ones scaled."""
  data = _bytes(np.array(values, np.int32), 'TIFF')
  np.testing.assert_array_equal(images.read_rgb(data), _grey(want))


@pytest.mark.parametrize(
    'values, want',
    [
        ([[0, 0.5], [1, 0.1]], [[0, 128], [255, 26]]),
        ([[0, 254.6], [2, 1.4]], [[0, 255], [2, 1]]),
    ],
)
def test_floats(values: list, want: list) -> None:
  """Protects: shares of one are scaled, 8-bit values kept."""
  data = _bytes(np.array(values, np.float32), 'TIFF')
  np.testing.assert_array_equal(images.read_rgb(data), _grey(want))


@pytest.mark.parametrize(
    'values',
    [
        np.array([[0, 65536]], np.int32),
        np.array([[-1, 5]], np.int32),
        np.array([[0, np.nan]], np.float32),
        np.array([[0, np.inf]], np.float32),
        np.array([[-1000, 400]], np.float32),
        np.array([[0, 256]], np.float32),
    ],
    ids=str,
)
def test_values_without_a_place_in_8_bits_are_refused(
    values: np.ndarray,
) -> None:
  """Protects: Hounsfield units and NaN are not clipped into a picture."""
  assert 'choose a window' in _refused(_bytes(values, 'TIFF'))


def test_colours_without_an_exact_conversion_are_refused() -> None:
  """Protects: L*a*b* is not taken for RGB."""
  assert 'LAB' in _refused(_bytes(Image.new('LAB', (4, 4)), 'TIFF'))


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'TIFF', 'WEBP'])
@pytest.mark.parametrize('orientation', range(1, 9))
def test_orientation_of_cameras(kind: str, orientation: int) -> None:
  """Protects: photos stored on their side stand upright, like Pillow's."""
  exif = Image.Exif()
  exif[ExifTags.Base.Orientation] = orientation
  blocks = np.kron(
      np.array([[10, 90, 170], [50, 130, 240]], np.uint8),
      np.ones((16, 16), np.uint8),
  )
  data = _bytes(_grey(blocks), kind, exif=exif)
  rgb = images.read_rgb(data)
  with Image.open(io.BytesIO(data)) as image:
    want = np.array(ImageOps.exif_transpose(image).convert('RGB'))
  np.testing.assert_array_equal(rgb, want)
  if orientation == 6:
    assert rgb.shape == (48, 32, 3)
    corners = rgb[[8, 8, 40, 40], [8, 24, 8, 24], 0].astype(int)
    # A quarter clockwise: the lower left corner comes to the upper left.
    assert np.abs(corners - [50, 10, 240, 170]).max() <= 3


def test_damaged_exif_leaves_the_picture_as_stored() -> None:
  """Protects: a good picture with a bad note is not lost."""
  data = _bytes(COLOURS, exif=b'Exif\x00\x00no such thing')
  np.testing.assert_array_equal(images.read_rgb(data), COLOURS)


@pytest.mark.parametrize('kind', ['GIF', 'TIFF', 'WEBP', 'PNG'])
def test_first_of_several_frames(kind: str) -> None:
  """Protects: one file is one example, its first frame."""
  frames = [Image.new('RGB', (8, 8), colour) for colour in ('red', 'blue')]
  options = {'lossless': True} if kind == 'WEBP' else {}
  data = _bytes(
      frames[0], kind, save_all=True, append_images=frames[1:], **options
  )
  np.testing.assert_array_equal(
      images.read_rgb(data), np.tile([255, 0, 0], (8, 8, 1))
  )


def test_content_decides_not_the_extension(tmp_path: pathlib.Path) -> None:
  """Protects: a PNG that is called .jpg is read."""
  path = tmp_path / 'lesion.jpg'
  path.write_bytes(_bytes(COLOURS))
  np.testing.assert_array_equal(images.read_rgb(path), COLOURS)


@pytest.mark.filterwarnings('ignore:Truncated File Read')
@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'TIFF', 'BMP', 'GIF', 'WEBP'])
def test_no_cut_gives_another_picture(kind: str) -> None:
  """Protects: a broken download is refused, never filled up with grey."""
  noise = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
  data = _bytes(noise, kind)
  whole = images.read_rgb(data)
  assert 'cut off' in _refused(data[: len(data) // 2])
  for keep in [*range(1, len(data) - 16, 131), *range(-40, 0)]:
    try:
      rgb = images.read_rgb(data[:keep])
    except errors.DataError:
      continue
    # What was cut off held no pixels.
    np.testing.assert_array_equal(rgb, whole, err_msg=str(keep))


def test_flipped_bytes_never_raise_anything_else() -> None:
  """Protects: a damaged file ends in one message, whatever the decoder did."""
  generator = np.random.default_rng(0)
  for kind in ('JPEG', 'PNG', 'TIFF', 'BMP', 'GIF', 'WEBP', 'JPEG2000'):
    data = np.frombuffer(_bytes(COLOURS, kind), np.uint8)
    for _ in range(60):
      bad = data.copy()
      places = generator.integers(0, min(len(bad), 200), 3)
      bad[places] = generator.integers(0, 256, 3)
      with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        with contextlib.suppress(errors.DataError):
          images.read_rgb(bad.tobytes())


def test_messages_name_the_file_and_the_reason(tmp_path: pathlib.Path) -> None:
  """Protects: a person sees which file to replace, and why."""
  photo = _bytes(COLOURS, 'JPEG')
  for name, data, reason in (
      ('cut.jpg', photo[: -len(photo) // 3], 'cut off or damaged'),
      ('empty.jpg', b'', 'the file is empty'),
      ('text.jpg', b'not found\n', 'not an image'),
      ('no_pixels.png', _png(0, 5), 'not an image'),
      ('program.eps', _bytes(COLOURS, 'EPS'), 'not an image'),
  ):
    path = tmp_path / name
    path.write_bytes(data)
    for source in (path, data, io.BytesIO(data)):
      message = _refused(source)
      assert reason in message and '\n' not in message
    assert str(path) in _refused(path)
    with path.open('rb') as stream:
      assert str(path) in _refused(stream)
  assert 'no such image file' in _refused(tmp_path / 'none.jpg')
  assert 'cannot be read' in _refused(tmp_path)
  with pytest.raises(errors.DataError, match='^row 7: the file is empty'):
    images.read_rgb(b'', name='row 7')


@pytest.mark.parametrize('size', [(10_001, 10_000), (60_000, 60_000)])
@pytest.mark.parametrize('action', ['ignore', 'error'])
def test_bombs_are_refused_by_their_header(
    size: tuple, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
  """Protects: nothing is decoded; the limit is ours, no global is touched."""
  monkeypatch.setattr(Image.Image, 'load', None)
  with warnings.catch_warnings():
    warnings.simplefilter(action)
    before = list(warnings.filters), Image.MAX_IMAGE_PIXELS
    message = _refused(_png(*size))
    assert (warnings.filters, Image.MAX_IMAGE_PIXELS) == before
  assert 'too many pixels' in message and '100,000,000' in message
