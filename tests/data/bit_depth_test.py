"""Protects the depth of grey images: one range for a data set, and said."""

import io
import pathlib
import struct
from typing import Any
import zlib

import numpy as np
from PIL import Image
import pytest

from medxfer import errors
from medxfer.data import bit_depth
from medxfer.data import bit_depth_survey
from medxfer.data import deep_grey
from medxfer.data import examples as examples_lib
from medxfer.data import file_digests
from medxfer.data import images
from medxfer.data import pipeline

_SHADES = np.random.default_rng(0).uniform(0.05, 1, (60, 24, 24))
_SHADES[:, 0, 0] = 1


def _at(bits: int, shades: np.ndarray = _SHADES) -> np.ndarray:
  return np.rint(shades * (2**bits - 1)).astype(np.uint16)


def _saved(values: np.ndarray, kind: str = 'PNG', **options: Any) -> bytes:
  stream = io.BytesIO()
  Image.fromarray(values).save(stream, kind, **options)
  return stream.getvalue()


def _with_sbit(values: np.ndarray, bits: int) -> bytes:
  """A PNG that says how many of its bits are significant."""
  png, body = _saved(values), b'sBIT' + bytes([bits])
  chunk = struct.pack('>I', 1) + body + struct.pack('>I', zlib.crc32(body))
  return png[:33] + chunk + png[33:]


def _pgm(values: np.ndarray, maxval: int, plain: bool = False) -> bytes:
  head = f'{"P2" if plain else "P5"} {values.shape[1]} {values.shape[0]}'
  body = (
      ' '.join(map(str, values.flat)).encode()
      if plain
      else values.astype('>u2').tobytes()
  )
  return f'{head} {maxval}\n'.encode() + body


def _packed(values: np.ndarray) -> bytes:
  """A TIFF of 12 bits a sample, two samples in three bytes."""
  one, two = values.reshape(-1, 2).astype(np.uint32).T
  both = one << 12 | two
  data = (
      np.stack([both >> 16, both >> 8 & 255, both & 255], 1)
      .astype(np.uint8)
      .tobytes()
  )
  tags = [
      (256, 4, values.shape[1]),
      (257, 4, values.shape[0]),
      (258, 3, 12),
      (259, 3, 1),
      (262, 3, 1),
      (273, 4, 8 + 2 + 9 * 12 + 4),
      (277, 3, 1),
      (278, 4, values.shape[0]),
      (279, 4, len(data)),
  ]
  entries = b''.join(
      struct.pack('<HHII', tag, kind, 1, value) for tag, kind, value in tags
  )
  return b'II*\0' + struct.pack('<IH', 8, len(tags)) + entries + bytes(4) + data


def _jpeg2000(values: np.ndarray) -> bytes:
  """A file of 12 bits; Pillow writes 16, counted from the middle."""
  data = bytearray(
      _saved(values + np.uint16(32768 - 2048), 'JPEG2000', irreversible=False)
  )
  data[data.find(b'ihdr') + 14] = data[data.find(b'\xff\x4f\xff\x51') + 42] = 11
  return bytes(data)


def _table(tmp_path: pathlib.Path, files: list) -> examples_lib.Examples:
  """A data set of these files' bytes."""
  paths = []
  for i, content in enumerate(files):
    paths.append(tmp_path / f'{i:03}.img')
    paths[-1].write_bytes(content)
  names = tuple(p.name for p in paths)
  return examples_lib.Examples(
      'test',
      ('a', 'b'),
      names,
      tuple(paths),
      np.zeros(len(paths), np.int32),
      names,
  )


def _found(
    tmp_path: pathlib.Path, files: list, where: pathlib.Path | None = None
) -> bit_depth_survey.Survey | None:
  examples = _table(tmp_path, files)
  return bit_depth_survey.read(
      examples, file_digests.read(examples.paths), where
  )


def _read(files: list, scale: deep_grey.Range) -> np.ndarray:
  return np.stack([images.read_rgb(f, grey_range=scale)[..., 0] for f in files])


