"""Where decoded pixels are kept while a run uses them.

`device` puts all of them beside the network, `host` hands over one batch at a
time, `none` reads the files again for every batch. All three serve the same
rows in the same order, so the choice changes speed and memory, not results.
"""

from collections.abc import Callable
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from medxfer.data import examples as examples_lib
from medxfer.data import pipeline

# Rows [batches, batch size] -> batches of uint8 [batch size, h, w, 3].
Source = Callable[[np.ndarray], Iterator[jax.Array]]


def make(
    cache: str, decoded: pipeline.Decoded, image_size: tuple[int, int]
) -> Source:
  """Returns the source that `data.cache` names.

  Args:
    cache: 'device', 'host' or 'none'.
    decoded: the table, with pixels unless `cache` is 'none'.
    image_size: (height, width) in pixels.
  """
  if cache == 'device':
    return _from_device(jax.device_put(decoded.pixels))
  if cache == 'host':
    return _from_host(decoded.pixels)
  return _from_files(decoded.examples, image_size)


def _from_device(pixels: jax.Array) -> Source:
  def batches(rows: np.ndarray) -> Iterator[jax.Array]:
    for batch in rows:
      yield jnp.take(pixels, batch, axis=0)
  return batches


def _from_host(pixels: np.ndarray) -> Source:
  def batches(rows: np.ndarray) -> Iterator[jax.Array]:
    for batch in rows:
      yield jax.device_put(pixels[batch])
  return batches


def _from_files(
    examples: examples_lib.Examples, image_size: tuple[int, int]
) -> Source:
  def batches(rows: np.ndarray) -> Iterator[jax.Array]:
    for pixels in pipeline.stream(examples, image_size, rows):
      yield jax.device_put(pixels)
  return batches
