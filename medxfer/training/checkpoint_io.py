"""One checkpoint on disk: its items, and how damage to them shows.

It holds `params`; `optimizer`, with the step; and `record`: history, contract
of the weights, and a SHA-256 of every array and of itself, because Orbax reads
a flipped bit without a word.
"""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import hashlib
import json
import pathlib
import shutil
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from medxfer import errors
from medxfer import files
from medxfer.model import params as params_lib
from medxfer.model.weights import metadata as contracts
from medxfer.training import checkpoint_delta
from medxfer.training import devices
from medxfer.training import memory
from medxfer.training import orbax_io
from medxfer.training import state as states

_OPTIMIZER, _PARAMS = 'optimizer', 'params'
_SHA256 = 'sha256'

Record = Mapping[str, Any]
# Of a record, a state of the shapes and dtypes of its checkpoint.
Like = Callable[[Record], states.TrainState]
# Sums over the batch -> one per step.
Sums = Mapping[str, Sequence[float]]


@dataclasses.dataclass(frozen=True, eq=False)
class Checkpoint:
  """The state of a run, as a checkpoint holds it.

  Attributes:
    state: parameters and optimizer.
    history: one record per epoch, first to last.
    best: the best of these epochs; 0 before the first.
    sums: of the steps since the last of these epochs.
    seconds: that these steps have taken.
  """

  state: states.TrainState
  history: tuple[Record, ...] = ()
  best: int = 0
  sums: Sums = dataclasses.field(default_factory=dict)
  seconds: float = 0.0

  @property
  def epoch(self) -> int:
    """Epochs done."""
    return len(self.history)

  @property
  def steps(self) -> int:
    """Steps done since."""
    return len(next(iter(self.sums.values()), ()))


def write(
    path: pathlib.Path, checkpoint: Checkpoint, contract: contracts.Contract
) -> None:
  """Writes a checkpoint, whole or not at all.

  Args:
    path: the folder to make.
    checkpoint: what to save.
    contract: of its parameters.

  Raises:
    DataError: it cannot be written.
  """
  optimizer = _optimizer_item(checkpoint.state)
  record = {
      'history': list(checkpoint.history),
      'best': checkpoint.best,
      'sums': {name: list(values) for name, values in checkpoint.sums.items()},
      'seconds': checkpoint.seconds,
      'contract': contract.to_json(),
      'optimizer': _digests(optimizer),
  }
  _check_room(path, checkpoint.state)
  memory.give_back()  # Orbax is about to copy the state twice.
  orbax_io.save(
      path,
      params=ocp.args.StandardSave(checkpoint.state.params),
      optimizer=ocp.args.StandardSave(optimizer),
      record=ocp.args.JsonSave({**record, _SHA256: _digest_of_json(record)}),
  )


def read(path: pathlib.Path, like: Like) -> Checkpoint:
  """Reads a checkpoint and verifies every bit of it.

  Args:
    path: its folder.
    like: see `Like`.

  Raises:
    DataError: it is damaged or belongs to another optimizer.
  """
  record = read_record(path)
  abstract = jax.tree.map(
      ocp.utils.to_shape_dtype_struct, _optimizer_item(like(record))
  )
  optimizer = orbax_io.restore(
      path, optimizer=ocp.args.StandardRestore(abstract)
  )[_OPTIMIZER]
  _verify(path, record['optimizer'], _digests(optimizer))
  _, params = _params(path, record)
  return Checkpoint(
      state=states.TrainState(params=params, **optimizer),
      history=tuple(record['history']),
      best=record['best'],
      sums=record['sums'],
      seconds=record['seconds'],
  )


def read_weights(path: pathlib.Path) -> contracts.Weights:
  """Reads and verifies the parameters, whatever the optimizer was.

  Raises:
    DataError: they are damaged.
  """
  contract, params = _params(path, read_record(path))
  return contracts.Weights(jax.tree.map(np.asarray, params), contract)


def read_record(path: pathlib.Path) -> Record:
  """Reads and verifies the history and what belongs to it.

  Raises:
    DataError: it is damaged.
  """
  record = dict(orbax_io.restore(path, record=ocp.args.JsonRestore())['record'])
  if not record.keys() & {_SHA256, 'best', 'sums'}:
    return {**record, 'best': _best_of_old(path), 'sums': {}, 'seconds': 0.0}
  if record.pop(_SHA256, None) != _digest_of_json(record):
    raise errors.DataError(
        f'{path}: record is damaged, its SHA-256 is not the one that was '
        'saved'
    )
  return record


