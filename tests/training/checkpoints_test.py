"""Protects checkpoints: what is kept, damage found, a way back."""

from collections.abc import Sequence
import dataclasses
import errno
import json
import pathlib
import shutil
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from medxfer import errors
from medxfer import files
from medxfer.model.weights import metadata as contracts
from medxfer.training import checkpoint_io
from medxfer.training import checkpoints as checkpoints_lib
from medxfer.training import state as states

_MASK = {
    'fc1': {'kernel': False, 'bias': False},
    'fc2': {'kernel': True, 'bias': True},
}
_TX = optax.selective_transform(
    optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(1e-3)),
    freeze_mask=_MASK,
)


def _state(seed: int) -> states.TrainState:
  """Returns a state of random numbers: they do not compress to nothing."""
  draw = lambda *shape: jax.random.normal(jax.random.key(seed), shape)
  params = {
      layer: {'kernel': draw(64, 64), 'bias': draw(64)} for layer in _MASK
  }
  state = states.create(params, _TX)
  moments = jax.tree.map(
      lambda leaf: draw(*leaf.shape) if leaf.ndim else leaf, state.opt_state
  )
  return dataclasses.replace(state, opt_state=moments)


def _checkpoint(
    epoch: int, best: int, steps: int = 0
) -> checkpoint_io.Checkpoint:
  state = dataclasses.replace(_state(epoch), step=jnp.int32(epoch * 10 + steps))
  return checkpoint_io.Checkpoint(
      state,
      tuple({'epoch': i + 1, 'val_accuracy': 0.5} for i in range(epoch)),
      best,
      {'loss': [0.1] * steps} if steps else {},
      float(steps),
  )


def _save(
    workdir: pathlib.Path, epochs: Sequence | tuple, best: tuple, steps: int = 0
) -> None:
  """Saves epochs, then perhaps some steps of the next one."""
  checkpoints = checkpoints_lib.Checkpoints(workdir)
  places = [(epoch, 0) for epoch in epochs]
  if steps:
    places.append((places[-1][0], steps))
  for epoch, taken in places:
    checkpoint = _checkpoint(
        epoch, max((b for b in best if b <= epoch), default=1), taken
    )
    checkpoints.save(
        checkpoint,
        contracts.describe(
            checkpoint.state.params,
            architecture='vgg16',
            source=f'epoch {epoch}',
            preprocessing='caffe',
            classes=('a', 'b'),
        ),
    )


def _kept(workdir: pathlib.Path) -> set:
  return {p.name for p in (workdir / 'checkpoints').iterdir()}


def _assert_is(found: checkpoint_io.Checkpoint, epoch: int) -> None:
  assert found.epoch == epoch
  for part in ('params', 'opt_state'):
    jax.tree.map(
        np.testing.assert_array_equal,
        getattr(found.state, part),
        getattr(_state(epoch), part),
    )


def test_the_newest_two_and_the_best_are_kept_and_restored_exactly(
    tmp_path: pathlib.Path,
) -> None:
  """With the latest alone, one flipped bit would be the end of a run."""
  _save(tmp_path, range(1, 6), best=(1, 3))
  assert _kept(tmp_path) == {'3', '4', '5'}
  checkpoints = checkpoints_lib.Checkpoints(tmp_path)
  latest = checkpoints.latest(lambda _: _state(0))
  _assert_is(latest, 5)
  assert int(latest.state.step) == 50 and latest.best == 3
  assert latest.history[-1] == {'epoch': 5, 'val_accuracy': 0.5}
  epoch, best = checkpoints.best_weights()
  assert epoch == 3 and best.contract.classes == ('a', 'b')
  jax.tree.map(np.testing.assert_array_equal, best.params, _state(3).params)


