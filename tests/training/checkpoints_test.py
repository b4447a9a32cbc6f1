"""Protects checkpoints: latest and best kept, damage found."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from medxfer import errors
from medxfer.model.weights import contract as contracts
from medxfer.training import checkpoints as checkpoints_lib
from medxfer.training import state as states

_MASK = {'fc1': {'kernel': False, 'bias': False},
         'fc2': {'kernel': True, 'bias': True}}
_TX = optax.selective_transform(
    optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(1e-3)),
    freeze_mask=_MASK)


def _state(seed):
  """Returns a state of random numbers: they do not compress to nothing."""
  draw = lambda *shape: jax.random.normal(jax.random.key(seed), shape)
  params = {layer: {'kernel': draw(64, 64), 'bias': draw(64)}
            for layer in _MASK}
  state = states.create(params, _TX)
  moments = jax.tree.map(
      lambda leaf: draw(*leaf.shape) if leaf.ndim else leaf, state.opt_state)
  return dataclasses.replace(state, opt_state=moments)


def _save(workdir, epochs, best):
  with checkpoints_lib.Checkpoints(workdir) as checkpoints:
    for epoch in epochs:
      state = _state(epoch)
      contract = contracts.describe(
          state.params, source=f'epoch {epoch}', preprocessing='caffe',
          classes=('a', 'b'))
      checkpoints.save(
          checkpoints_lib.Checkpoint(
              epoch, dataclasses.replace(state, step=jnp.int32(epoch * 10)),
              ({'epoch': epoch, 'val_accuracy': .5},), contract),
          is_best=epoch in best)


def test_latest_and_best_are_kept_and_restored_exactly(tmp_path):
  """Orbax's best alone would delete the latest, and a resume go back."""
  _save(tmp_path, range(1, 6), best=(1, 3))
  kept = {p.name for p in (tmp_path / 'checkpoints').iterdir()}
  assert kept == {'3', '5'}
  with checkpoints_lib.Checkpoints(tmp_path) as checkpoints:
    latest = checkpoints.latest(_state(0))
    epoch, best = checkpoints.best_weights()
  assert latest.epoch == 5 and int(latest.state.step) == 50
  assert latest.history == ({'epoch': 5, 'val_accuracy': .5},)
  jax.tree.map(np.testing.assert_array_equal,
               latest.state.params, _state(5).params)
  jax.tree.map(np.testing.assert_array_equal,
               latest.state.opt_state, _state(5).opt_state)
  assert epoch == 3 and best.contract.classes == ('a', 'b')
  jax.tree.map(
      np.testing.assert_array_equal, best.params, _state(3).params)


def test_a_workdir_without_checkpoints_is_said_to_have_none(tmp_path):
  """Evaluate and predict are often pointed at the wrong folder."""
  with checkpoints_lib.Checkpoints(tmp_path) as checkpoints:
    assert checkpoints.latest(_state(0)) is None
    with pytest.raises(errors.DataError, match='no checkpoint yet'):
      checkpoints.best_weights()
  with pytest.raises(errors.DataError, match='give the --workdir of a run'):
    checkpoints_lib.export(tmp_path / 'elsewhere')


def _largest(folder):
  """Returns the file that holds the numbers."""
  return max((p for p in folder.rglob('*') if p.is_file()),
             key=lambda p: p.stat().st_size)


@pytest.mark.parametrize('item', ['params', 'optimizer'])
@pytest.mark.parametrize('damage', ['flip', 'truncate', 'remove'])
def test_damage_is_found_and_the_way_out_named(tmp_path, item, damage):
  """Orbax itself reads a flipped bit without a word."""
  _save(tmp_path, (1, 2), best=(1,))
  victim = _largest(tmp_path / 'checkpoints' / '2' / item)
  data = bytearray(victim.read_bytes())
  if damage == 'flip':
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
  elif damage == 'truncate':
    victim.write_bytes(data[:len(data) // 2])
  else:
    victim.unlink()
  with checkpoints_lib.Checkpoints(tmp_path) as checkpoints:
    with pytest.raises(errors.DataError, match='remove that folder.*epoch 1'):
      checkpoints.latest(_state(0))
    assert checkpoints.best_weights()[0] == 1


def test_another_optimizer_is_refused(tmp_path):
  """A mask or rule that changed has another state: no silent restart."""
  _save(tmp_path, (1,), best=(1,))
  other = states.create(_state(0).params, optax.adam(1e-3))
  with checkpoints_lib.Checkpoints(tmp_path) as checkpoints:
    with pytest.raises(errors.DataError, match='cannot be restored'):
      checkpoints.latest(other)
