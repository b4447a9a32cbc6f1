"""Protects what is no copy, and copies of images of few pixels."""

from collections.abc import Callable
import io
import pathlib
from typing import Any

import numpy as np
from PIL import Image
from PIL import ImageOps
import pytest

from medxfer.data import chest_xray
from medxfer.data import copies
from medxfer.data import ham10000
from medxfer.data import images
from medxfer.data import perceptual_hash
from medxfer.data import phantom


def _sets(pictures: list) -> np.ndarray:
  return copies.joined(
      np.stack(
          [
              perceptual_hash.thumbnail(np.asarray(picture))
              for picture in pictures
          ]
      )
  )


def _texture(seed: int, side: int, most: int = 120) -> Image.Image:
  draw = np.random.default_rng(seed)
  image = Image.fromarray(draw.integers(60, 60 + most, (14, 14, 3), np.uint8))
  return image.resize((side, side), Image.Resampling.BICUBIC)


def _jpeg(image: Image.Image, quality: int) -> Image.Image:
  stream = io.BytesIO()
  image.save(stream, 'JPEG', quality=quality)
  return Image.open(stream).convert('RGB')


@pytest.mark.parametrize('side', [28, 32, 48, 64, 128])
@pytest.mark.parametrize(
    'change',
    [
        lambda image: _jpeg(image, 75),
        lambda image: _jpeg(ImageOps.mirror(image), 90),
        lambda image: image.crop((1, 1, image.width - 1, image.height)),
        lambda image: image.resize((image.width * 2, image.height * 2)),
    ],
    ids=['jpeg', 'mirrored', 'cropped', 'enlarged'],
)
def test_copies_of_small_images_are_found(
    side: int, change: Callable[..., Any]
) -> None:
  """People train on sets of 28, 64 and 128 pixels, saved again as JPEG."""
  pictures = [_texture(seed, side) for seed in range(12)]
  pictures += [change(pictures[seed]) for seed in (3, 7)]
  assert _sets(pictures).tolist() == [*range(12), 3, 7]


def _body(
    side: int,
    seed: int,
    *,
    noise: float,
    lesion: int = 0.0,
    texture: Image.Image | None = None,
) -> Image.Image:
  """The same smooth body, with noise and a lesion of its own."""
  draw = np.random.default_rng(seed)
  y, x = np.mgrid[:side, :side] / side
  grey = 90 + 64 * np.sin(x * np.pi) * np.sin(y * np.pi)
  grey += noise * draw.standard_normal((side, side))
  at_x, at_y = draw.uniform(0.25, 0.75, 2)
  grey += lesion * np.exp(-((x - at_x) ** 2 + (y - at_y) ** 2) / (2 * 0.04**2))
  colours = np.repeat(grey[:, :, None], 3, 2)
  if texture is not None:
    colours += np.asarray(texture) - 90.0
  return Image.fromarray(np.clip(colours, 0, 255).astype(np.uint8))


@pytest.mark.parametrize('side', [28, 64, 96, 224])
@pytest.mark.parametrize('lesion', [0, 30])
def test_noise_or_a_lesion_of_its_own_makes_another_image(
    side: int, lesion: int
) -> None:
  """Case 08 and its siblings: one body, and nothing else in common."""
  pictures = [_body(side, seed, noise=2.5, lesion=lesion) for seed in range(20)]
  assert _sets(pictures).tolist() == list(range(20))


@pytest.mark.parametrize('side', [64, 160])
def test_a_lesion_put_into_a_photograph_makes_another_image(side: int) -> None:
  """Else both would be refused as copies with different labels."""
  photograph = _texture(0, side, most=40)
  pictures = [
      _body(side, seed, noise=0, lesion=lesion, texture=photograph)
      for seed, lesion in enumerate((0, 60))
  ]
  assert _sets(pictures).tolist() == [0, 1]
  assert _sets([pictures[1], _jpeg(pictures[1], 75)]).tolist() == [0, 0]


@pytest.mark.parametrize(
    'make',
    [
        lambda draw, i: np.full((64, 64, 3), 8 * i, np.uint8),
        lambda draw, i: np.full(
            (32, 32, 3), np.eye(3)[i % 3] * (i + 9), np.uint8
        ),
        lambda draw, i: draw.integers(100, 103, (64, 64, 3)).astype(np.uint8),
        lambda draw, i: draw.integers(0, 255, (28, 28, 3)).astype(np.uint8),
        *(
            lambda draw, i, side=side: draw.integers(
                0, 255, (side, side, 3)
            ).astype(np.uint8)
            for side in (1, 2, 3, 8, 15, 16)
        ),
    ],
    ids=[
        'flat',
        'colours',
        'nearly flat',
        'noise',
        '1',
        '2',
        '3',
        '8',
        '15',
        '16',
    ],
)
def test_what_shows_nothing_is_no_copy(make: Callable[..., Any]) -> None:
  """Flat frames, noise and images of few pixels: identical ones alone are."""
  draw = np.random.default_rng(0)
  pictures = [make(draw, i) for i in range(30)]
  assert _sets(pictures).tolist() == list(range(30))


def test_a_grey_copy_and_one_of_another_white_balance_are_copies() -> None:
  """Brightness decides, not colour; so does one hue for another."""
  picture = _texture(0, 96)
  cast = np.asarray(picture) * np.array([1.08, 1.0, 0.85])
  swapped = np.asarray(picture.convert('YCbCr'))[:, :, [0, 2, 1]]
  pictures = [
      picture,
      picture.convert('L').convert('RGB'),
      Image.fromarray(np.clip(cast, 0, 255).astype(np.uint8)),
      Image.fromarray(np.ascontiguousarray(swapped), 'YCbCr').convert('RGB'),
      _texture(1, 96),
  ]
  assert _sets(pictures).tolist() == [0, 0, 0, 0, 4]


@pytest.mark.slow
@pytest.mark.parametrize('name', sorted(phantom.KINDS))
def test_phantoms_of_different_groups_are_no_copies(
    name: Any, tmp_path: pathlib.Path
) -> None:
  """They share one generator, its bodies and its skin."""
  kind = phantom.KINDS[name]
  kind.write(tmp_path / 'data', images=300, seed=1, size=kind.size)
  examples = {'ham10000': ham10000, 'chest_xray': chest_xray}[name].read(
      tmp_path / 'data'
  )
  found = copies.Copies(_sets(map(images.read_rgb, examples.paths))).rows()
  assert len(examples) >= 290 and all(
      len({examples.groups[i] for i in rows}) == 1 for rows in found
  )


def test_of_small_images_a_run_says_what_it_may_miss(
    tmp_path: pathlib.Path,
) -> None:
  """MedMNIST and the like; a file that cannot be read is told elsewhere."""
  paths = [tmp_path / f'{side}.png' for side in (28, 40, 300)]
  for path in paths:
    _texture(0, int(path.stem)).save(path)
  (tmp_path / 'bad.png').write_bytes(b'none')
  assert '28 pixels' in copies.caution(paths[:1] + [tmp_path / 'bad.png'])
  assert '40 pixels' in copies.caution(paths[1:2])
  assert not copies.caution(paths[2:] * 3 + paths[:1])
  assert not copies.caution([tmp_path / 'bad.png'])
