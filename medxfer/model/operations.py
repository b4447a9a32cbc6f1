"""How many operations, parameters and values a network has, without JAX."""

from collections.abc import Collection
from collections.abc import Mapping

import numpy as np

from medxfer.model.architectures import Architecture


def multiplications(
    architecture: Architecture,
    image_size: tuple[int, int],
    head_units: tuple[int, int],
    classes: int,
) -> dict[str, float]:
  """Returns layer -> multiplications of one image, first layer to last.

  Args:
    architecture: of the backbone.
    image_size: (height, width) in pixels.
    head_units: of the two hidden dense layers.
    classes: outputs of the last layer.
  """
  (height, width), channels, found = image_size, 3, {}
  for names in architecture.blocks.values():
    for name in names:
      wide = architecture.channels[name]
      found[name] = 9.0 * channels * wide * height * width
      channels = wide
    height, width = height // 2, width // 2
  units = (height * width * channels, *head_units, classes)
  return found | {
      name: float(wide * narrow)
      for name, wide, narrow in zip(architecture.head, units, units[1:])
  }


def operations(
    products: Mapping[str, float], trained: Collection[str] = ()
) -> float:
  """Returns the operations of one image in one step, two a multiplication.

  A layer is multiplied once forward; once more for its kernel's gradient if
  it trains, and once more for its input's gradient if a layer below it trains.

  Args:
    products: of the layers that compute, first to last; see
      `multiplications`.
    trained: the layers that train; none for scoring.
  """
  total, below = 0.0, False
  for name, count in products.items():
    total += 2.0 * count * (1 + (name in trained) + below)
    below = below or name in trained
  return total


def parameters(
    architecture: Architecture,
    image_size: tuple[int, int],
    head_units: tuple[int, int],
    classes: int,
) -> int:
  """Returns how many parameters a network has; arguments as above."""
  found = sum(
      int(np.prod(shape))
      for leaves in architecture.backbone_shapes().values()
      for shape in leaves.values()
  )
  last = activations(architecture, image_size)[architecture.activations[-1]]
  units = (last, *head_units, classes)
  return found + sum((a + 1) * b for a, b in zip(units, units[1:]))


def activations(
    architecture: Architecture, image_size: tuple[int, int]
) -> dict[str, int]:
  """Returns activation of the backbone -> its values of one image.

  Args:
    architecture: of the backbone.
    image_size: (height, width) in pixels.
  """
  (height, width), found = image_size, {}
  for block, names in architecture.blocks.items():
    for name in names:
      found[name] = height * width * architecture.channels[name]
    height, width = height // 2, width // 2
    found[f'{block}_pool'] = height * width * architecture.channels[names[-1]]
  return found
