"""Where decoded pixels are kept while a run uses them.

`device` puts all of them beside the network, `host` hands over one batch at a
time, `none` reads the files again for every batch. All three serve the same
rows in the same order, so the choice changes speed and memory, not results.
"""

from collections.abc import Callable
from collections.abc import Iterator
import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from medxfer.data import decoded as decoded_lib


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
  """Pixels in reach of the network.

  Attributes:
    stored: uint8 [n, h, w, 3], what the device is given once; or None.
    batches: rows, int [batches, batch size] -> what it is given for each
      batch: the rows themselves, or uint8 [batch size, h, w, 3].
  """

  stored: np.ndarray | jax.Array | None
  batches: Callable[[np.ndarray], Iterator[np.ndarray]]


def pixels(stored: jax.Array | None, batch: jax.Array) -> jax.Array:
  """Returns a batch's pixels, uint8 [batch size, h, w, 3]; traceable."""
  return batch if stored is None else jnp.take(stored, batch, axis=0)


def make(
    cache: str, decoded: decoded_lib.Decoded, image_size: tuple[int, int]
) -> Source:
  """Returns the source that `data.cache` names.

  Args:
    cache: 'device', 'host' or 'none'.
    decoded: the table, with pixels unless they fit neither memory nor disk.
    image_size: (height, width) in pixels.
  """
  if cache == 'device':
    return Source(decoded.pixels, iter)
  if decoded.pixels is not None:
    pixels = decoded.pixels
    return Source(None, lambda rows: (pixels[b] for b in rows))
  return _from_files(decoded, image_size)


def of_arrays() -> Source:
  """Returns the source whose rows are the pixels themselves."""
  return Source(None, iter)


def _from_files(
    decoded: decoded_lib.Decoded, image_size: tuple[int, int]
) -> Source:
  # Loads TensorFlow: only where files are read.
  from medxfer.data import pipeline

  return Source(
      None,
      lambda rows: pipeline.stream(
          decoded.examples,
          image_size,
          rows,
          digests=decoded.digests,
          grey_range=decoded.grey_range,
      ),
  )
