"""Orbax checkpoints of a run: the latest epoch and the best one.

Each holds three items: `params`; `optimizer`, with the step; and `record`,
with the history of the run, the contract of the weights and a SHA-256 of
every array, because Orbax itself reads a flipped bit without a word.
"""

from collections.abc import Mapping
import dataclasses
import hashlib
import pathlib
import textwrap
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from medxfer import errors
from medxfer.model.weights import contract as contracts
from medxfer.training import devices
from medxfer.training import room
from medxfer.training import state as states

FOLDER = 'checkpoints'
_BEST = 'best'
_POLICIES = ocp.checkpoint_managers

Record = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, eq=False)
class Checkpoint:
  """What a checkpoint holds.

  Attributes:
    epoch: epochs done.
    state: after them.
    history: one record an epoch, first to last.
    contract: of the parameters.
  """

  epoch: int
  state: states.TrainState
  history: tuple[Record, ...]
  contract: contracts.Contract


class Checkpoints:
  """The checkpoints of one workdir; a context manager."""

  def __init__(self, workdir: pathlib.Path, *, read_only: bool = False):
    """Opens `workdir`/checkpoints, creating it unless `read_only`.

    Raises:
      DataError: `read_only`, and there is none.
    """
    self._path = (workdir / FOLDER).absolute()
    if read_only and not self._path.is_dir():
      raise errors.DataError(
          f'{workdir}: no {FOLDER} in it; give the --workdir of a run')
    self._manager = ocp.CheckpointManager(
        self._path,
        options=ocp.CheckpointManagerOptions(
            # A best metric alone would delete the latest epoch, and without
            # `best_fn` the best one would be forgotten.
            preservation_policy=_POLICIES.AnyPreservationPolicy([
                _POLICIES.LatestN(1),
                _POLICIES.BestN(get_metric_fn=lambda m: m[_BEST], n=1),
            ]),
            best_fn=lambda metrics: metrics[_BEST],
            best_mode='max',
            create=not read_only,
            read_only=read_only,
            # The next step reuses the state's memory: save before it.
            enable_async_checkpointing=False,
            # What a killed process left half-saved.
            cleanup_tmp_directories=not read_only,
        ),
    )

  def __enter__(self) -> 'Checkpoints':
    return self

  def __exit__(self, *_: object) -> None:
    self._manager.close()

  def save(self, checkpoint: Checkpoint, *, is_best: bool) -> None:
    """Saves an epoch.

    Args:
      checkpoint: what to save.
      is_best: whether it is better than all before it.
    """
    optimizer = _optimizer_item(checkpoint.state)
    room.give_back()  # Orbax is about to copy the state twice.
    self._manager.save(
        checkpoint.epoch,
        args=ocp.args.Composite(
            params=ocp.args.StandardSave(checkpoint.state.params),
            optimizer=ocp.args.StandardSave(optimizer),
            record=ocp.args.JsonSave({
                'history': list(checkpoint.history),
                'contract': checkpoint.contract.to_json(),
                'optimizer': _digests(optimizer),
            }),
        ),
        # A strictly rising number knows neither ties nor NaN, either of
        # which would make Orbax drop the wrong checkpoint.
        metrics={_BEST: checkpoint.epoch if is_best else -1},
        force=True,
    )

  def latest(self, like: states.TrainState) -> Checkpoint | None:
    """Returns the newest checkpoint, or None before the first.

    Args:
      like: a state of the same shapes and dtypes.

    Raises:
      DataError: it is damaged or belongs to another optimizer.
    """
    epoch = self._manager.latest_step()
    if epoch is None:
      return None
    abstract = jax.tree.map(
        ocp.utils.to_shape_dtype_struct, _optimizer_item(like))
    items = self._restore(epoch, {
        'optimizer': ocp.args.StandardRestore(abstract)})
    optimizer, record = items['optimizer'], items['record']
    self._verify(epoch, record['optimizer'], _digests(optimizer))
    contract, params = self._params(epoch, record)
    return Checkpoint(
        epoch=epoch,
        state=states.TrainState(params=params, **optimizer),
        history=tuple(record['history']),
        contract=contract,
    )

  def best_weights(self) -> tuple[int, contracts.Weights]:
    """Returns the best epoch and its parameters, whatever the optimizer was.

    Raises:
      DataError: there is no checkpoint, or it is damaged.
    """
    epoch = self._manager.best_step()
    if epoch is None:
      raise errors.DataError(
          f'{self._path}: no checkpoint yet; let the run finish an epoch')
    contract, params = self._params(epoch, self._restore(epoch, {})['record'])
    return epoch, contracts.Weights(jax.tree.map(np.asarray, params), contract)

  def _params(
      self, epoch: int, record: Record
  ) -> tuple[contracts.Contract, states.Params]:
    contract = contracts.Contract.from_json(
        record['contract'], path=self._path / str(epoch))
    # Said, because a run may be read on another device than it was made on.
    abstract = contracts.unflatten({
        name: jax.ShapeDtypeStruct(
            tensor.shape, np.dtype(tensor.dtype),
            sharding=devices.everywhere())
        for name, tensor in contract.tensors.items()
    })
    args = ocp.args.StandardRestore(abstract)
    params = self._restore(epoch, {'params': args})['params']
    announced = {k: tensor.sha256 for k, tensor in contract.tensors.items()}
    found = {name: _digest(value)
             for name, value in contracts.flatten(params).items()}
    self._verify(epoch, announced, found)
    return contract, params

  def _restore(self, epoch: int, items: Mapping[str, Any]) -> Any:
    """Restores `items` and the record of an epoch."""
    args = ocp.args.Composite(record=ocp.args.JsonRestore(), **items)
    try:
      return self._manager.restore(epoch, args=args)
    except Exception as error:  # pylint: disable=broad-exception-caught
      # TensorStore raises a bare Exception where a file is missing.
      raise errors.DataError(
          f'{self._path / str(epoch)}: cannot be restored '
          f'({textwrap.shorten(str(error), 160)}); {self._way_out(epoch)}'
      ) from error

  def _verify(
      self, epoch: int, announced: Mapping[str, str], found: Mapping[str, str]
  ) -> None:
    for name in sorted({*announced, *found}):
      if announced.get(name) != found.get(name):
        raise errors.DataError(
            f'{self._path / str(epoch)}: {name} is damaged, its SHA-256 is '
            f'not the one that was saved; {self._way_out(epoch)}')

  def _way_out(self, epoch: int) -> str:
    others = [str(s) for s in self._manager.all_steps() if s != epoch]
    if others:
      return f'remove that folder to go on from epoch {", ".join(others)}'
    return 'give another --workdir to start anew'


def export(workdir: pathlib.Path) -> contracts.Weights:
  """Reads the parameters of a run's best epoch.

  Args:
    workdir: of a run that has finished an epoch.

  Raises:
    DataError: it is none, or its checkpoint is damaged.
  """
  with Checkpoints(workdir, read_only=True) as checkpoints:
    return checkpoints.best_weights()[1]


def _optimizer_item(state: states.TrainState) -> dict[str, Any]:
  return {'step': state.step, 'opt_state': state.opt_state}


def _digests(tree: Any) -> dict[str, str]:
  leaves = jax.tree_util.tree_leaves_with_path(tree)
  return {jax.tree_util.keystr(path): _digest(leaf) for path, leaf in leaves}


def _digest(array: jax.Array) -> str:
  content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
  return hashlib.sha256(content).hexdigest()
