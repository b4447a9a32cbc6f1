"""What one subject is asked to do: the same for every framework."""

import dataclasses
import pathlib
from typing import Any

import numpy as np
from PIL import Image

from medxfer.model import architectures

ARCHITECTURE = architectures.BY_NAME['vgg16']
CLASSES = 7
HEAD_UNITS = (256, 256)
DROPOUT = 0.3
LEARNING_RATE = 1e-4
WEIGHT_DECAY = 1e-4
EPOCHS = 3  # Of a repeat of the mode `epoch`.

# Mode -> what trains, in the words of `medxfer.model.trainable`; None: the
# mode only scores.
MODES: dict[str, str | None] = {
    'forward': None,
    'train_all': 'all',
    'train_first': 'block1',
    'train_last': 'block5',
    'train_head': 'none',
    'epoch': 'block5',
}
# Precision -> how far losses of the same work may differ, relatively.
PRECISIONS = {'float32': 1e-3, 'bfloat16': 2**-8}


@dataclasses.dataclass(frozen=True)
class Setting:
  """One mode, as every subject has to do it.

  Attributes:
    mode: a key of `MODES`.
    image_size: side of the square images, pixels.
    batch_size: images per step.
    precision: of the computation; parameters are float32.
    threads: CPU threads of the computation.
    folder: of class folders with JPEG files, for the mode `epoch`.
    seed: of pixels, labels and the head's kernels.
  """

  mode: str
  image_size: int
  batch_size: int
  precision: str
  threads: int
  folder: str = ''
  seed: int = 0

  def to_json(self) -> dict[str, Any]:
    """Returns the setting as a dict of numbers and strings."""
    return dataclasses.asdict(self)


def pixels(setting: Setting) -> tuple[np.ndarray, np.ndarray]:
  """Returns a batch: uint8 [batch, side, side, 3] and int32 [batch]."""
  draw = np.random.default_rng(setting.seed)
  side = setting.image_size
  images = draw.integers(0, 256, (setting.batch_size, side, side, 3), np.uint8)
  return images, draw.integers(0, CLASSES, setting.batch_size, np.int32)


def head(setting: Setting) -> dict[str, dict[str, np.ndarray]]:
  """Returns the kernels and biases that every subject's head starts from.

  Kernels are float32 [in, out]; the flattened features come in the order
  height, width, channel.
  """
  draw = np.random.default_rng(setting.seed)
  widths = ((setting.image_size // 32) ** 2 * 512, *HEAD_UNITS, CLASSES)
  return {
      name: {
          'kernel': (draw.normal(size=(wide, units)) / wide**0.5).astype(
              np.float32
          ),
          'bias': np.zeros(units, np.float32),
      }
      for name, wide, units in zip(
          ('fc1', 'fc2', 'predictions'), widths, widths[1:]
      )
  }


def files(folder: str) -> list[tuple[pathlib.Path, int]]:
  """Returns the JPEG files below the class folders of `folder`, labelled."""
  classes = sorted(p for p in pathlib.Path(folder).iterdir() if p.is_dir())
  return [
      (path, label)
      for label, of_class in enumerate(classes)
      for path in sorted(of_class.glob('*.jpg'))
  ]


def read_image(path: pathlib.Path, side: int) -> np.ndarray:
  """Returns uint8 [side, side, 3]."""
  with Image.open(path) as image:
    return np.asarray(image.convert('RGB').resize((side, side)))
