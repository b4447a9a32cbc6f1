"""The devices of a run: one axis, over which every batch is cut.

All devices of all processes stand in one mesh, and `jit` divides the work: the
program is the one that a single device would run. Parameters are the same
everywhere; a batch is cut, and every process reads its own slice of it.
"""

import os
from typing import Any

import jax
from jax import sharding
from jax.experimental import multihost_utils
import numpy as np

from medxfer import errors

_AXIS = 'data'
_DETERMINISTIC = 'xla_gpu_deterministic_ops'


def repeatable(*, wanted: bool) -> None:
  """Makes GPUs compute the same bits every time; CPUs do so anyway.

  Only before a device is first used: XLA reads its flags then.

  Args:
    wanted: whether they should. What $XLA_FLAGS says already stays.
  """
  flags = os.environ.get('XLA_FLAGS', '')
  if wanted and _DETERMINISTIC not in flags:
    os.environ['XLA_FLAGS'] = f'{flags} --{_DETERMINISTIC}=true'.strip()


def everywhere() -> sharding.NamedSharding:
  """Returns the placement of what every device has whole."""
  return sharding.NamedSharding(_mesh(), sharding.PartitionSpec())


def replicate(tree: Any, *, donate: bool = False) -> Any:
  """Returns arrays that every device has whole.

  Args:
    tree: of arrays, the same ones in every process.
    donate: whether `tree` is given away: nobody may read it afterwards, and
      the first step that is given the result may write over it.
  """
  if donate and jax.process_count() == 1:
    return jax.device_put(tree, everywhere(), donate=True)
  return _place(tree, everywhere())


def spread(tree: Any, *, axis: int = 0) -> Any:
  """Returns batches of which every device has its part.

  Args:
    tree: of arrays, this process' slice of a batch.
    axis: along which they are cut.
  """
  spec = sharding.PartitionSpec(*[None] * axis, _AXIS)
  return _place(tree, sharding.NamedSharding(_mesh(), spec))


def own(tree: Any) -> Any:
  """Returns this process' copy of replicated arrays, on one of its devices.

  What is computed from it involves no other process.
  """
  return jax.tree.map(
      lambda leaf: leaf.addressable_data(0)
      if isinstance(leaf, jax.Array)
      else leaf,
      tree,
  )


def key(seed: int) -> jax.Array:
  """Returns a random key that every device has."""
  return jax.jit(jax.random.key, out_shardings=everywhere())(seed)


def own_slice(batches: np.ndarray) -> np.ndarray:
  """Returns this process' slice of batches [batches, batch size, ...]."""
  share = batches.shape[1] // jax.process_count()
  return batches[:, jax.process_index() * share :][:, :share]


def check_batch_size(key: str, size: int) -> None:
  """Refuses a batch that the devices cannot share evenly.

  Args:
    key: the configuration's.
    size: images per batch.

  Raises:
    UsageError: the number of devices does not divide it.
  """
  count = jax.device_count()
  if size % count:
    above = -(-size // count) * count
    raise errors.UsageError(
        f'{key}={size} cannot be cut evenly over {count} devices: give '
        f'{above}' + (f' or {above - count}' if above > count else '')
    )


def least(value: int) -> int:
  """Returns the least that any process has."""
  if jax.process_count() == 1:
    return value
  # As two numbers: without 64 bits JAX would cut a count of bytes.
  halves = np.array(divmod(value, 2**31), np.int32)
  high, low = multihost_utils.process_allgather(halves).T.astype(object)
  return min(int(h) * 2**31 + int(l) for h, l in zip(high, low))


def is_first_process() -> bool:
  """Whether this process writes the files that one process writes for all."""
  return jax.process_index() == 0


def _mesh() -> sharding.Mesh:
  return sharding.Mesh(np.array(jax.devices()), (_AXIS,))


def _place(tree: Any, where: sharding.NamedSharding) -> Any:
  return jax.tree.map(
      lambda leaf: jax.make_array_from_process_local_data(
          where, np.asarray(leaf)
      ),
      tree,
  )
