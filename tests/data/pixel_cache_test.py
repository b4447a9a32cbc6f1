"""Protects the pixel cache: what is mapped is what would be decoded."""

import io
import os
import pathlib
import shutil
from typing import Any

import numpy as np
from PIL import Image
import pytest

from medxfer import errors
from medxfer.data import decoded
from medxfer.data import examples as examples_lib
from medxfer.data import folders
from medxfer.data import ham10000
from medxfer.data import pipeline
from medxfer.data import pixel_cache
from medxfer.data import pixel_sources

_SIZE = (40, 32)


@pytest.fixture
def examples(
    phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> examples_lib.Examples:
  """A table of files that a test may change."""
  return ham10000.read(shutil.copytree(phantoms, tmp_path / 'ham'))


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> list:
  """A list that grows by one whenever images are decoded."""
  made, decode = [], pipeline.decode

  def spy(*args: Any, **kwargs: Any) -> decoded.Decoded:
    made.append(args)
    return decode(*args, **kwargs)

  monkeypatch.setattr(pipeline, 'decode', spy)
  return made


def _same(one: decoded.Decoded, other: decoded.Decoded) -> None:
  np.testing.assert_array_equal(one.pixels, other.pixels)
  assert one.digests == other.digests
  assert one.examples.image_ids == other.examples.image_ids


def _replace(path: pathlib.Path) -> None:
  """Writes another image, and gives the file its old length and time."""
  status, other = path.stat(), io.BytesIO()
  Image.new('RGB', (9, 9)).save(other, 'JPEG')
  path.write_bytes(other.getvalue().ljust(status.st_size, b'\0'))
  os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
  assert path.stat().st_size == status.st_size


def test_a_second_run_decodes_nothing(
    examples: examples_lib.Examples, tmp_path: pathlib.Path, decodings: list
) -> None:
  """And gets the same pixels and digests as the first."""
  plain = pipeline.decode(examples, _SIZE)
  first = pixel_cache.read(examples, _SIZE, where=tmp_path / 'cache')
  assert len(decodings) == 2
  _same(first, plain)
  _same(pixel_cache.read(examples, _SIZE, where=tmp_path / 'cache'), plain)
  assert len(decodings) == 2


@pytest.mark.parametrize('change', ['content', 'disguised', 'size', 'fewer'])
def test_other_files_or_sizes_are_decoded(
    examples: examples_lib.Examples,
    tmp_path: pathlib.Path,
    decodings: list,
    change: str,
) -> None:
  """A cache that is out of date would train on images of yesterday."""
  pixel_cache.read(examples, _SIZE, where=tmp_path / 'cache')
  size = _SIZE
  if change == 'content':
    Image.new('RGB', (9, 9)).save(examples.paths[3])
  elif change == 'disguised':
    _replace(examples.paths[3])
  elif change == 'fewer':
    examples = examples.take(range(5))
  else:
    size = (32, 40)
  found = pixel_cache.read(examples, size, where=tmp_path / 'cache')
  assert len(decodings) == 2
  _same(found, pipeline.decode(examples, size))


def test_the_same_bytes_elsewhere_are_found(
    examples: examples_lib.Examples, tmp_path: pathlib.Path, decodings: list
) -> None:
  """A copied or touched folder holds the same pixels: nothing is decoded."""
  first = pixel_cache.read(examples, _SIZE, where=tmp_path / 'cache')
  shutil.copytree(tmp_path / 'ham', tmp_path / 'copy')
  moved = ham10000.read(tmp_path / 'copy')
  os.utime(moved.paths[3], (1, 1))
  found = pixel_cache.read(moved, _SIZE, where=tmp_path / 'cache')
  _same(found, first)
  assert found.examples is moved and len(decodings) == 1


def test_two_exports_that_agree_in_names_lengths_and_times(
    tmp_path: pathlib.Path, decodings: list
) -> None:
  """Their pixels, and so their digests, are each one's own."""
  found = []
  for name, grey in (('a', 50), ('b', 200)):
    folder = tmp_path / name
    for place in ('normal/0.bmp', 'sick/1.bmp'):
      (folder / place).parent.mkdir(parents=True)
      Image.new('RGB', (32, 32), (grey, 0, 0)).save(folder / place)
      os.utime(folder / place, (315532800, 315532800))
    found.append(
        pixel_cache.read(
            folders.read(folder), (32, 32), where=tmp_path / 'cache'
        )
    )
  assert len(decodings) == 2 and found[0].digests != found[1].digests
  assert [decoded.pixels.max() for decoded in found] == [50, 200]


@pytest.mark.parametrize('on_bad_image', ['fail', 'skip'])
def test_a_file_that_changes_before_it_is_decoded_ends_the_run(
    examples: examples_lib.Examples,
    tmp_path: pathlib.Path,
    on_bad_image: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
  """Else its pixels would be kept under what it was; it is not skipped."""
  decode = pipeline.decode

  def late(*args: Any, **kwargs: Any) -> None:
    _replace(examples.paths[3])
    return decode(*args, **kwargs)

  monkeypatch.setattr(pipeline, 'decode', late)
  with pytest.raises(errors.DataError) as caught:
    pixel_cache.read(
        examples, _SIZE, on_bad_image=on_bad_image, where=tmp_path / 'cache'
    )
  assert examples.paths[3].name in str(caught.value)
  assert 'has changed since' in str(caught.value)
  assert not list((tmp_path / 'cache').glob('*.npy'))


def test_files_that_are_read_again_must_give_the_same_pixels(
    examples: examples_lib.Examples,
) -> None:
  """Without memory and cache every epoch reads them: none may be swapped."""
  decoded = pipeline.decode(examples, _SIZE, keep=False)
  source = pixel_sources.make('none', decoded, _SIZE)
  assert len(list(source.batches(np.array([[0, 1], [3, 2]])))) == 2
  shutil.copy(examples.paths[4], examples.paths[3])
  with pytest.raises(errors.DataError, match='has changed since this run'):
    list(source.batches(np.array([[0, 1], [3, 2]])))


def test_what_fits_no_memory_is_mapped(
    examples: examples_lib.Examples, tmp_path: pathlib.Path
) -> None:
  """`data.cache=none` then reads a file instead of decoding every epoch."""
  found = pixel_cache.read(
      examples, _SIZE, keep=False, where=tmp_path / 'cache'
  )
  _same(found, pipeline.decode(examples, _SIZE))
  assert pixel_cache.read(examples, _SIZE, keep=False).pixels is None


def test_damage_is_said_and_mended(
    examples: examples_lib.Examples,
    tmp_path: pathlib.Path,
    decodings: list,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """A truncated file is never half used."""
  first = pixel_cache.read(examples, _SIZE, where=tmp_path / 'cache')
  path = next((tmp_path / 'cache').glob('*.npy'))
  wanted = np.array(first.pixels)
  path.write_bytes(path.read_bytes()[:-100])
  found = pixel_cache.read(examples, _SIZE, where=tmp_path / 'cache')
  assert 'cut short' in capsys.readouterr().out and len(decodings) == 2
  np.testing.assert_array_equal(found.pixels, wanted)


def test_unreadable_images_are_refused_or_skipped_as_ever(
    examples: examples_lib.Examples, tmp_path: pathlib.Path
) -> None:
  """Nothing of such a data set is kept: which are bad may change."""
  examples.paths[5].write_text('no image')
  with pytest.raises(errors.DataError, match='on_bad_image=skip'):
    pixel_cache.read(examples, _SIZE, where=tmp_path / 'cache')
  found = pixel_cache.read(
      examples, _SIZE, on_bad_image='skip', where=tmp_path / 'cache'
  )
  _same(found, pipeline.decode(examples, _SIZE, on_bad_image='skip'))
  assert not list((tmp_path / 'cache').glob('*.npy'))
  examples.paths[6].unlink()
  with pytest.raises(errors.DataError):
    pixel_cache.read(examples, _SIZE, where=tmp_path / 'cache')


def test_a_folder_that_cannot_be_written_costs_a_line(
    examples: examples_lib.Examples,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """The run goes on without it."""
  (tmp_path / 'cache').write_text('a file')
  found = pixel_cache.read(examples, _SIZE, where=tmp_path / 'cache')
  _same(found, pipeline.decode(examples, _SIZE))
  assert f'{tmp_path / "cache"} cannot be used' in capsys.readouterr().out
