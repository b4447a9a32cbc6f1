"""The optimizer of a run: one update rule, wrapped so that frozen is frozen.

`optax.selective_transform` stands around everything, clipping and decay
included. Frozen leaves then have no state, take no part in the gradient's
norm and are not decayed; `optax.masked` alone would pass them the raw
gradient as their update.
"""

from collections.abc import Mapping

import jax
import optax

from medxfer import spec as specs
from medxfer.model import layers


def schedule(spec: specs.OptimizerSpec, *, steps: int) -> optax.Schedule:
  """Returns step -> learning rate, for a run of `steps` steps at most."""
  if spec.schedule == 'cosine':
    return optax.schedules.cosine_decay_schedule(spec.learning_rate, steps)
  return optax.schedules.constant_schedule(spec.learning_rate)


def make(
    spec: specs.OptimizerSpec,
    mask: Mapping[str, Mapping[str, bool]],
    *,
    steps: int,
) -> optax.GradientTransformation:
  """Returns the update rule for the leaves that `mask` marks.

  Args:
    spec: rule, learning rates, decay and clipping.
    mask: tree like the parameters, True on what trains.
    steps: length of the schedule.
  """
  rate = schedule(spec, steps=steps)
  rules = {
      'sgd': lambda: optax.sgd(rate),
      'momentum': lambda: optax.sgd(rate, momentum=spec.momentum),
      'adam': lambda: optax.adam(rate),
      'adamw': lambda: optax.adamw(rate, weight_decay=spec.weight_decay),
  }
  parts = [rules[spec.name]()]
  if spec.gradient_clip:
    parts.insert(0, optax.clip_by_global_norm(spec.gradient_clip))
  if spec.backbone_factor != 1:
    backbone = {layer: dict.fromkeys(leaves, layer not in layers.HEAD)
                for layer, leaves in mask.items()}
    parts.append(optax.masked(optax.scale(spec.backbone_factor), backbone))
  frozen = {layer: {leaf: not trains for leaf, trains in leaves.items()}
            for layer, leaves in mask.items()}
  return optax.selective_transform(optax.chain(*parts), freeze_mask=frozen)


def at_step(state: optax.OptState, step: jax.Array) -> optax.OptState:
  """Returns an optimizer's state whose schedules stand at a step.

  Args:
    state: as `make` begins it.
    step: int32 [], steps done.
  """
  def move(part: object) -> object:
    # Each its own array: a step gives away the state that it is given.
    return part._replace(count=part.count + step) if _counts(part) else part

  return jax.tree.map(move, state, is_leaf=_counts)


def _counts(part: object) -> bool:
  return isinstance(part, optax.ScaleByScheduleState)
