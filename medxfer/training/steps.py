"""The compiled steps: pure functions, and the one place that says `jit`."""

from collections.abc import Callable
import contextlib
import dataclasses
import functools
from typing import Any
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from medxfer.model import params as params_lib
from medxfer.model import vgg
from medxfer.training import devices
from medxfer.training import feeds
from medxfer.training import state as states
from medxfer.training import task as task_lib


@dataclasses.dataclass(frozen=True, eq=False)
class Steps:
  """Compiled functions; see `train_steps` and `predict_step`."""

  train: Callable[..., tuple[states.TrainState, dict[str, jax.Array]]]
  predict: Callable[[params_lib.Params, Any, feeds.Batch], jax.Array]


def compile_steps(task: task_lib.Task, feed: feeds.Feed) -> Steps:
  """Returns the steps of a task, compiled at their first call."""

  def train(numbers: task_lib.Numbers, *args: Any) -> Any:
    return train_steps(dataclasses.replace(task, numbers=numbers), feed, *args)

  compiled = jax.jit(
      train,
      # The old state is never used again, so its memory may be reused.
      donate_argnums=1,
      out_shardings=devices.everywhere(),
  )
  return Steps(
      train=functools.partial(compiled, task.numbers),
      predict=compile_predict(task.model, feed),
  )


def compile_predict(
    model: vgg.VGG, feed: feeds.Feed
) -> Callable[[params_lib.Params, Any, feeds.Batch], jax.Array]:
  """Returns the compiled `predict_step` of a network."""
  return jax.jit(
      functools.partial(predict_step, model, feed),
      out_shardings=devices.everywhere(),
  )


def train_steps(
    task: task_lib.Task,
    feed: feeds.Feed,
    state: states.TrainState,
    stored: Any,
    batches: feeds.Batch,
    labels: jax.Array,
    weights: jax.Array,
    key: jax.Array,
) -> tuple[states.TrainState, dict[str, jax.Array]]:
  """Takes several steps, so that a device need not wait for each.

  Args:
    task: network, optimizer, mask and recipe.
    feed: how a batch becomes what enters the network, and where.
    state: before the first step.
    stored: of the feed.
    batches: of the feed, [steps, batch size, ...].
    labels: int32 [steps, batch size].
    weights: float32 [steps, batch size], 0 on padding.
    key: the run's random key.

  Returns:
    The state after the last step, and what `train_step` tells, each [steps].
  """

  def step(
      state: states.TrainState, each: tuple[Any, jax.Array, jax.Array]
  ) -> tuple[states.TrainState, dict[str, jax.Array]]:
    return train_step(task, feed, state, stored, *each, key)

  each = (batches, labels, weights)
  with products(task.model):
    if len(labels) > 1:
      return jax.lax.scan(step, state, each)
    # A single step needs no loop.
    state, sums = step(state, jax.tree.map(lambda leaf: leaf[0], each))
    return state, jax.tree.map(lambda leaf: leaf[None], sums)


def train_step(
    task: task_lib.Task,
    feed: feeds.Feed,
    state: states.TrainState,
    stored: Any,
    batch: feeds.Batch,
    labels: jax.Array,
    weights: jax.Array,
    key: jax.Array,
) -> tuple[states.TrainState, dict[str, jax.Array]]:
  """Takes one step down the loss of a batch.

  Args:
    task: network, optimizer, mask and recipe.
    feed: how a batch becomes what enters the network, and where.
    state: before the step.
    stored: of the feed.
    batch: of the feed.
    labels: int32 [batch].
    weights: float32 [batch], 0 on padding.
    key: the run's random key; the step folds its number into it.

  Returns:
    The state after the step; of the batch the sums 'loss', 'correct' and
    'images', and 'gradient', its norm (float32 []).
  """
  augment_key, dropout_key = jax.random.split(
      jax.random.fold_in(key, state.step)
  )
  x = feed.train(stored, batch, augment_key)

  def loss_fn(params) -> tuple[jax.Array, dict[str, jax.Array]]:
    logits, _ = vgg.forward(
        task.model,
        _stop_frozen(params, task.mask),
        x,
        train=True,
        first=feed.first,
        rngs={'dropout': dropout_key},
    )
    losses = _losses(logits, labels, task.spec.training.label_smoothing)
    losses *= weights * task.numbers.class_weights[labels]
    hits = (jnp.argmax(logits, -1) == labels) * weights
    sums = {
        'loss': losses.sum(),
        'correct': hits.sum(),
        'images': weights.sum(),
    }
    return sums['loss'] / sums['images'], sums

  grads, sums = jax.grad(loss_fn, has_aux=True)(state.params)
  updates, opt_state = task.tx.update(grads, state.opt_state, state.params)
  params = _apply(updates, state.params, task.mask)
  return (
      states.TrainState(state.step + 1, params, opt_state),
      {**sums, 'gradient': optax.tree.norm(grads)},
  )


