"""Protects the search for copies, and what is done about them."""

from collections.abc import Callable
from collections.abc import Iterator
import dataclasses
import io
import pathlib
from typing import Any

import numpy as np
from PIL import Image
from PIL import ImageEnhance
from PIL import ImageFilter
from PIL import ImageOps
import pytest

from medxfer import errors
from medxfer.data import copies
from medxfer.data import copies_policy
from medxfer.data import decoded as decoded_lib
from medxfer.data import examples as examples_lib
from medxfer.data import hash_vectors
from medxfer.data import leaks
from medxfer.data import perceptual_hash
from medxfer.data import splits


def _picture(seed: int, size: tuple = (160, 120)) -> Image.Image:
  """Smooth noise over a blob that all pictures have, as lesions have."""
  draw = np.random.default_rng(seed)
  noise = Image.fromarray(draw.integers(60, 180, (24, 24, 3), np.uint8))
  noise = noise.resize(size, Image.Resampling.BICUBIC)
  blob = Image.new('L', size)
  blob.paste(140, (50, 40, 110, 80))
  blob = blob.filter(ImageFilter.GaussianBlur(12))
  return Image.composite(Image.new('RGB', size, (70, 30, 20)), noise, blob)


def _jpeg(image: Image.Image, quality: int) -> Image.Image:
  stream = io.BytesIO()
  image.save(stream, 'JPEG', quality=quality)
  return Image.open(stream).convert('RGB')


def _thumbnails(pictures: Iterator | list) -> np.ndarray:
  return np.stack(
      [
          perceptual_hash.thumbnail(np.asarray(picture.convert('RGB')))
          for picture in pictures
      ]
  )


@pytest.mark.parametrize(
    'change',
    [
        lambda image: _jpeg(image, 50),
        lambda image: _jpeg(_jpeg(image, 95), 75),
        lambda image: image.resize((80, 60), Image.Resampling.LANCZOS),
        lambda image: image.resize((208, 156)),
        lambda image: image.resize((120, 120)),
        lambda image: image.crop((3, 3, 157, 117)),
        lambda image: image.crop((6, 0, 160, 118)),
        lambda image: image.crop((7, 7, 153, 113)),
        lambda image: ImageEnhance.Brightness(image).enhance(1.1),
        lambda image: image.point(lambda value: max(value - 15, 0)),
        lambda image: image.convert('L'),
        ImageOps.mirror,
        ImageOps.flip,
        lambda image: image.transpose(Image.Transpose.ROTATE_90),
        lambda image: image.transpose(Image.Transpose.ROTATE_270),
        lambda image: image.transpose(Image.Transpose.TRANSVERSE),
        lambda image: _jpeg(
            ImageOps.mirror(image.crop((2, 4, 158, 117))).resize((100, 75)), 70
        ),
    ],
    ids=range(17),
)
def test_a_changed_copy_is_found_and_nothing_else(
    change: Callable[..., Any],
) -> None:
  """Case 30 and its siblings: no metadata table names such a pair."""
  pictures = [_picture(seed) for seed in range(12)]
  pictures += [change(pictures[seed]) for seed in (3, 7)]
  sets = copies.joined(_thumbnails(pictures))
  assert sets.tolist() == [*range(12), 3, 7]


def _of_a_series(seed: int) -> Image.Image:
  """The same outlines, and fine structure of its own."""
  draw = np.random.default_rng(seed)
  fine = Image.fromarray(draw.integers(108, 149, (48, 48)).astype(np.uint8))
  fine = fine.resize((160, 120), Image.Resampling.BICUBIC)
  coarse = fine.filter(ImageFilter.GaussianBlur(4))
  fine = np.asarray(fine).astype(int) - np.asarray(coarse)
  outline = _picture(0).filter(ImageFilter.GaussianBlur(2))
  return Image.fromarray(
      np.clip(np.asarray(outline) + fine[:, :, np.newaxis], 0, 255).astype(
          np.uint8
      )
  )


def test_different_pictures_of_one_outline_are_no_copies() -> None:
  """X-rays all look alike, and so do lesions in the middle of smooth skin."""
  thumbnails = _thumbnails(_of_a_series(seed) for seed in range(12))
  pairs, _ = perceptual_hash.candidates(thumbnails)
  assert len(pairs) > 30  # Their hashes do not tell them apart: pixels do.
  assert copies.joined(thumbnails).tolist() == list(range(12))