_KINDS = {
    **{
        f'png of {bits} bits': lambda bits=bits: [_saved(v) for v in _at(bits)]
        for bits in (8, 10, 12, 14, 16)
    },
    'tiff of 12 bits': lambda: [_saved(v, 'TIFF') for v in _at(12)],
    'big-endian tiff': lambda: [
        _saved(v.astype('>u2'), 'TIFF') for v in _at(12)
    ],
    'compressed tiff': lambda: [
        _saved(v, 'TIFF', compression='tiff_lzw') for v in _at(14)
    ],
    'tiff that counts from white': lambda: [
        _saved(4095 - v, 'TIFF', tiffinfo={262: 0}) for v in _at(12)
    ],
    'tiff of packed 12 bits': lambda: [_packed(v) for v in _at(12)],
    'tiff with its largest value': lambda: [
        _saved(v, 'TIFF', tiffinfo={280: 0, 281: 4095}) for v in _at(12)
    ],
    'png with sBIT': lambda: [_with_sbit(v, 12) for v in _at(12)],
    'png with sBIT, scaled up': lambda: [
        _with_sbit(v << 4 | v >> 8, 12) for v in _at(12)
    ],
    'pgm of 12 bits': lambda: [_pgm(v, 4095) for v in _at(12)],
    'plain pgm': lambda: [_pgm(v, 4095, plain=True) for v in _at(12)],
    'pgm of 16 bits, 12 used': lambda: [_pgm(v, 65535) for v in _at(12)],
    'jpeg 2000, 12 of 16 bits': lambda: [
        _saved(v, 'JPEG2000', irreversible=False) for v in _at(12)
    ],
    'jpeg 2000 of 12 bits': lambda: [_jpeg2000(v) for v in _at(12)],
    'int32': lambda: [_saved(v.astype(np.int32), 'TIFF') for v in _at(12)],
    'tomography': lambda: [
        _saved(v.astype(np.int32) - 1024, 'TIFF') for v in _at(12)
    ],
    'beyond 16 bits': lambda: [
        _saved(np.rint(v * 1e6).astype(np.int32), 'TIFF') for v in _SHADES
    ],
    'floats to 1': lambda: [
        _saved(v.astype(np.float32), 'TIFF') for v in _SHADES
    ],
    'floats to 255': lambda: [
        _saved((v * 255).astype(np.float32), 'TIFF') for v in _SHADES
    ],
    'floats to 4095': lambda: [
        _saved((v * 4095).astype(np.float32), 'TIFF') for v in _SHADES
    ],
    'floats to 1.7': lambda: [
        _saved((v * 1.7).astype(np.float32), 'TIFF') for v in _SHADES
    ],
    'floats around 0': lambda: [
        _saved((v * 2 - 1).astype(np.float32), 'TIFF') for v in _SHADES
    ],
}


@pytest.mark.parametrize('kind', _KINDS)
def test_the_same_pictures_are_the_same_at_every_depth(
    tmp_path: pathlib.Path, kind: str
) -> None:
  """To one grey level of 256, whatever the files' type and bits."""
  files = _KINDS[kind]()
  found = _found(tmp_path, files)
  assert len(found) == 60
  scale = bit_depth.decide(found)
  wanted = np.rint(_SHADES * 255).astype(int)
  assert abs(_read(files, scale) - wanted).max() <= 1
  # One line: no image is outside, dark, or of another depth.
  assert len(bit_depth.told(found, scale, '')) == 1


@pytest.mark.parametrize(
    'kind, scale',
    [
        ('png of 8 bits', (0, 255)),
        ('png of 10 bits', (0, 1023)),
        ('png of 12 bits', (0, 4095)),
        ('png of 14 bits', (0, 16383)),
        ('png of 16 bits', (0, 65535)),
        ('png with sBIT', (0, 4095)),
        ('png with sBIT, scaled up', (0, 65535)),
        ('pgm of 12 bits', (0, 4095)),
        ('tiff of packed 12 bits', (0, 4095)),
        ('tomography', (-1024, 3071)),
        ('beyond 16 bits', (0, 1e6)),
        ('floats to 1', (0, 1)),
        ('floats around 0', (-1, 1)),
    ],
)
def test_the_range_of_each_kind(
    tmp_path: pathlib.Path, kind: str, scale: tuple
) -> None:
  """In the values that the files store, as a person would give it."""
  found = _found(tmp_path, _KINDS[kind]())
  decided = bit_depth.decide(found)
  assert decided[:2] == pytest.approx(scale, abs=1e-3)
  [line] = bit_depth.told(found, decided, 'found')
  bits = {255: 8, 1023: 10, 4095: 12, 3071: 12, 16383: 14, 65535: 16}
  if scale[1] in bits:
    assert f'to {scale[1]} ({bits[scale[1]]} bits), black to white' in line


def test_values_decide_for_all_where_files_are_silent(
    tmp_path: pathlib.Path,
) -> None:
  """Pictures that happen to be dark are not brightened by themselves."""
  values = _at(12)
  values[5:] //= 16
  found = _found(tmp_path, [_saved(v) for v in values])
  assert bit_depth.decide(found) == (0, 4095, False)


def test_what_a_tiff_calls_its_largest_value_may_be_the_image_s_own() -> None:
  """3,871 is no depth; it counts as a value, and 65,535 says nothing."""
  for largest, said, high in (
      (3871, None, 3871),
      (65535, None, 1000),
      (4095, (0, 4095), 1000),
      (511, None, 1000),
  ):
    values = np.full((2, 2), 1000, np.uint16)
    found = images.read_grey(
        _saved(values, 'TIFF', tiffinfo={281: largest}), 'x'
    )
    assert (found.said, found.high) == (said, high), largest


