"""Preprocessing of pixels, which belongs to the weights of a network."""

import jax
import jax.numpy as jnp

# Channel means of ImageNet in Caffe's order, blue first: keras.applications,
# `imagenet_utils.preprocess_input(mode='caffe')`.
_CAFFE_MEANS_BGR = (103.939, 116.779, 123.68)


def preprocess(images: jax.Array, mode: str) -> jax.Array:
  """Prepares a batch for the network.

  Args:
    images: [batch, height, width, 3], RGB in [0, 255].
    mode: 'caffe' for what Keras' ImageNet VGG-16 was trained with (BGR less
      the channel means), 'tf', as Keras calls it, for [-1, 1], 'rescale' for
      [0, 1], as Keras' `Rescaling(1 / 255)`.

  Returns:
    float32 of the same shape.

  Raises:
    ValueError: another mode.
  """
  images = images.astype(jnp.float32)
  if mode == 'caffe':
    return images[..., ::-1] - jnp.array(_CAFFE_MEANS_BGR, jnp.float32)
  if mode == 'tf':
    return images / 127.5 - 1.0
  if mode == 'rescale':
    return images / 255.0
  raise ValueError(f'no preprocessing is called {mode!r}')
