"""The order of images in batches: a function of (seed, epoch)."""

import numpy as np


def shuffled(
    rows: np.ndarray, *, seed: int, epoch: int, passes: int = 1
) -> np.ndarray:
  """Returns `rows` in the order of one training epoch.

  Args:
    rows: int [n].
    seed: the run's seed.
    epoch: 1 for the first.
    passes: how often an epoch goes through the rows.

  Returns:
    int [passes * n]; each pass has an order of its own.
  """
  generator = np.random.Generator(np.random.PCG64([seed, epoch]))
  orders = [generator.permutation(len(rows)) for _ in range(passes)]
  return rows[np.concatenate(orders)]


def batched(
    rows: np.ndarray, batch_size: int, multiple: int = 1
) -> tuple[np.ndarray, np.ndarray]:
  """Cuts rows into batches of one size; the last is padded, not dropped.

  Args:
    rows: int [n], n at least 1.
    batch_size: images per batch; n, rounded up, if that is less.
    multiple: of which a batch is to hold one, such as the devices' number.

  Returns:
    Rows [batches, batch size], padded with the first row, and float32 weights
    of the same shape: 1 for a true image, 0 for padding.
  """
  batch_size = min(batch_size, -(-len(rows) // multiple) * multiple)
  batches = -(-len(rows) // batch_size)
  padding = batches * batch_size - len(rows)
  weights = np.ones(len(rows) + padding, np.float32)
  weights[len(rows) :] = 0
  padded = np.concatenate([rows, np.full(padding, rows[0], rows.dtype)])
  return (
      padded.reshape(batches, batch_size),
      weights.reshape(batches, batch_size),
  )
