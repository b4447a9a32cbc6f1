"""What training carries from step to step."""

from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import optax

from medxfer.model import params as params_lib


@flax.struct.dataclass
class TrainState:
  """One value that a step takes and returns.

  No random key and no iterator is part of it: both are functions of the seed
  and of `step`.

  Attributes:
    step: int32 [], steps done.
    params: layer -> {'kernel', 'bias'}.
    opt_state: of the trainable leaves only.
  """

  step: jax.Array
  params: params_lib.Params
  opt_state: Any


def create(
    params: params_lib.Params, tx: optax.GradientTransformation, done: int = 0
) -> TrainState:
  """Returns the state before the first step of an optimizer.

  Args:
    params: that it begins with.
    tx: the optimizer.
    done: steps that others have taken.
  """
  return TrainState(
      step=jnp.full((), done, jnp.int32),
      params=params,
      opt_state=tx.init(params),
  )