@pytest.mark.parametrize(
    'name',
    [
        'x[1]',
        '[!a]',
        'a*b?{c}',
        'back\\slash',
        'a://b',
        'new\nline',
        '%41#é 1',
        'bad\udcff',
        '../out',
        '..',
        '~',
        '[' * 200,
    ],
)
def test_a_workdir_of_any_name_can_be_gone_on_with(
    tmp_path: pathlib.Path, name: str
) -> None:
  """Orbax saved below `x[1]` without a word what it could not restore."""
  (tmp_path / 'in').mkdir()
  workdir = tmp_path / 'in' / name
  _save(workdir, (1, 2), best=(1,))
  checkpoints = checkpoints_lib.Checkpoints(workdir)
  _assert_is(checkpoints.latest(lambda _: _state(0)), 2)
  checkpoints.finish()
  assert checkpoints_lib.export(workdir).contract.source == 'epoch 1'
  assert _kept(workdir) == {'1', '2'}


def test_a_link_to_a_workdir_is_that_workdir(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """People keep runs on another disk."""
  (tmp_path / 'there').mkdir()
  (tmp_path / 'x[1]').symlink_to('there')
  monkeypatch.chdir(tmp_path)
  _save(pathlib.Path('x[1]'), (1,), best=(1,))
  _assert_is(
      checkpoints_lib.Checkpoints(tmp_path / 'there').latest(
          lambda _: _state(0)
      ),
      1,
  )


def test_a_name_that_cannot_be_dealt_with_is_refused_first(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """Before the first step, not when the first epoch is lost."""
  monkeypatch.setattr(files, '_OPEN_FILES', tmp_path / 'not_linux')
  checkpoints_lib.Checkpoints(tmp_path / 'plain')
  with pytest.raises(errors.DataError, match=r'x\[1\].*name another folder'):
    checkpoints_lib.Checkpoints(tmp_path / 'x[1]')
  assert not (tmp_path / 'x[1]').exists()


def test_steps_of_an_epoch_are_newer_than_the_epoch_before(
    tmp_path: pathlib.Path,
) -> None:
  """Somebody stopped the run: their hours are not lost."""
  _save(tmp_path, (1, 2), best=(1,), steps=3)
  assert _kept(tmp_path) == {'1', '2', '2.3'}
  found = checkpoints_lib.Checkpoints(tmp_path).latest(lambda _: _state(0))
  assert (found.epoch, found.steps, found.seconds) == (2, 3, 3.0)
  assert found.sums == {'loss': [0.1, 0.1, 0.1]} and int(found.state.step) == 23
  _save(tmp_path, (3,), best=(1, 3))
  assert _kept(tmp_path) == {'2.3', '3'}


def test_a_finished_run_keeps_the_best_parameters_alone(
    tmp_path: pathlib.Path,
) -> None:
  """A study of forty runs would take 20 GB, of which nobody reads 18."""
  _save(tmp_path, range(1, 5), best=(1, 2))
  shutil.copytree(
      tmp_path / 'checkpoints' / '4', tmp_path / 'checkpoints' / '5.damaged'
  )
  before = _size(tmp_path)
  for _ in range(2):  # A process may be killed before it is done with it.
    checkpoints_lib.Checkpoints(tmp_path).finish()
    assert _kept(tmp_path) == {'2', '4'}
  assert _size(tmp_path) < before / 6
  checkpoints = checkpoints_lib.Checkpoints(tmp_path, read_only=True)
  assert [record['epoch'] for record in checkpoints.history()] == [1, 2, 3, 4]
  epoch, best = checkpoints.best_weights()
  assert epoch == 2
  jax.tree.map(np.testing.assert_array_equal, best.params, _state(2).params)


def test_a_finished_run_may_keep_what_it_needs_to_go_on(
    tmp_path: pathlib.Path,
) -> None:
  """Its last state, exactly; frozen layers are not kept twice."""
  _save(tmp_path, range(1, 5), best=(1, 2))
  frozen = _state(2).params['fc1']
  checkpoints = checkpoints_lib.Checkpoints(tmp_path)
  # A run freezes them: the same numbers in every epoch.
  for epoch in (2, 4):
    shutil.rmtree(tmp_path / 'checkpoints' / f'{epoch}')
    checkpoint = _checkpoint(epoch, 2)
    state = dataclasses.replace(
        checkpoint.state, params={**checkpoint.state.params, 'fc1': frozen}
    )
    checkpoint_io.write(
        tmp_path / 'checkpoints' / f'{epoch}',
        dataclasses.replace(checkpoint, state=state),
        contracts.describe(
            state.params,
            architecture='vgg16',
            source=f'{epoch}',
            preprocessing='caffe',
        ),
    )
  for _ in range(2):  # A process may be killed before it is done with it.
    checkpoints.finish(keep_last=True)
    assert _kept(tmp_path) == {'2', '4'}
  assert not (tmp_path / 'checkpoints' / '4' / 'params').exists()
  with np.load(tmp_path / 'checkpoints' / '4' / 'since_2.npz') as arrays:
    assert set(arrays) == {'fc2/kernel', 'fc2/bias'}
  found = checkpoints.latest(lambda _: _state(0))
  jax.tree.map(
      np.testing.assert_array_equal, found.state.opt_state, _state(4).opt_state
  )
  jax.tree.map(
      np.testing.assert_array_equal,
      found.state.params,
      {**_state(4).params, 'fc1': frozen},
  )
  # Epoch 4 needs epoch 2 as long as it is one to go back to.
  _save(tmp_path, (5,), best=(5,))
  assert _kept(tmp_path) == {'2', '4', '5'}
  _save(tmp_path, (6,), best=(6,))
  assert _kept(tmp_path) == {'5', '6'}


def test_the_best_epoch_begins_anew_where_no_optimizer_was_kept(
    tmp_path: pathlib.Path,
) -> None:
  """Runs of an earlier version kept its parameters alone."""
  checkpoints = checkpoints_lib.Checkpoints(tmp_path)
  assert checkpoints.best_anew(_state(0), 7) is None
  _save(tmp_path, range(1, 5), best=(1, 2))
  assert checkpoints.best_anew(_state(0), 7) is None  # The last can go on.
  checkpoints.finish()
  like = states.create(_state(0).params, _TX)
  for _ in range(2):  # A process may be killed before the next epoch.
    found = checkpoints.best_anew(like, 7)
    assert (found.epoch, found.best, int(found.state.step)) == (2, 2, 14)
    jax.tree.map(
        np.testing.assert_array_equal, found.state.params, _state(2).params
    )
    jax.tree.map(
        np.testing.assert_array_equal, found.state.opt_state, like.opt_state
    )
    assert _kept(tmp_path) == {'2'}
  _save(tmp_path, (3,), best=(2,))


def _size(folder: pathlib.Path) -> int:
  return sum(p.stat().st_size for p in folder.rglob('*') if p.is_file())


def test_a_workdir_without_checkpoints_is_said_to_have_none(
    tmp_path: pathlib.Path,
) -> None:
  """Evaluate and predict are often pointed at the wrong folder."""
  checkpoints = checkpoints_lib.Checkpoints(tmp_path)
  assert checkpoints.latest(lambda _: _state(0)) is None
  assert checkpoints.history() == ()
  assert checkpoints.safe() == 'Nothing of the run is saved yet'
  with pytest.raises(errors.DataError, match='no checkpoint yet'):
    checkpoints.best_weights()
  with pytest.raises(errors.DataError, match='give the --workdir of a run'):
    checkpoints_lib.export(tmp_path / 'elsewhere')


def _largest(folder: pathlib.Path) -> pathlib.Path:
  """Returns the file that holds the numbers."""
  return max(
      (p for p in folder.rglob('*') if p.is_file()),
      key=lambda p: p.stat().st_size,
  )


def _flip(path: pathlib.Path) -> None:
  data = bytearray(path.read_bytes())
  data[len(data) // 2] ^= 1
  path.write_bytes(data)


def _truncate(path: pathlib.Path) -> None:
  path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _change_the_best(path: pathlib.Path) -> None:
  record = json.loads(path.read_text())
  path.write_text(json.dumps({**record, 'best': 2}))


_DAMAGE = {
    'flip': _flip,
    'truncate': _truncate,
    'empty': lambda path: path.write_bytes(b''),
    'remove': lambda path: path.unlink(),
}


@pytest.mark.parametrize('item', ['params', 'optimizer', 'record'])
@pytest.mark.parametrize('damage', _DAMAGE)
def test_damage_is_found_said_and_gone_back_from(
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    item: str,
    damage: str,
) -> None:
  """Orbax itself reads a flipped bit without a word."""
  _save(tmp_path, (1, 2, 3), best=(1,))
  _DAMAGE[damage](_largest(tmp_path / 'checkpoints' / '3' / item))
  found = checkpoints_lib.Checkpoints(tmp_path).latest(lambda _: _state(0))
  _assert_is(found, 2)
  out = capsys.readouterr().out
  assert f'{tmp_path}/checkpoints/3: ' in out
  assert 'going back to epoch 2, the newest sound one' in out
  # Put aside, so that the epoch can be saved again.
  assert _kept(tmp_path) == {'1', '2', '3.damaged'}
  _save(tmp_path, (3,), best=(1,))
  _assert_is(
      checkpoints_lib.Checkpoints(tmp_path).latest(lambda _: _state(0)), 3
  )


@pytest.mark.parametrize('damage', _DAMAGE)
def test_damage_to_what_was_kept_to_go_on_is_found(
    tmp_path: pathlib.Path, damage: str
) -> None:
  """And to the epoch that has the rest."""
  _save(tmp_path, range(1, 4), best=(1, 2))
  checkpoints_lib.Checkpoints(tmp_path).finish(keep_last=True)
  for name in ('3/since_2.npz', '2/params'):
    workdir = shutil.copytree(
        tmp_path / 'checkpoints', tmp_path / name[0] / 'checkpoints'
    ).parent
    path = workdir / 'checkpoints' / name
    _DAMAGE[damage](path if path.is_file() else _largest(path))
    with pytest.raises(errors.DataError, match='checkpoints/[23]: |npz: '):
      checkpoints_lib.Checkpoints(workdir).latest(lambda _: _state(0))


def test_every_file_of_a_checkpoint_may_be_missing_or_empty(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
  """What Orbax writes beside the arrays matters as well, or not at all."""
  _save(tmp_path / 'sound', (1, 2), best=(1,))
  newest = tmp_path / 'sound' / 'checkpoints' / '2'
  names = [p.relative_to(newest) for p in newest.rglob('*') if p.is_file()]
  assert len(names) > 8
  for i, name in enumerate(names):
    for damage in ('remove', 'empty'):
      workdir = tmp_path / f'{damage}{i}'
      shutil.copytree(tmp_path / 'sound', workdir)
      _DAMAGE[damage](workdir / 'checkpoints' / '2' / name)
      found = checkpoints_lib.Checkpoints(workdir).latest(lambda _: _state(0))
      _assert_is(found, found.epoch)
      assert found.epoch == 2 or 'going back' in capsys.readouterr().out


def test_a_changed_record_is_found(tmp_path: pathlib.Path) -> None:
  """Another best epoch would be scored, and nobody would know."""
  _save(tmp_path, (1, 2), best=(1,))
  record = tmp_path / 'checkpoints' / '2' / 'record'
  _change_the_best(_largest(record))
  checkpoints = checkpoints_lib.Checkpoints(tmp_path)
  assert checkpoints.best_weights()[0] == 1
  assert checkpoints.latest(lambda _: _state(0)).epoch == 1


def test_nothing_sound_is_a_refusal(tmp_path: pathlib.Path) -> None:
  """Starting anew in silence would hide that days are lost."""
  _save(tmp_path, (1, 2), best=(1,))
  for epoch in '12':
    _flip(_largest(tmp_path / 'checkpoints' / epoch / 'params'))
  with pytest.raises(
      errors.DataError, match='/2: .*damaged.*nor can 1 older.*anew'
  ):
    checkpoints_lib.Checkpoints(tmp_path).latest(lambda _: _state(0))
  assert _kept(tmp_path) == {'1', '2'}


def test_a_damaged_best_epoch_is_a_refusal(tmp_path: pathlib.Path) -> None:
  """The run would train to its end and have nothing to score."""
  _save(tmp_path, range(1, 6), best=(2,))
  _flip(_largest(tmp_path / 'checkpoints' / '2' / 'params'))
  with pytest.raises(errors.DataError, match='/2: .*it is the best epoch'):
    checkpoints_lib.Checkpoints(tmp_path).latest(lambda _: _state(0))


def test_checkpoints_of_version_0_1_are_read(tmp_path: pathlib.Path) -> None:
  """Their runs are the runs of somebody's paper."""
  _save(tmp_path, (1, 2), best=(1,))
  for epoch, best in (('1', 1), ('2', -1)):
    folder = tmp_path / 'checkpoints' / epoch
    path = _largest(folder / 'record')
    record = json.loads(path.read_text())
    for key in ('sha256', 'best', 'sums', 'seconds'):
      del record[key]
    path.write_text(json.dumps(record))
    (folder / 'metrics').mkdir()
    (folder / 'metrics' / 'metrics').write_text(json.dumps({'best': best}))
  checkpoints = checkpoints_lib.Checkpoints(tmp_path)
  _assert_is(checkpoints.latest(lambda _: _state(0)), 2)
  assert checkpoints.best_weights()[0] == 1
  assert checkpoints_lib.export(tmp_path).contract.source == 'epoch 1'


def test_another_optimizer_is_refused(tmp_path: pathlib.Path) -> None:
  """A mask or rule that changed has another state: no silent restart."""
  _save(tmp_path, (1,), best=(1,))
  other = states.create(_state(0).params, optax.adam(1e-3))
  with pytest.raises(errors.DataError, match='cannot be restored'):
    checkpoints_lib.Checkpoints(tmp_path).latest(lambda _: other)


def test_a_full_disk_names_the_path_and_keeps_what_was_saved(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """The disk is full in the night; in the morning the run goes on."""
  _save(tmp_path, (1, 2), best=(1,))

  def full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, 'No space left on device')

  monkeypatch.setattr(checkpoint_io.ocp.Checkpointer, 'save', full)
  with pytest.raises(
      errors.DataError,
      match='/3: cannot be saved .*No space.*up to epoch 2.*same command',
  ):
    _save(tmp_path, (3,), best=(1,))
  assert _kept(tmp_path) == {'1', '2'}


@pytest.mark.parametrize('what', ['save', 'restore'])
@pytest.mark.parametrize(
    'error',
    [
        jax.errors.JaxRuntimeError('UNAVAILABLE: Socket closed'),
        ValueError('UNKNOWN: Gloo all-reduce failed: Read timeout'),
    ],
)
def test_a_lost_process_is_no_full_disk_and_no_damage(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    error: Any,
) -> None:
  """The checkpoints are sound: there is nothing to go back from."""
  _save(tmp_path, (1, 2), best=(1,))

  def lose(*_: Any, **__: Any) -> None:
    raise error

  monkeypatch.setattr(checkpoint_io.ocp.Checkpointer, what, lose)
  with pytest.raises(type(error), match='^UN'):
    if what == 'save':
      _save(tmp_path, (3,), best=(1,))
    else:
      checkpoints_lib.Checkpoints(tmp_path).latest(lambda _: _state(0))
  assert _kept(tmp_path) == {'1', '2'}


def test_what_a_killed_process_left_is_removed(tmp_path: pathlib.Path) -> None:
  """Half a checkpoint is no checkpoint."""
  _save(tmp_path, (1,), best=(1,))
  folder = tmp_path / 'checkpoints'
  for name in ('2.orbax-checkpoint-tmp', '.1.tmp'):
    (folder / name / 'params').mkdir(parents=True)
  checkpoints_lib.Checkpoints(tmp_path, read_only=True)
  assert len(_kept(tmp_path)) == 3
  checkpoints_lib.Checkpoints(tmp_path)
  assert _kept(tmp_path) == {'1'}
