"""The optimizer of a run: one update rule that leaves frozen parameters
unchanged.

`optax.selective_transform` stands around everything, clipping and decay
included. Frozen leaves then have no state, take no part in the gradient's
norm and are not decayed; `optax.masked` alone would pass them the raw
gradient as their update.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax

from medxfer import spec as specs
from medxfer.model import relative_gradient


def schedule(
    spec: specs.OptimizerSpec, *, steps: Any, learning_rate: Any = None
) -> optax.Schedule:
  """Returns step -> learning rate, for a run of `steps` steps at most.

  Args:
    spec: of the optimizer.
    steps: of the run; may be traced, unlike those of optax's schedules.
    learning_rate: of the first step, may be traced; that of `spec` if None.
  """
  first = spec.learning_rate if learning_rate is None else learning_rate
  if spec.schedule == 'constant':
    return optax.schedules.constant_schedule(first)

  def cosine(count: Any) -> jax.Array:
    done = jnp.minimum(count, steps) / steps
    return first * 0.5 * (1 + jnp.cos(jnp.pi * done))

  return cosine


def make(
    spec: specs.OptimizerSpec,
    mask: Mapping[str, Mapping[str, bool]],
    rates: Mapping[str, float],
    *,
    steps: Any,
    epoch: Any,
    learning_rate: Any = None,
) -> optax.GradientTransformation:
  """Returns the update rule for the leaves that `mask` marks.

  Args:
    spec: rule, learning rates, decay and clipping.
    mask: tree like the parameters, True on what trains.
    rates: layer -> factor of its learning rate; 1 where it is not named.
    steps: length of the schedule; may be traced.
    epoch: steps of an epoch; may be traced.
    learning_rate: see `schedule`.
  """
  rate = schedule(spec, steps=steps, learning_rate=learning_rate)
  rules = {
      'sgd': lambda: optax.sgd(rate),
      'momentum': lambda: optax.sgd(rate, momentum=spec.momentum),
      'adam': lambda: optax.adam(rate),
      'adamw': lambda: optax.adamw(rate, weight_decay=spec.weight_decay),
  }
  parts: list[optax.GradientTransformation] = [rules[spec.name]()]
  if spec.gradient_clip:
    parts.insert(0, optax.clip_by_global_norm(spec.gradient_clip))
  for rate in sorted({factor for factor in rates.values() if factor != 1}):
    chosen = {
        layer: dict.fromkeys(leaves, rates.get(layer) == rate)
        for layer, leaves in mask.items()
    }
    parts.append(optax.masked(optax.scale(rate), chosen))
  frozen = {
      layer: {leaf: not trains for leaf, trains in leaves.items()}
      for layer, leaves in mask.items()
  }
  rule = optax.chain(*parts)
  if spec.relative_gradient:
    rule = relative_gradient.scale(rule, epoch)
  return optax.selective_transform(rule, freeze_mask=frozen)


def at_step(state: optax.OptState, step: jax.Array) -> optax.OptState:
  """Returns an optimizer's state whose schedules stand at a step.

  Args:
    state: as `make` begins it.
    step: int32 [], steps done.
  """

  def move(part: Any) -> Any:
    # Each its own array: a step gives away the state that it is given.
    return part._replace(count=part.count + step) if _counts(part) else part

  return jax.tree.map(move, state, is_leaf=_counts)


def _counts(part: object) -> bool:
  return isinstance(part, optax.ScaleByScheduleState)
