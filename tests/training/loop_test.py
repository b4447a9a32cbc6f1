"""Protects the loop: when it stops, what is best, what is scored."""

from collections.abc import Iterator
import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from medxfer import spec as specs
from medxfer.recipes import common
from medxfer.training import feeds
from medxfer.training import loop


def _history(*accuracies: Any) -> list:
  # What is not monitored says the opposite.
  return [
      {'epoch': i + 1, 'val_accuracy': a, 'val_f1_macro': 1 - a, 'val_loss': a}
      for i, a in enumerate(accuracies)
  ]


def _training(**changes: Any) -> specs.TrainingSpec:
  return dataclasses.replace(
      specs.from_config(common.default()).training, **changes
  )


def _spec(*, batch_size: int, image_size: tuple) -> specs.RunSpec:
  config = common.default()
  config.evaluation.batch_size = batch_size
  config.data.image_size = image_size
  return specs.from_config(config)


@pytest.mark.parametrize(
    'accuracies, best',
    [((0.5,), 1), ((0.5, 0.6, 0.4), 2), ((0.5, 0.6, 0.6), 2), ((0.6, 0.6), 1)],
)
def test_the_best_epoch_is_the_first_highest(
    accuracies: tuple, best: int
) -> None:
  """A tie must not move it, or patience would never end."""
  assert loop.best_epoch(_history(*accuracies), _training()) == best


@pytest.mark.parametrize(
    'monitor, best', [('accuracy', 3), ('f1_macro', 2), ('loss', 2)]
)
def test_the_best_epoch_is_best_in_what_is_monitored(
    monitor: str, best: int
) -> None:
  """Where classes are rare, accuracy stops before they are learnt."""
  history = _history(0.5, 0.4, 0.6, 0.4)
  assert loop.best_epoch(history, _training(monitor=monitor)) == best


@pytest.mark.parametrize(
    'accuracies, patience, over',
    [
        ((), 2, False),
        ((0.5, 0.4), 2, False),
        ((0.5, 0.4, 0.4), 2, True),
        ((0.5, 0.5, 0.5), 2, True),
        ((0.5, 0.4, 0.6, 0.6), 2, False),
        ((0.5, 0.4, 0.3, 0.2), 0, False),
        ((0.1, 0.2, 0.3, 0.4, 0.5), 2, True),  # The last of five epochs.
    ],
)
def test_patience_and_the_last_epoch_end_training(
    accuracies: tuple, patience: int, over: bool
) -> None:
  """Section 6.2: stop after 5 epochs without a better accuracy."""
  training = _training(epochs=5, patience=patience)
  assert loop.is_over(_history(*accuracies), training) == over


def test_every_row_is_scored_once_in_its_order() -> None:
  """The last batch is padded; its padding must not be scored."""
  seen = []

  def batches(rows: np.ndarray) -> Iterator[Any]:
    for batch in rows:
      seen.append(len(batch))
      yield jnp.asarray(batch, jnp.float32)

  feed = feeds.Feed('fc1', None, batches, train=None, score=None)
  rows = np.array([9, 4, 7, 1, 3])
  logits = loop.predict(
      lambda params, _, batch: jnp.stack([batch, params * batch], 1),
      2.0,
      feed,
      rows,
      _spec(batch_size=2, image_size=(224, 224)),
  )
  np.testing.assert_array_equal(logits, np.stack([rows, 2 * rows], 1))
  assert seen == [2, 2, 2]


@pytest.mark.parametrize(
    'first, size, together',
    [('', 224, 2), ('', 1024, 1), ('', 32, 6), ('block5_conv1', 224, 6)],
)
def test_large_images_are_scored_few_at_a_time(
    first: str, size: int, together: int
) -> None:
  """Where memory is the CPU's: 64 images of 224 pixels would take 6 GiB."""
  seen = []

  def batches(rows: np.ndarray) -> Iterator:
    seen.extend(map(len, rows))
    return iter(rows)

  feed = feeds.Feed(first, None, batches, train=None, score=None)
  loop.predict(
      lambda params, _, batch: batch[:, None],
      None,
      feed,
      np.arange(6),
      _spec(batch_size=64, image_size=(size, size)),
  )
  assert set(seen) == {together}


def test_scores_against_hand_computation() -> None:
  """Also at logits whose exponential overflows."""
  logits = np.array([[0, 0], [1000, 0], [0, 1000]], np.float32)
  scores = loop._score(logits, np.array([0, 0, 0]))
  assert scores == pytest.approx(
      {
          'val_loss': (np.log(2) + 0 + 1000) / 3,
          'val_accuracy': 2 / 3,
          'val_f1_macro': (4 / 5 + 0) / 2,
      }
  )