def has_optimizer(path: pathlib.Path) -> bool:
  """Whether a checkpoint holds the state of the optimizer."""
  return (path / _OPTIMIZER).is_dir()


def share(path: pathlib.Path, base: pathlib.Path) -> None:
  """Writes the parameters in which a checkpoint differs from another.

  All processes read; the first one writes.

  Args:
    path: its folder; its parameters may be forgotten afterwards.
    base: folder of the other one, beside it.

  Raises:
    DataError: one of them is damaged.
  """
  if not (path / _PARAMS).is_dir():
    return  # Done already.
  record, other = read_record(path), read_record(base)
  contract, params = _params(path, record)
  theirs = contracts.Contract.from_json(other['contract'], path=base).tensors
  if devices.is_first_process():
    checkpoint_delta.write(
        path,
        base,
        {
            name: np.asarray(value)
            for name, value in contracts.flatten(params).items()
            if contract.tensors[name] != theirs.get(name)
        },
    )


def forget(
    path: pathlib.Path, *, parameters: bool, optimizer: bool = True
) -> None:
  """Removes what a run needs only to go on, most of a checkpoint."""
  for item in [_OPTIMIZER] * optimizer + [_PARAMS] * parameters:
    shutil.rmtree(path / item, ignore_errors=True)


def _check_room(path: pathlib.Path, state: states.TrainState) -> None:
  """Refuses a full disk, which Orbax reports in 300 lines."""
  needed = sum(leaf.nbytes for leaf in jax.tree.leaves(state))
  free = memory.on_disk(path)
  if free < needed:
    raise errors.DataError(
        f'{path}: cannot be saved (it takes {needed / 2**20:,.0f} MiB, the '
        f'disk has {free / 2**20:,.0f} MiB left)'
    )


def _best_of_old(path: pathlib.Path) -> int:
  """Returns the epoch if it was the best when it was saved, else 0.

  Runs of version 0.1 had this from Orbax' manager, beside the record.
  """
  told = files.read_json(path / 'metrics' / 'metrics').get('best')
  return int(path.name) if str(told) == path.name else 0


def _params(
    path: pathlib.Path, record: Record
) -> tuple[contracts.Contract, params_lib.Params]:
  contract = contracts.Contract.from_json(record['contract'], path=path)
  base = checkpoint_delta.base(path)
  if base and not (path / _PARAMS).is_dir():
    params = _shared(path, base, contract)
  else:
    # Said, because a run may be read on another device than it was made on.
    abstract = contracts.unflatten(
        {
            name: jax.ShapeDtypeStruct(
                tensor.shape,
                np.dtype(tensor.dtype),
                sharding=devices.everywhere(),
            )
            for name, tensor in contract.tensors.items()
        }
    )
    params = orbax_io.restore(path, params=ocp.args.StandardRestore(abstract))[
        _PARAMS
    ]
  _verify(
      path,
      {name: tensor.sha256 for name, tensor in contract.tensors.items()},
      {
          name: _digest(value)
          for name, value in contracts.flatten(params).items()
      },
  )
  return contract, params


def _shared(
    path: pathlib.Path, base: pathlib.Path, contract: contracts.Contract
) -> params_lib.Params:
  """Returns parameters of which another checkpoint has the rest."""
  theirs = contracts.flatten(_params(base, read_record(base))[1])
  own = checkpoint_delta.read(path, contract.tensors)
  return devices.replicate(
      contracts.unflatten(
          {
              name: own[name] if name in own else np.asarray(theirs[name])
              for name in contract.tensors
              if name in own or name in theirs
          }
      )
  )


def _verify(
    path: pathlib.Path, announced: Mapping[str, str], found: Mapping[str, str]
) -> None:
  for name in sorted({*announced, *found}):
    if announced.get(name) != found.get(name):
      raise errors.DataError(
          f'{path}: {name} is damaged, its SHA-256 is not the one that was '
          'saved'
      )


def _optimizer_item(state: states.TrainState) -> dict[str, Any]:
  return {'step': state.step, 'opt_state': state.opt_state}


def _digests(tree: Any) -> dict[str, str]:
  leaves = jax.tree_util.tree_leaves_with_path(tree)
  return {jax.tree_util.keystr(path): _digest(leaf) for path, leaf in leaves}


def _digest(array: jax.Array) -> str:
  content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
  return hashlib.sha256(content.data).hexdigest()


def _digest_of_json(value: Mapping[str, Any]) -> str:
  text = json.dumps(value, sort_keys=True)
  return hashlib.sha256(text.encode()).hexdigest()
