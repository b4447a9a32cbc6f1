"""Measures how many copies are missed, and which other images are joined.

    python -m tests.data.copies_rates --output=results/copies.json

Of each data set in $MEDXFER_DATA some images are copied in every way of
`CHANGES`, and all images are compared with each other. Both are reported for
two halves, dealt by group. The same is done for the images squeezed into
squares of `SIDES`, which are data sets of their own, copied in the ways of
`SMALL_CHANGES`. A join of images of two groups is named: look at it, some are
true copies.
"""

import argparse
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from concurrent import futures
import io
import json
import os
import pathlib
import time
import zlib

import numpy as np
from PIL import Image
from PIL import ImageEnhance
from PIL import ImageOps

from medxfer.data import chest_xray
from medxfer.data import copies
from medxfer.data import examples as examples_lib
from medxfer.data import folders
from medxfer.data import ham10000
from medxfer.data import images
from medxfer.data import perceptual_hash

SIDES = (28, 48, 64, 96, 128)  # Pixels.

Change = Callable[[Image.Image, np.random.Generator], Image.Image]


def jpeg(image: Image.Image, quality: int) -> Image.Image:
  """Returns an image as a JPEG file gives it back."""
  stream = io.BytesIO()
  image.save(stream, 'JPEG', quality=quality)
  return Image.open(stream).convert('RGB')


def resized(image: Image.Image, factor: float) -> Image.Image:
  """Returns an image of another size."""
  return image.resize(
      tuple(round(side * factor) for side in image.size),
      Image.Resampling.LANCZOS,
  )


def cropped(image: Image.Image, *borders: int) -> Image.Image:
  """Returns an image less left, upper, right and lower borders, in pixels."""
  left, upper, right, lower = borders
  return image.crop((left, upper, image.width - right, image.height - lower))


def brighter(image: Image.Image, factor: float) -> Image.Image:
  """Returns an image whose values are so many times larger, and cut at 255."""
  return ImageEnhance.Brightness(image).enhance(factor)


def _all_at_once(image: Image.Image, draw: np.random.Generator) -> Image.Image:
  image = cropped(image, *draw.integers(0, 7, 4))
  return jpeg(brighter(resized(ImageOps.mirror(image), 0.6), 1.07), 60)


CHANGES: dict[str, Change] = {
    'png': lambda image, draw: image,
    'jpeg 50': lambda image, draw: jpeg(image, 50),
    'jpeg 75': lambda image, draw: jpeg(image, 75),
    'jpeg 95': lambda image, draw: jpeg(image, 95),
    'resized to 0.5': lambda image, draw: resized(image, 0.5),
    'resized to 0.75': lambda image, draw: resized(image, 0.75),
    'resized to 1.3': lambda image, draw: resized(image, 1.3),
    'cropped by 2': lambda image, draw: cropped(image, 2, 2, 2, 2),
    'cropped by 6': lambda image, draw: cropped(image, 6, 6, 6, 6),
    'cropped by 0 to 6': lambda image, draw: cropped(
        image, *draw.integers(0, 7, 4)
    ),
    'brighter by 5 %': lambda image, draw: brighter(image, 1.05),
    'brighter by 10 %': lambda image, draw: brighter(image, 1.1),
    'darker by 10 %': lambda image, draw: brighter(image, 0.9),
    'brighter by 20 levels': lambda image, draw: image.point(
        lambda value: min(value + 20, 255)
    ),
    'mirrored': lambda image, draw: ImageOps.mirror(image),
    'upside down': lambda image, draw: ImageOps.flip(image),
    'turned, jpeg 75': lambda image, draw: jpeg(
        image.transpose(Image.Transpose.ROTATE_90), 75
    ),
    'cropped, mirrored, 0.6, brighter, jpeg 60': _all_at_once,
}


# Crops of six pixels would be a fifth of an image of 28.
SMALL_CHANGES: dict[str, Change] = {
    **{name: change for name, change in CHANGES.items() if ' 6' not in name},
    'cropped by 1': lambda image, draw: cropped(image, 1, 1, 1, 1),
    'cropped by 0 to 2': lambda image, draw: cropped(
        image, *draw.integers(0, 3, 4)
    ),
}