def test_other_brightness_or_inverted_values_are_another_picture() -> None:
  """A class may be told by nothing else."""
  picture = _picture(0)
  pictures = [
      picture,
      ImageOps.invert(picture),
      picture.point(lambda value: value // 4),
      picture.point(lambda value: value // 2 + 127),
  ]
  assert copies.joined(_thumbnails(pictures)).tolist() == [0, 1, 2, 3]


def test_many_copies_of_one_picture_are_one_set() -> None:
  """Augmented offline: every pair is near, and few are compared."""
  picture = _picture(0)
  pictures = [picture.crop((i % 5, i % 3, 160, 120)) for i in range(40)]
  pictures.append(_picture(1))
  assert copies.joined(_thumbnails(pictures)).tolist() == [0] * 40 + [40]


@pytest.mark.parametrize('n', [0, 1, 2])
def test_flat_and_few_images_do_no_harm(n: int) -> None:
  """A flat image shows nothing that could be recognised."""
  flat = np.full((n, *hash_vectors.SHAPE), 7, np.uint8)
  assert copies.joined(flat).tolist() == list(range(n))


def _decoded(
    labels: list,
    digests: list | None = None,
    groups: list | None = None,
    published: list | None = None,
    seeds: list | None = None,
) -> decoded_lib.Decoded:
  n = len(labels)
  names = tuple(f'i{i}' for i in range(n))
  examples = examples_lib.Examples(
      name='made',
      class_names=('a', 'b'),
      image_ids=names,
      paths=names,
      labels=np.array(labels, np.int32),
      groups=tuple(groups or names),
      columns={'published': tuple(published)} if published else {},
  )
  return decoded_lib.Decoded(
      examples,
      tuple(digests or [bytes([i]) for i in range(n)]),
      np.arange(n, dtype=np.uint8).reshape(n, 1, 1, 1),
      _thumbnails(_picture(seed) for seed in seeds or range(n)),
  )


def test_equal_pixels_and_equal_pictures_make_one_set() -> None:
  """Image 2 is image 0 byte for byte, 3 shows what 1 and 0 show."""
  found = copies.find(
      _decoded(
          [0] * 5, digests=[b'a', b'b', b'a', b'c', b'd'], seeds=[1, 1, 2, 1, 3]
      )
  )
  assert found.sets.tolist() == [0, 0, 0, 0, 4]
  assert [rows.tolist() for rows in found.rows()] == [[0, 1, 2, 3]]
  assert found.without([0, 4]).sets.tolist() == [0, 0, 0]


def test_what_was_found_is_kept_and_damage_is_mended(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """A study's runs search once; other images are searched anew."""
  decoded = _decoded([0] * 5, seeds=[1, 2, 1, 3, 4])
  fresh = copies.find(decoded).sets.tolist()
  searched = []
  joined = copies.joined
  monkeypatch.setattr(
      copies, 'joined', lambda *args: searched.append(1) or joined(*args)
  )
  for _ in range(2):
    assert copies.find(decoded, tmp_path).sets.tolist() == fresh
  assert len(searched) == 1 and fresh == [0, 1, 0, 3, 4]
  other = _decoded([0] * 5, seeds=[1, 2, 5, 3, 4])
  assert copies.find(other, tmp_path).sets.tolist() == list(range(5))
  assert len(searched) == 2
  for path in tmp_path.glob('copies-*.npy'):
    path.write_bytes(path.read_bytes()[:-1])
  assert copies.find(decoded, tmp_path).sets.tolist() == fresh
  assert len(searched) == 3 and 'made anew' in capsys.readouterr().out
  monkeypatch.setattr(perceptual_hash, 'VERSION', perceptual_hash.VERSION + 1)
  copies.find(decoded, tmp_path)
  assert len(searched) == 4


def test_a_cache_that_cannot_be_written_stops_nothing(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
  """The search is made anew, and the cause is said."""
  (tmp_path / 'file').touch()
  decoded = _decoded([0] * 3, seeds=[1, 1, 2])
  found = copies.find(decoded, tmp_path / 'file' / 'cache')
  assert found.sets.tolist() == [0, 0, 2]
  assert 'the run continues without it' in capsys.readouterr().out


def test_groups_that_share_a_picture_become_one() -> None:
  """Patient q has a copy of p's image, and r one of q's other image."""
  decoded = _decoded([0] * 7, groups=['p', 'p', 'q', 'q', 'r', 'r', 's'])
  found = copies.Copies(np.array([0, 1, 0, 3, 3, 5, 6]))
  merged, _, notes = copies_policy.settle(decoded, found, 'group')
  assert merged.examples.groups == ('p',) * 6 + ('s',) and not notes
  kept, _, _ = copies_policy.settle(decoded, found, 'keep')
  assert kept is decoded


def test_without_copies_nothing_changes() -> None:
  """The digest of the labels of an older run holds the groups."""
  decoded = _decoded([0, 1, 0], groups=['p', 'q', 'p'])
  for how in ('group', 'drop', 'keep'):
    settled, _, _ = copies_policy.settle(decoded, copies.find(decoded), how)
    assert settled.examples.groups == decoded.examples.groups
    assert settled.examples.image_ids == decoded.examples.image_ids


def test_drop_keeps_the_published_test_image_else_the_first() -> None:
  """The test side stays as it was published, the training image goes."""
  decoded = _decoded(
      [0] * 6, published=['train', 'test', 'test', 'val', 'train', 'train']
  )
  found = copies.Copies(np.array([0, 0, 0, 3, 3, 5]))
  settled, left, notes = copies_policy.settle(decoded, found, 'drop')
  assert settled.examples.image_ids == ('i1', 'i3', 'i5')
  assert settled.examples.skipped == {
      'i0': 'a copy of i1',
      'i2': 'a copy of i1',
      'i4': 'a copy of i3',
  }
  assert settled.pixels.reshape(-1).tolist() == [1, 3, 5]
  assert len(settled.digests) == len(settled.thumbnails) == 3
  assert left.sets.tolist() == [0, 1, 2] and '3 images dropped' in notes[0]


def test_copies_with_different_labels_are_named_and_refused() -> None:
  """One of two labels is wrong: both dropped, or kept on request."""
  decoded = _decoded([0, 1, 0, 0, 1, 0])
  found = copies.Copies(np.array([0, 0, 2, 2, 4, 5]))
  with pytest.raises(
      errors.DataError,
      match=(r'i0 \(a\) and i1 \(b\);.*copies=drop.*copies=keep'),
  ):
    copies_policy.settle(decoded, found, 'group')
  settled, _, _ = copies_policy.settle(decoded, found, 'drop')
  assert settled.examples.image_ids == ('i2', 'i4', 'i5')
  assert 'different labels' in settled.examples.skipped['i0']
  settled, _, notes = copies_policy.settle(decoded, found, 'keep')
  assert settled is decoded and 'i0 (a) and i1 (b)' in notes[0]


@pytest.mark.parametrize('how', ['group', 'drop'])
def test_a_data_set_that_is_all_copies_is_refused(how: str) -> None:
  """There is one picture: nothing to tell apart, whatever the labels."""
  decoded = _decoded([0, 1, 0, 1])
  found = copies.Copies(np.zeros(4, np.int64))
  with pytest.raises(errors.DataError, match='all 4 images are copies of one'):
    copies_policy.settle(decoded, found, how)


def test_the_audit_counts_test_images_with_a_copy_in_train() -> None:
  """Image 4 has one in train, 5 one in val alone; groups are unknown."""
  decoded = _decoded([0] * 7)
  examples = dataclasses.replace(decoded.examples, groups_known=False)
  split = splits.Split(
      train=np.array([0, 1, 2]), val=np.array([3]), test=np.array([4, 5, 6])
  )
  found = copies.Copies(np.array([0, 1, 2, 3, 0, 3, 6]))
  leak = leaks.audit(examples, split, decoded.digests, found)
  assert leak == leaks.Leak(
      None,
      None,
      None,
      duplicates=0,
      copies=1,
      copies_share=1 / 3,
      sets_of_copies=2,
  )
  assert leaks.copies_in_train(split, found).tolist() == [4]
