"""VGG-16 with weights whose activations can be told without computing."""

import numpy as np

from medxfer.model import architectures

_VGG16 = architectures.BY_NAME['vgg16']


def transparent(image_size: tuple, head: list | np.ndarray) -> dict:
  """Returns parameters that hand an image on, channel by channel.

  Every convolution copies its first three channels, so that a layer's
  activation is the image (which must not be negative), max-pooled.

  Args:
    image_size: (height, width).
    head: [3, classes]; class c's logit is the sum over places of the last
      pooling's channels, weighted by head[:, c].
  """
  params = {}
  for name, leaves in _VGG16.backbone_shapes().items():
    kernel = np.zeros(leaves['kernel'], np.float32)
    for channel in range(3):
      kernel[1, 1, channel, channel] = 1
    params[name] = {
        'kernel': kernel,
        'bias': np.zeros(leaves['bias'], np.float32),
    }
  places = image_size[0] // 32 * (image_size[1] // 32)
  copies = np.zeros((places, 512, 3), np.float32)
  copies[:, [0, 1, 2], [0, 1, 2]] = 1
  kernels = (copies.reshape(-1, 3), np.eye(3), np.asarray(head))
  for name, kernel in zip(_VGG16.head, kernels, strict=True):
    params[name] = {
        'kernel': kernel.astype(np.float32),
        'bias': np.zeros(kernel.shape[1], np.float32),
    }
  return params


def random(image_size: tuple, classes: int, units: tuple = (16, 16)) -> dict:
  """Returns parameters that keep about half of all activations alive."""
  rng = np.random.default_rng(0)
  inputs = image_size[0] // 32 * (image_size[1] // 32) * 512
  shapes = {
      name: leaves['kernel']
      for name, leaves in _VGG16.backbone_shapes().items()
  }
  shapes.update(
      zip(
          _VGG16.head,
          ((inputs, units[0]), units, (units[1], classes)),
          strict=True,
      )
  )
  return {
      name: {
          'kernel': rng.standard_normal(shape, np.float32)
          * np.float32(np.sqrt(2 / np.prod(shape[:-1]))),
          'bias': rng.normal(0, 0.1, shape[-1]).astype(np.float32),
      }
      for name, shape in shapes.items()
  }


def pooled(images: np.ndarray, layer: str) -> np.ndarray:
  """Returns what a `transparent` network shows in a layer, [b, h, w, 3]."""
  block = int(layer[len('block')])
  factor = 2 ** (block if layer.endswith('pool') else block - 1)
  batch, height, width, channels = images.shape
  return images.reshape(
      batch, height // factor, factor, width // factor, factor, channels
  ).max((2, 4))
