"""Pictures from arrays: heat over an image, contact sheets with captions.

A picture is uint8 [height, width, 3], RGB.
"""

from collections.abc import Sequence
import pathlib

import numpy as np
from PIL import Image

from medxfer.explain import caption_fonts

# Shorter sides are enlarged to at least this many pixels.
_SIDE = 192
_GAP = 6  # White pixels around each picture of a sheet.
_LINE = 18  # Pixels, the height of a caption.


def enlarged(image: np.ndarray) -> np.ndarray:
  """Returns a picture large enough to look at, a whole multiple of `image`."""
  height, width, _ = image.shape
  factor = -(-_SIDE // min(height, width))
  if factor <= 1:
    return image
  large = Image.fromarray(image).resize(
      (width * factor, height * factor), Image.Resampling.BICUBIC
  )
  return np.array(large)


def stretched(values: np.ndarray) -> np.ndarray:
  """Scales [h, w] from its own range to [0, 1]; all 0 if it is constant."""
  values = values - values.min()
  return values / (values.max() or 1)


def coloured(
    heat: np.ndarray, size: tuple[int, int], colours: str = 'viridis'
) -> np.ndarray:
  """Paints a map in colours whose lightness grows evenly.

  Args:
    heat: float [h, w] in [0, 1].
    size: (height, width) of the picture; the map is resized bilinearly.
    colours: name of a colour map of Matplotlib.
  """
  return _painted(_resized(heat, size), colours)


def overlay(
    image: np.ndarray,
    heat: np.ndarray,
    alpha: float = 0.6,
    colours: str = 'inferno',
) -> np.ndarray:
  """Paints a map over an image.

  Args:
    image: uint8 [height, width, 3].
    heat: float [h, w] in [0, 1]; resized bilinearly to the image.
    alpha: opacity where the heat is 1. It falls with the heat: where there
      is none, the image is seen as it is.
    colours: name of a colour map of Matplotlib.
  """
  heat = _resized(heat, image.shape[:2])
  opacity = alpha * heat[..., None]
  mixed = opacity * _painted(heat, colours) + (1 - opacity) * image
  return np.round(mixed).astype(np.uint8)


def tile(
    images: Sequence[np.ndarray], captions: Sequence[str] = (), *, columns: int
) -> np.ndarray:
  """Lays out pictures of one size row by row, on white.

  Args:
    images: at least one picture.
    captions: a line above each, cut where it is wider than its picture; or
      none at all.
    columns: pictures a row; fewer if there are fewer.
  """
  height, width, _ = images[0].shape
  line = _LINE if captions else 0
  columns = min(columns, len(images))
  rows = -(-len(images) // columns)
  sheet = Image.new(
      'RGB',
      (columns * (width + _GAP) + _GAP, rows * (height + line + _GAP) + _GAP),
      'white',
  )
  for i, image in enumerate(images):
    row, column = divmod(i, columns)
    x = _GAP + column * (width + _GAP)
    y = _GAP + row * (height + line + _GAP)
    if captions:
      sheet.paste(
          Image.fromarray(caption_fonts.line(captions[i], width, line)), (x, y)
      )
    sheet.paste(Image.fromarray(image), (x, y + line))
  return np.array(sheet)


def stack(pictures: Sequence[np.ndarray]) -> np.ndarray:
  """Puts pictures below one another, white where one is narrower."""
  width = max(picture.shape[1] for picture in pictures)
  return np.concatenate(
      [
          np.pad(
              picture,
              ((0, 0), (0, width - picture.shape[1]), (0, 0)),
              constant_values=255,
          )
          for picture in pictures
      ]
  )


def write(path: pathlib.Path, picture: np.ndarray) -> None:
  """Writes a PNG file."""
  Image.fromarray(picture).save(path, format='PNG')


def _resized(heat: np.ndarray, size: tuple[int, int]) -> np.ndarray:
  image = Image.fromarray(np.asarray(heat, np.float32))
  height, width = size
  return np.array(image.resize((width, height), Image.Resampling.BILINEAR))


def _painted(heat: np.ndarray, colours: str) -> np.ndarray:
  import matplotlib

  return matplotlib.colormaps[colours](heat, bytes=True)[..., :3]
