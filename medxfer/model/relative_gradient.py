"""Learning rates by how much each layer is asked to move.

Lee et al., 'Surgical fine-tuning improves adaptation to distribution shifts'
(ICLR 2023), call it Auto-RGN: the rate of a tensor is that of the optimizer
times its relative gradient norm, |gradient| / |tensor|, over the largest of
all. They measure it on five batches before each epoch. Here it is the mean over
the batches of the epoch before, which costs no pass of its own; the first epoch
takes its first batch. Kernel and bias of a layer are one: new biases are zeros.
"""

from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

Norms = dict[str, jax.Array]  # Layer -> float32 [].


class State(NamedTuple):
  """State of `scale`.

  Attributes:
    inner: of the optimizer.
    count: int32 [], steps done.
    sums: of the norms of each step of this epoch.
    rates: of each layer in this epoch, 0 to 1.
  """

  inner: optax.OptState
  count: jax.Array
  sums: Norms
  rates: Norms


def scale(
    inner: optax.GradientTransformation, epoch: Any
) -> optax.GradientTransformation:
  """Returns an optimizer whose updates are scaled by layer.

  Args:
    inner: the optimizer, which is given the gradients as they are.
    epoch: steps of an epoch, above 0; may be traced.
  """

  def init(params: optax.Params) -> State:
    norms = {layer: jnp.zeros(()) for layer in _layers(params)}
    return State(
        inner.init(params),
        jnp.zeros((), jnp.int32),
        norms,
        jax.tree.map(jnp.ones_like, norms),
    )

  def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, State]:
    found = norms(updates, params)
    sums = jax.tree.map(jnp.add, state.sums, found)
    rates = _where(state.count == 0, over_largest(found), state.rates)
    changes: Any
    changes, changed = inner.update(updates, state.inner, params)
    changes = {
        layer: jax.tree.map(lambda leaf, r=rates.get(layer): leaf * r, leaves)
        for layer, leaves in changes.items()
    }
    count = state.count + 1
    ends = count % epoch == 0
    return changes, State(
        changed,
        count,
        _where(ends, jax.tree.map(jnp.zeros_like, sums), sums),
        _where(ends, over_largest(sums), rates),
    )

  return optax.GradientTransformation(init, update)


def norms(grads: Any, params: Any) -> Norms:
  """Returns the relative gradient norm of each layer that trains.

  Args:
    grads: layer -> leaves.
    params: the same of the parameters.
  """
  found = {}
  for layer in _layers(params):
    size = optax.tree.norm(params[layer])
    ratio = optax.tree.norm(grads[layer]) / jnp.where(size > 0, size, 1)
    found[layer] = jnp.where(size > 0, ratio, 0)
  return found


def over_largest(found: Norms) -> Norms:
  """Returns norms over the largest of them; ones if all are 0."""
  largest = jnp.max(jnp.stack(list(found.values())))
  return {
      layer: jnp.where(
          largest > 0, norm / jnp.where(largest > 0, largest, 1), 1
      )
      for layer, norm in found.items()
  }


def _layers(params: Any) -> list[str]:
  """Returns the layers that train: the leaves of others are masked."""
  tree: Mapping[str, Any] = params
  return [layer for layer in tree if jax.tree.leaves(tree[layer])]


def _where(condition: jax.Array, a: Norms, b: Norms) -> Norms:
  return {layer: jnp.where(condition, a[layer], b[layer]) for layer in a}