def test_one_stray_file_does_not_darken_all_others(
    tmp_path: pathlib.Path,
) -> None:
  """It is clipped, and named."""
  values = _at(12)
  values[7] = _at(16)[7]
  found = _found(tmp_path, [_saved(v) for v in values])
  scale = bit_depth.decide(found)
  assert scale[:2] == (0, 4095)
  _, warning = bit_depth.told(found, scale, '')
  assert bit_depth.found_in(found, scale) == 'found in 59 of 60 deep images'
  assert '1 of 60 deep images hold values outside' in warning
  assert '007.img (' in warning and 'to 65535)' in warning
  few = _found(tmp_path, [_saved(v) for v in values[5:10]])
  assert bit_depth.decide(few)[:2] == (0, 65535)


@pytest.mark.parametrize(
    'few, many, count',
    [(12, 16, 30), (12, 14, 30), (10, 12, 6), (14, 16, 55), (12, 16, 1)],
)
def test_a_depth_that_differs_between_silent_files_is_said(
    tmp_path: pathlib.Path, few: int, many: int, count: int
) -> None:
  """Nobody can know which is right, so an example of each is named."""
  shades = _SHADES * np.random.default_rng(1).uniform(0.6, 1, (60, 1, 1))
  files = [
      _saved(v) for v in [*_at(few, shades)[:count], *_at(many, shades)[count:]]
  ]
  found = _found(tmp_path, files)
  scale = bit_depth.decide(found)
  assert scale[:2] == (0, 2**many - 1)
  _, warning = bit_depth.told(found, scale, '')
  assert 'depth differs between files' in warning
  assert f'{count} of 60 deep images' in warning
  assert '000.img (' in warning and f'0{count:02}.img (' in warning


def test_exposures_that_vary_are_no_other_depth(tmp_path: pathlib.Path) -> None:
  """Between the darkest and the brightest of one depth there are others."""
  shades = _SHADES * np.geomspace(0.15, 1, 60)[:, np.newaxis, np.newaxis]
  found = _found(tmp_path, [_saved(v) for v in _at(12, shades)])
  assert len(bit_depth.told(found, bit_depth.decide(found), '')) == 1


def test_a_depth_that_files_say_is_each_one_s_own(
    tmp_path: pathlib.Path,
) -> None:
  """PGMs of 12 bits among others of 16 are no darker; it is said."""
  files = [_pgm(v, 4095) for v in _at(12)[:30]]
  files += [_saved(v) for v in _at(16)[30:]]
  found = _found(tmp_path, files)
  scale = bit_depth.decide(found)
  wanted = np.rint(_SHADES * 255).astype(int)
  assert abs(_read(files, scale) - wanted).max() <= 1
  _, note = bit_depth.told(found, scale, '')
  assert 'depth differs between files: 30 of 60 deep images say' in note
  assert '000.img' in note and '4095 (12 bits)' in note


def test_8_bit_files_stay_as_they_are(tmp_path: pathlib.Path) -> None:
  """Beside deep ones, and whatever the range of those."""
  shallow = np.rint(_SHADES[0] * 255).astype(np.uint8)
  files = [
      _saved(shallow),
      _saved(shallow, 'BMP'),
      *(_saved(v) for v in _at(12)),
  ]
  found = _found(tmp_path, files)
  assert len(found) == 60 and found.names[0] == '002.img'
  scale = bit_depth.decide(found)
  for content in files[:2]:
    np.testing.assert_array_equal(
        images.read_rgb(content, grey_range=scale)[..., 0], shallow
    )