def measure(examples: examples_lib.Examples, copied: int) -> dict[str, object]:
  """Returns both error rates for one data set, and for smaller images of it.

  Args:
    examples: its table.
    copied: how many images of each half are copied.
  """
  thumbnails = []
  small = {side: [] for side in SIDES}
  for path in examples.paths:
    image = images.read_rgb(path)
    thumbnails.append(perceptual_hash.thumbnail(image))
    for side in SIDES:
      small[side].append(
          np.asarray(
              Image.fromarray(image).resize(
                  (side, side), Image.Resampling.BICUBIC
              )
          )
      )
  result = _measured(
      examples,
      thumbnails,
      lambda i: images.read_rgb(examples.paths[i]),
      CHANGES,
      copied,
  )
  result['squeezed_into'] = {
      side: _measured(
          examples,
          [perceptual_hash.thumbnail(image) for image in small[side]],
          small[side].__getitem__,
          SMALL_CHANGES,
          copied,
      )
      for side in SIDES
  }
  return result


def _measured(
    examples: examples_lib.Examples,
    thumbnails: Sequence[np.ndarray],
    load: Callable[[int], np.ndarray],
    changes: Mapping[str, Change],
    copied: int,
) -> dict[str, object]:
  half = np.array([zlib.crc32(group.encode()) % 2 for group in examples.groups])
  started = time.monotonic()
  sets = copies.joined(np.stack(thumbnails))
  seconds = time.monotonic() - started
  result = {'images': len(examples), 'seconds': round(seconds, 1), 'halves': []}
  for side in (0, 1):
    rows = np.flatnonzero(half == side)
    result['halves'].append(
        {
            'images': len(rows),
            **_joined(examples, copies.Copies(sets[rows]).rows(), rows),
            'copied': copied,
            'missed': _missed(load, rows, changes, copied),
        }
    )
  between = [
      [examples.image_ids[i] for i in rows]
      for rows in copies.Copies(sets).rows()
      if len(set(half[rows])) > 1
  ]
  return {**result, 'joined_across_halves': between}


def _joined(
    examples: examples_lib.Examples, sets: list[np.ndarray], rows: np.ndarray
) -> dict[str, object]:
  named = [
      [examples.image_ids[i] for i in rows[found]]
      for found in sets
      if len({examples.groups[i] for i in rows[found]}) > 1
  ]
  return {
      'sets': len(sets),
      'images_in_sets': sum(map(len, sets)),
      'sets_across_groups': named,
  }


def _missed(
    load: Callable[[int], np.ndarray],
    rows: np.ndarray,
    changes: Mapping[str, Change],
    copied: int,
) -> dict[str, int]:
  """Returns by change how many copies are not joined with their image."""
  draw = np.random.default_rng(0)
  rows = draw.choice(rows, min(copied, len(rows)), replace=False)
  originals = [Image.fromarray(load(i)) for i in rows]
  ours = [perceptual_hash.thumbnail(np.asarray(image)) for image in originals]
  n, missed = len(rows), {}
  for name, change in changes.items():
    theirs = [
        perceptual_hash.thumbnail(np.asarray(change(image, draw)))
        for image in originals
    ]
    sets = copies.joined(np.stack(ours + theirs))
    missed[name] = int((sets[:n] != sets[n:]).sum())
  return missed


def main() -> None:
  """Reads the flags, measures, writes."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('--data', default=os.environ.get('MEDXFER_DATA'))
  parser.add_argument('--output', type=pathlib.Path, required=True)
  parser.add_argument('--copied', type=int, default=150)
  flags = parser.parse_args()
  root = pathlib.Path(flags.data)
  tables = {
      'ham10000': ham10000.read(root / 'ham10000'),
      'chest_xray': chest_xray.read(root / 'chest_xray'),
      'nih_cxr': folders.read(
          root / 'nih_cxr', groups=root / 'nih_cxr' / 'groups.csv'
      ),
  }
  with futures.ProcessPoolExecutor(2) as pool:
    measured = pool.map(measure, tables.values(), [flags.copied] * len(tables))
    measured = dict(zip(tables, measured))
  result = {
      'command': 'python -m tests.data.copies_rates '
      '--output=results/copies.json',
      **measured,
  }
  flags.output.write_text(json.dumps(result, indent=1) + '\n')


if __name__ == '__main__':
  main()