def predict_step(
    model: vgg.VGG,
    feed: feeds.Feed,
    params: params_lib.Params,
    stored: Any,
    batch: feeds.Batch,
) -> jax.Array:
  """Returns logits, float32 [batch, classes], of a batch of the feed."""
  with products(model):
    images = feed.score(stored, batch)
    return vgg.forward(model, params, images, first=feed.first)[0]


class Scores(NamedTuple):
  """What a network says of a batch.

  Attributes:
    logits: float32 [batch, classes].
    features: float32 [batch, channels], the mean of each channel of the last
      pooling over the image.
  """

  logits: jax.Array
  features: jax.Array


def compile_score(
    model: vgg.VGG, feed: feeds.Feed, views: int = 1
) -> Callable[[params_lib.Params, Any, feeds.Batch], Scores]:
  """Returns the compiled `score_step` of a network."""
  return jax.jit(
      functools.partial(score_step, model, feed, views),
      out_shardings=devices.everywhere(),
  )


def score_step(
    model: vgg.VGG,
    feed: feeds.Feed,
    views: int,
    params: params_lib.Params,
    stored: Any,
    batch: feeds.Batch,
) -> Scores:
  """Scores a batch.

  Args:
    model: the network.
    feed: of pixels, or of stored activations for one view.
    views: over how many views of each image the scores are averaged, from 1.
      The mean of logits is calibrated by what calibrates each of them.
    params: of the network.
    stored: of the feed.
    batch: of the feed.
  """

  def one(images: jax.Array) -> Scores:
    logits, activations = vgg.forward(model, params, images, first=feed.first)
    # The head enters above the last pooling.
    last = activations.get(model.architecture.activations[-1], images)
    return Scores(logits, last.astype(jnp.float32).mean((1, 2)))

  with products(model):
    if views == 1:
      return one(feed.score(stored, batch))
    # One program for all views, and the memory of one.
    found = jax.lax.map(
        lambda number: one(feed.view(stored, batch, number)), jnp.arange(views)
    )
    return jax.tree.map(lambda leaf: leaf.mean(0), found)


def products(model: vgg.VGG) -> contextlib.AbstractContextManager[None]:
  """Requests full float32 matrix products; GPUs default to TF32."""
  if model.tf32 or jax.default_backend() == 'cpu':
    return contextlib.nullcontext()
  return jax.default_matmul_precision('float32')


def _stop_frozen(
    params: params_lib.Params, mask: task_lib.Mask
) -> params_lib.Params:
  """Keeps the backward pass from entering frozen leaves at all."""
  return jax.tree.map(
      lambda trains, leaf: leaf if trains else jax.lax.stop_gradient(leaf),
      dict(mask),
      params,
  )


def _apply(
    updates: optax.Updates, params: params_lib.Params, mask: task_lib.Mask
) -> params_lib.Params:
  # Frozen leaves are passed on unchanged, without adding zero: -0.0 + 0.0 is
  # 0.0, and frozen means bit for bit.
  return jax.tree.map(
      lambda trains, leaf, update: leaf + update if trains else leaf,
      dict(mask),
      params,
      updates,
  )


def _losses(
    logits: jax.Array, labels: jax.Array, smoothing: float
) -> jax.Array:
  targets = jax.nn.one_hot(labels, logits.shape[-1])
  return optax.losses.softmax_cross_entropy(
      logits, optax.losses.smooth_labels(targets, smoothing)
  )
