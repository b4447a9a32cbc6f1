"""Protects the way to the devices: every row once, in order, k at a time."""

import pathlib
import types

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medxfer import spec as specs
from medxfer.training import devices
from medxfer.training import dispatch
from medxfer.training import feeds
from medxfer.training import profiling
from medxfer.training import state as states
from medxfer.training import steps
from medxfer.training import task as task_lib

_STORED = np.random.default_rng(0).normal(size=(24, 5)).astype(np.float32)
_LABELS = np.arange(24, dtype=np.int32) % 3
_SGD = specs.OptimizerSpec('sgd', 0.1, 1.0, 0.0, 0.0, 'constant', 0.0)


class _Linear(nn.Module):
  """The smallest network that a step can train."""

  tf32: bool = False

  @nn.compact
  def __call__(
      self,
      x: jax.Array | np.ndarray,
      *,
      train: bool = False,
      first: str | None = None
  ) -> tuple:
    return nn.Dense(3)(x), {}


def _feed(stored: jax.Array | np.ndarray | None) -> feeds.Feed:
  def take(
      stored: jax.Array | None, batch: jax.Array, key: jax.Array | None = None
  ) -> jax.Array:
    return batch if stored is None else jnp.take(stored, batch, axis=0)

  return feeds.Feed(
      'fc1',
      stored,
      iter
      if stored is not None
      else lambda rows: (_STORED[batch] for batch in rows),
      take,
      take,
  )


@pytest.mark.parametrize(
    'stored, backend, together',
    [(True, 'gpu', 4), (True, 'cpu', 1), (False, 'gpu', 1)],
)
def test_as_many_steps_at_once_as_the_device_can_take(
    monkeypatch: pytest.MonkeyPatch, stored: bool, backend: str, together: int
) -> None:
  """What the host has to bring, or is the device itself, comes one by one."""
  monkeypatch.setattr(jax, 'default_backend', lambda: backend)
  monkeypatch.setattr(dispatch, '_AT_ONCE', 5)
  feed = _feed(_STORED if stored else None)
  rows = np.arange(24).reshape(8, 3)
  given = list(
      dispatch.training(
          feed, _LABELS, rows, np.ones(rows.shape, np.float32), ''
      )
  )
  assert {len(labels) for _, labels, _ in given} == {together}
  np.testing.assert_array_equal(
      np.concatenate([labels for _, labels, _ in given]), _LABELS[rows]
  )
  batches = np.concatenate([batch for batch, _, _ in given])
  np.testing.assert_array_equal(batches, rows if stored else _STORED[rows])


def test_steps_at_once_are_the_steps_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
  """A scan must hand the state on, and sum each step by itself."""
  model = _Linear()
  params = model.init(jax.random.key(0), _STORED)['params']
  task = task_lib.Task(
      model=model,
      numbers=task_lib.Numbers(np.float32(0.1), 1, 1, np.ones(3, np.float32)),
      mask=jax.tree.map(lambda _: True, params),
      spec=types.SimpleNamespace(
          training=types.SimpleNamespace(label_smoothing=0.0), optimizer=_SGD
      ),
      strategy=types.SimpleNamespace(rates={}),
  )
  feed, rows = _feed(devices.replicate(_STORED)), np.arange(24).reshape(8, 3)
  results = []
  for backend in ('cpu', 'gpu'):
    monkeypatch.setattr(jax, 'default_backend', lambda b=backend: b)
    step = steps.compile_steps(task, feed).train
    state = devices.replicate(states.create(params, task.tx))
    losses = []
    for given in dispatch.training(
        feed, _LABELS, rows, np.ones(rows.shape, np.float32), ''
    ):
      state, sums = step(state, feed.stored, *given, devices.key(0))
      losses += sums['loss'].tolist()
    results.append((state.params, losses))
    assert int(state.step) == 8
  np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-6)
  jax.tree.map(
      lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5),
      results[0][0],
      results[1][0],
  )


@pytest.mark.parametrize('tf32', [False, True])
def test_float32_is_float32_on_a_gpu_unless_tf32_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tf32: bool
) -> None:
  """GPUs round float32 products to ten bits where nobody forbids it."""
  monkeypatch.setattr(jax, 'default_backend', lambda: 'gpu')
  model, feed = _Linear(tf32=tf32), _feed(None)
  params = model.init(jax.random.key(0), _STORED)['params']
  program = steps.compile_predict(model, feed).lower(params, None, _STORED)
  assert ('HIGHEST' in program.as_text()) != tf32


@pytest.mark.parametrize('workdir', ['x', 'x[1]'])
def test_a_trace_is_written_and_changes_no_batch(
    tmp_path: pathlib.Path, workdir: str
) -> None:
  """Once, of a few steps: a trace of a whole run would fill the disk.

  JAX looks for what it has written by a pattern that it makes of the path.
  """
  (tmp_path / workdir).mkdir()
  folder = tmp_path / workdir / 'profile'
  watch = profiling.Profiler(folder)
  assert list(watch(iter(range(20)))) == list(range(20))
  traces = list(folder.rglob('*.xplane.pb'))
  assert len(traces) == 1
  assert list(folder.rglob('perfetto_trace.json.gz'))
  assert list(watch(iter(range(20)))) == list(range(20))
  assert list(folder.rglob('*.xplane.pb')) == traces


def test_an_epoch_too_short_for_a_trace_says_so(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
  """A folder that is missing without a word would be looked for."""
  watch = profiling.Profiler(tmp_path / 'profile')
  assert list(watch(iter(range(2)))) == [0, 1]
  assert 'no trace' in capsys.readouterr().out
