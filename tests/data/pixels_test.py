"""Protects the pixel cache: what is mapped is what would be decoded."""

import os
import shutil

import numpy as np
from PIL import Image
import pytest

from medxfer import errors
from medxfer.data import ham10000
from medxfer.data import pipeline
from medxfer.data import pixels

_SIZE = (40, 32)


@pytest.fixture
def examples(phantoms, tmp_path):
  """A table of files that a test may change."""
  return ham10000.read(shutil.copytree(phantoms, tmp_path / 'ham'))


@pytest.fixture
def decodings(monkeypatch):
  """A list that grows by one whenever images are decoded."""
  made, decode = [], pipeline.decode

  def spy(*args, **kwargs):
    made.append(args)
    return decode(*args, **kwargs)

  monkeypatch.setattr(pipeline, 'decode', spy)
  return made


def _same(one, other):
  np.testing.assert_array_equal(one.pixels, other.pixels)
  assert one.digests == other.digests
  assert one.examples.image_ids == other.examples.image_ids


def test_a_second_run_decodes_nothing(examples, tmp_path, decodings):
  """And gets the same pixels and digests as the first."""
  plain = pipeline.decode(examples, _SIZE)
  first = pixels.read(examples, _SIZE, where=tmp_path / 'cache')
  assert len(decodings) == 2
  _same(first, plain)
  _same(pixels.read(examples, _SIZE, where=tmp_path / 'cache'), plain)
  assert len(decodings) == 2


@pytest.mark.parametrize('change', ['content', 'time', 'size', 'fewer'])
def test_other_files_or_sizes_are_decoded(
    examples, tmp_path, decodings, change):
  """A cache that is out of date would train on images of yesterday."""
  pixels.read(examples, _SIZE, where=tmp_path / 'cache')
  size = _SIZE
  if change == 'content':
    Image.new('RGB', (9, 9)).save(examples.paths[3])
  elif change == 'time':
    os.utime(examples.paths[3], (1, 1))
  elif change == 'fewer':
    examples = examples.take(range(5))
  else:
    size = (32, 40)
  found = pixels.read(examples, size, where=tmp_path / 'cache')
  assert len(decodings) == 2
  _same(found, pipeline.decode(examples, size))


def test_what_fits_no_memory_is_mapped(examples, tmp_path):
  """`data.cache=none` then reads a file instead of decoding every epoch."""
  found = pixels.read(
      examples, _SIZE, keep=False, where=tmp_path / 'cache')
  _same(found, pipeline.decode(examples, _SIZE))
  assert pixels.read(examples, _SIZE, keep=False).pixels is None


def test_damage_is_said_and_mended(examples, tmp_path, decodings, capsys):
  """A truncated file is never half used."""
  first = pixels.read(examples, _SIZE, where=tmp_path / 'cache')
  path = next((tmp_path / 'cache').glob('*.npy'))
  wanted = np.array(first.pixels)
  path.write_bytes(path.read_bytes()[:-100])
  found = pixels.read(examples, _SIZE, where=tmp_path / 'cache')
  assert 'cut short' in capsys.readouterr().out and len(decodings) == 2
  np.testing.assert_array_equal(found.pixels, wanted)


def test_unreadable_images_are_refused_or_skipped_as_ever(examples, tmp_path):
  """Nothing of such a data set is kept: which are bad may change."""
  examples.paths[5].write_text('no image')
  with pytest.raises(errors.DataError, match='on_bad_image=skip'):
    pixels.read(examples, _SIZE, where=tmp_path / 'cache')
  found = pixels.read(
      examples, _SIZE, on_bad_image='skip', where=tmp_path / 'cache')
  _same(found, pipeline.decode(examples, _SIZE, on_bad_image='skip'))
  assert not list((tmp_path / 'cache').glob('*.npy'))
  examples.paths[6].unlink()
  with pytest.raises(errors.DataError):
    pixels.read(examples, _SIZE, where=tmp_path / 'cache')


def test_a_folder_that_cannot_be_written_costs_a_line(
    examples, tmp_path, capsys):
  """The run goes on without it."""
  (tmp_path / 'cache').write_text('a file')
  found = pixels.read(examples, _SIZE, where=tmp_path / 'cache')
  _same(found, pipeline.decode(examples, _SIZE))
  assert f'{tmp_path / "cache"} cannot be used' in capsys.readouterr().out
