"""Class folders of JPEG files, as large as HAM10000's, for the mode `epoch`."""

import pathlib

import numpy as np
from PIL import Image

from medxfer.bench import setting as settings

_WIDTH, _HEIGHT = 600, 450
_GRAIN = 15  # Pixels of one patch; coarse enough to compress like skin.


def write(path: pathlib.Path, count: int) -> None:
  """Writes `count` images, dealt to the classes in turn."""
  draw = np.random.default_rng(0)
  for number in range(count):
    of_class = path / f'class{number % settings.CLASSES}'
    of_class.mkdir(exist_ok=True)
    patches = draw.integers(
        0, 256, (_HEIGHT // _GRAIN, _WIDTH // _GRAIN, 3), np.uint8
    )
    image = Image.fromarray(patches).resize(
        (_WIDTH, _HEIGHT), Image.Resampling.BICUBIC
    )
    image.save(of_class / f'{number:06}.jpg', quality=90)
