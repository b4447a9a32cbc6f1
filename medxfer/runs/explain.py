"""Draws where in an image a run finds its prediction."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
import contextlib
import pathlib
import re

import numpy as np

from medxfer import files
from medxfer import predictor
from medxfer.explain import pictures

INDEX = 'index.csv'
_HEADER = ('image', 'file', 'prediction', 'probability')
_LONGEST_STEM = 60

Draw = Callable[[Sequence[pathlib.Path], np.ndarray, np.ndarray], None]


@contextlib.contextmanager
def drawing(
    target: pathlib.Path, trained: predictor.Predictor, layer: str | None
) -> Iterator[Draw]:
  """Opens a folder of pictures; it is there, whole, when the body has ended.

  Args:
    target: the folder; absent or empty.
    trained: the network.
    layer: the convolution that Grad-CAM looks at; None for the deepest one
      that the size of the images allows.

  Yields:
    A function of image files, their pixels (uint8 [batch, height, width, 3])
    and probabilities (float [batch, classes]) that draws each image beside
    the Grad-CAM of its prediction.

  Raises:
    UsageError: `target` holds something, or the layer does not exist.
  """
  classes = trained.class_names
  index = []
  with files.staged_folder(target) as stage:

    def draw(
        names: Sequence[pathlib.Path],
        pixels: np.ndarray,
        probabilities: np.ndarray,
    ) -> None:
      winners = probabilities.argmax(-1)
      heats = trained.network.heat(pixels, winners, layer)
      for name, image, heat, winner, p in zip(
          names, pixels, heats, winners, probabilities
      ):
        file = file_name(len(index) + 1, name)
        captions = (name.stem, f'{p[winner]:.3f} {classes[winner]}')
        pictures.write(stage / file, _pair(image, heat, captions))
        index.append(
            (files.name_of(name), file, classes[winner], float(p[winner]))
        )

    yield draw
    files.write_table(stage / INDEX, _HEADER, index)


def file_name(number: int, image: pathlib.Path) -> str:
  """Returns the name of an image's picture: safe anywhere, and its own.

  Args:
    number: of the image, from 1; keeps images of the same name apart.
    image: the file; of its name only ASCII letters and digits are kept.
  """
  stem = re.sub(r'[^0-9A-Za-z]+', '_', image.stem).strip('_')
  return f'{number:05d}_{stem[:_LONGEST_STEM] or "image"}.png'


def _pair(
    image: np.ndarray, heat: np.ndarray, captions: Sequence[str]
) -> np.ndarray:
  image = pictures.enlarged(image)
  return pictures.tile(
      [image, pictures.overlay(image, heat)], captions, columns=2
  )
