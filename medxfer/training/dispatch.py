"""Transfers batches to the devices, several steps at a time."""

from collections.abc import Iterator
import itertools

import jax
import numpy as np

from medxfer import progress
from medxfer.training import devices
from medxfer.training import feeds

# Steps that a device is given together: by then, starting them costs nothing.
_AT_ONCE = 32

Batches = tuple[feeds.Batch, jax.Array, jax.Array]


def training(
    feed: feeds.Feed,
    labels: np.ndarray,
    rows: np.ndarray,
    weights: np.ndarray,
    title: str,
    done: int = 0,
    *,
    announced: bool = False,
) -> Iterator[Batches]:
  """Yields what `steps.train_steps` takes, and draws a bar.

  Args:
    feed: of the images.
    labels: int32 [n], of all images.
    rows: int [batches, batch size].
    weights: float32 [batches, batch size].
    title: of the bar.
    done: steps to leave out, a number of steps that was yielded before.
    announced: see `progress.track`.

  Yields:
    Batches, labels and weights of a number of steps that divides their sum.
  """
  # Of all steps: a program of other steps at once would round differently.
  at_once = _at_once(feed, len(rows))
  rows, weights = (devices.own_slice(part[done:]) for part in (rows, weights))
  each = zip(feed.batches(rows), labels[rows], weights)
  bar = progress.track(
      each,
      total=len(rows),
      title=title,
      unit='batches',
      announced=announced,
      at_once=at_once,
  )
  while some := list(itertools.islice(bar, at_once)):
    yield devices.spread(
        jax.tree.map(lambda *leaves: np.stack(leaves), *some), axis=1
    )


def scoring(
    feed: feeds.Feed, rows: np.ndarray, title: str, *, announced: bool = False
) -> Iterator[feeds.Batch]:
  """Yields what `steps.predict_step` takes, and draws a bar.

  Args:
    feed: of the images.
    rows: int [batches, batch size].
    title: of the bar.
    announced: see `progress.track`.
  """
  batches = feed.batches(devices.own_slice(rows))
  bar = progress.track(
      batches, total=len(rows), title=title, unit='batches', announced=announced
  )
  return map(devices.spread, bar)


def _at_once(feed: feeds.Feed, steps: int) -> int:
  """Returns how many steps to dispatch together: a divisor of their number."""
  if feed.stored is None or jax.default_backend() == 'cpu':
    return 1  # The host has to bring the images, or is the device.
  return max(n for n in range(1, _AT_ONCE + 1) if steps % n == 0)