def test_8_bit_data_sets_cost_a_look_at_their_heads(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """Not one file is decoded for a range that none of them needs."""
  monkeypatch.setattr(images, 'read_grey', None)
  shallow = np.zeros((8, 8, 3), np.uint8)
  found = _found(
      tmp_path,
      [_saved(shallow, kind) for kind in ('JPEG', 'PNG', 'BMP', 'WEBP', 'GIF')],
  )
  assert not len(found)


def test_16_bit_colours_are_said(tmp_path: pathlib.Path) -> None:
  """Pillow reads the upper 8 bits, of which 12 bits leave 4."""

  def chunk(kind: bytes, body: bytes) -> bytes:
    check = struct.pack('>I', zlib.crc32(kind + body))
    return struct.pack('>I', len(body)) + kind + body + check

  rows = b''.join(
      b'\0' + row.tobytes()
      for row in np.repeat(_at(12)[0][:, :, np.newaxis], 3, axis=2).astype(
          '>u2'
      )
  )
  head = struct.pack('>IIBBBBB', 24, 24, 16, 2, 0, 0, 0)
  png = (
      b'\x89PNG\r\n\x1a\n'
      + chunk(b'IHDR', head)
      + chunk(b'IDAT', zlib.compress(rows))
      + chunk(b'IEND', b'')
  )
  found = _found(tmp_path, [png, _saved(np.zeros((8, 8, 3), np.uint8))])
  assert not len(found) and found.colour == ('000.img',)
  [line] = bit_depth.told(found, deep_grey.UNSEEN, '')
  assert '1 images have colours of 16 bits' in line and '000.img' in line


def test_a_given_range_overrules_what_files_say(tmp_path: pathlib.Path) -> None:
  """A window that a person has chosen, in the values of the files."""
  values = np.array([[500, 1000, 2000, 4000]], np.uint16)
  scale = deep_grey.Range(1000, 3000, overrules=True)
  for content in (_saved(values), _with_sbit(values, 12), _pgm(values, 4095)):
    found = images.read_rgb(content, grey_range=scale)
    assert found[0, :, 0].tolist() == [0, 0, 128, 255]
  found = _found(tmp_path, [_with_sbit(values, 12)])
  assert 'outside of it' in bit_depth.told(found, scale, 'given')[1]
  found = _found(tmp_path, [_saved(np.zeros((8, 8, 3), np.uint8))])
  [line] = bit_depth.told(found, scale, 'given')
  assert 'data.value_range changes nothing' in line


def test_without_a_range_files_are_read_as_ever() -> None:
  """Runs of older versions took 16 bits for what they were."""
  for content in (_saved(_at(12)[0]), _with_sbit(_at(12)[0], 12)):
    assert images.read_rgb(content).max() == 16
  assert images.read_rgb(_pgm(_at(12)[0], 4095)).max() == 255
  scaled = images.read_rgb(_saved(_at(12)[0]), grey_range=deep_grey.UNSEEN)
  assert scaled.max() == 16


def test_numbers_that_are_none_are_refused() -> None:
  """NaN has no place in any range."""
  bad = _saved(np.array([[0, np.nan]], np.float32), 'TIFF')
  with pytest.raises(errors.DataError, match='not numbers'):
    images.read_rgb(bad, grey_range=deep_grey.Range(0, 1))


@pytest.mark.parametrize(
    'values, scale, word',
    [
        (_at(16)[0], deep_grey.Range(0, 4095), 'outside of the run'),
        (_at(12)[0], deep_grey.Range(0, 65535), 'nearly black'),
        (_at(12)[0], deep_grey.UNSEEN, 'recorded no range'),
        (_at(12)[0], None, 'recorded no range'),
        (_at(12)[0], deep_grey.Range(0, 4095), ''),
        (_at(10)[0], deep_grey.Range(0, 4095), ''),
    ],
)
def test_a_lone_image_beside_a_range_is_noticed(
    values: np.ndarray, scale: deep_grey.Range | None, word: str
) -> None:
  """What `predict` warns of."""
  found = images.read_grey(_saved(values), 'x')
  said = bit_depth.noticed(found, scale)
  assert word in said and bool(said) == bool(word)


def test_a_survey_is_kept_and_follows_the_content(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """Decoding for a range costs the first run only."""
  files, where = [_saved(v) for v in _at(12)], tmp_path / 'cache'
  first = _found(tmp_path, files, where)
  monkeypatch.setattr(images, 'read_grey', None)
  again = _found(tmp_path, files, where)
  assert again.names == first.names
  np.testing.assert_array_equal(again.high, first.high)
  with pytest.raises(TypeError):
    _found(tmp_path, [_saved(v) for v in _at(16)], where)


def test_a_file_that_changes_before_it_is_looked_at_is_refused(
    tmp_path: pathlib.Path,
) -> None:
  """Else a range would stand for images that are gone."""
  examples = _table(tmp_path, [_saved(v) for v in _at(12)])
  digests = file_digests.read(examples.paths)
  examples.paths[3].write_bytes(_saved(_at(16)[3]))
  with pytest.raises(errors.DataError, match='003.img.*has changed'):
    bit_depth_survey.read(examples, digests)
  examples.paths[3].write_text('no image')
  found = bit_depth_survey.read(examples, file_digests.read(examples.paths))
  assert len(found) == 59  # Decoding tells.


def test_the_pipeline_decodes_with_the_range(tmp_path: pathlib.Path) -> None:
  """What trains is what the range says, at the size of the run."""
  examples = _table(tmp_path, [_saved(v) for v in _at(12)])
  decoded = pipeline.decode(
      examples, (24, 24), grey_range=deep_grey.Range(0, 4095)
  )
  wanted = np.rint(_SHADES * 255).astype(int)
  assert abs(decoded.pixels[..., 0] - wanted).max() <= 1
