"""Protects the count of steps, and the end of a run that diverges."""

import json
import math
import types
from typing import Any

import jax.numpy as jnp
import pytest

from medxfer import errors
from medxfer.training import checkpoint_io
from medxfer.training import epoch_steps

_SAFE = 'The run is saved up to epoch 2, run/checkpoints/2'


def _progress(step: int = 0, **start: Any) -> epoch_steps.Progress:
  """Returns progress whose learning rate is that step's tenth."""
  return epoch_steps.Progress(
      checkpoint_io.Checkpoint(_state(step), **start),
      lambda step: 0.1 / (step + 1),
      lambda: _SAFE,
  )


def _state(step: int) -> types.SimpleNamespace:
  return types.SimpleNamespace(step=step)


def _sums(*losses: Any, gradient: float = 1.0) -> dict:
  return {
      'loss': jnp.asarray(losses, jnp.float32),
      'gradient': jnp.full(len(losses), gradient, jnp.float32),
  }


def test_sums_do_not_depend_on_where_a_run_was_interrupted() -> None:
  """Added up as floats of other lengths, they would differ in a bit."""
  whole, first = _progress(), _progress()
  for loss in (0.1, 0.2, 0.3):
    whole.step(None, _sums(loss))
  first.step(None, _sums(0.1))
  saved = json.loads(json.dumps(first.sums()))
  second = _progress(sums=saved)
  assert second.steps == 1
  second.step(None, _sums(0.2, 0.3))
  assert second.sums() == whole.sums() and second.steps == 3


def test_only_new_steps_are_worth_saving() -> None:
  """A run that is stopped twice at one place has nothing to add."""
  start = checkpoint_io.Checkpoint(
      _state(0), ({'epoch': 1},), 1, {'loss': [0.1]}
  )
  progress = epoch_steps.Progress(start, lambda _: 0.1, str)
  assert progress.epoch == 2 and not progress.is_beyond(start)
  progress.step(None, _sums(0.2))
  assert progress.is_beyond(start)
  progress.next_epoch({'epoch': 2})
  assert progress.epoch == 3 and not progress.is_beyond(start)
  progress.step(None, _sums(0.2))
  assert progress.is_beyond(start)


@pytest.mark.parametrize('bad', [math.nan, math.inf])
@pytest.mark.parametrize('name', ['loss', 'gradient'])
def test_the_first_number_that_is_not_finite_ends_the_run(
    name: str, bad: float
) -> None:
  """With its step, its learning rate, what is safe, and a way out."""
  progress = _progress(history=({'epoch': 1}, {'epoch': 2}))
  progress.step(_state(1), _sums(0.1))
  values = {'loss': (0.1, bad)} if name == 'loss' else {'loss': (0.1, 0.1)}
  sums = _sums(*values['loss'])
  if name == 'gradient':
    sums['gradient'] = jnp.asarray([1.0, bad])
  progress.step(_state(3), sums)
  with pytest.raises(errors.DataError) as raised:
    progress.sums()
  text = str(raised.value)
  # The third step of the epoch, and of the run: a third of the first rate.
  assert f'epoch 3, step 3: {name} not finite at learning rate 0.0333' in text
  assert _SAFE in text and 'learning_rate below 0.1' in text
  assert 'gradient_clip' in text


def test_a_long_epoch_does_not_go_on_for_hours() -> None:
  """Looked at a few steps late, lest the device wait for every step."""
  progress = _progress()
  progress.step(_state(1), _sums(math.nan))
  with pytest.raises(errors.DataError, match='step 1: loss not finite'):
    for step in range(2, 50):
      progress.step(_state(step), _sums(0.1))
  assert progress.steps < 20
