"""Writes vgg16_imagenet.npz, the numbers that weights_golden_test.py pins.

  python tests/model/golden/make_golden.py WEIGHTS.h5

WEIGHTS.h5 is Keras' published no-top file. Keras (on TensorFlow) runs its own
VGG16 on two images made by a formula; of every `blockN_pool` the file keeps
the mean, the standard deviation, the largest absolute value and 64 values at
places spread evenly over the output. The images are stored, so the test needs
neither the formula nor Keras.
"""

import os
import pathlib
import sys

os.environ.setdefault('KERAS_BACKEND', 'tensorflow')
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

import keras
import numpy as np

_SIZES = ((32, 48), (64, 64))
_KEPT = 64


def _image(height: int, width: int) -> np.ndarray:
  """Returns uint8 [height, width, 3]: soft waves with a dark disc on them."""
  y, x = np.mgrid[:height, :width].astype(np.float64)
  waves = [
      127 + 70 * np.sin(x / (5 + c) + c) + 50 * np.cos(y / (3 + 2 * c))
      for c in range(3)
  ]
  disc = (y - height / 2) ** 2 + (x - width / 3) ** 2 < (height / 4) ** 2
  image = np.stack(waves, axis=-1) * np.where(disc, 0.4, 1.0)[..., None]
  return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def _summaries(weights: str, image: np.ndarray) -> dict[str, np.ndarray]:
  model = keras.applications.VGG16(weights=weights, include_top=False)
  names = [f'block{b}_pool' for b in range(1, 6)]
  probe = keras.Model(
      model.input, [model.get_layer(name).output for name in names]
  )
  pixels = keras.applications.vgg16.preprocess_input(
      image[None].astype(np.float32)
  )
  kept = {}
  for name, output in zip(names, probe(pixels), strict=True):
    values = np.asarray(output).ravel()
    places = np.linspace(0, values.size - 1, _KEPT).astype(np.int64)
    kept[f'{name}/places'] = places
    kept[f'{name}/values'] = values[places]
    kept[f'{name}/summary'] = np.array(
        [
            values.mean(dtype=np.float64),
            values.std(dtype=np.float64),
            np.abs(values).max(),
        ],
        np.float64,
    )
  return kept


def main(weights: str) -> None:
  """Writes the golden file beside this script."""
  arrays = {}
  for height, width in _SIZES:
    prefix = f'{height}x{width}'
    image = _image(height, width)
    arrays[f'{prefix}/image'] = image
    for name, value in _summaries(weights, image).items():
      arrays[f'{prefix}/{name}'] = value
  np.savez_compressed(
      pathlib.Path(__file__).with_name('vgg16_imagenet.npz'), **arrays
  )


if __name__ == '__main__':
  main(sys.argv[1])
