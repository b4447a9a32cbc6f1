"""Protects trainings of several stages: where each begins, and resuming."""

import json
import pathlib
import re
import signal
from typing import Any

import jax
import numpy as np
import pytest

from medxfer import errors
from medxfer import spec as specs
from medxfer import stopping
from medxfer.runs import run
from medxfer.runs import workdir
from medxfer.training import checkpoints
from medxfer.training import dispatch
from medxfer.training import loop
from medxfer.training import strategy
from tests import tiny


def _spec(phantoms: pathlib.Path, stages: str, **keys: Any) -> specs.RunSpec:
  config = tiny.config(phantoms, 'all')
  config.training.update(stages=stages, epochs=4, patience=0)
  config.update_from_flattened_dict(keys)
  return specs.from_config(config)


def _same(a: Any, b: Any) -> bool:
  return all(
      np.array_equal(x, y)
      for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
  )


def test_one_stage_is_a_run_without_stages_bit_for_bit(
    phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """Parameters, predictions and every epoch."""
  for name, stages in (('none', ''), ('one', 'all:1')):
    run.run(_spec(phantoms, stages), tmp_path / name)
  tables = [
      (tmp_path / name / 'predictions_test.csv').read_bytes()
      for name in ('none', 'one')
  ]
  assert tables[0] == tables[1]
  params = [
      checkpoints.export(tmp_path / name).params for name in ('none', 'one')
  ]
  assert _same(*params)


def test_passes_are_longer_epochs(
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """Twice the steps and as many validations, for few training images."""
  steps = []
  for passes in (1, 2):
    spec = _spec(phantoms, '', **{'training.passes': passes})
    summary = run.run(spec, tmp_path / str(passes))
    assert summary['epochs_run'] == 4
    said = capsys.readouterr().out
    found = re.search(r'epoch 1: (\d+) batch', said)
    assert found, said
    steps.append(int(found[1]))
  images = summary['n']['train']
  assert steps == [-(-images // 8), -(-2 * images // 8)]


def test_the_second_stage_begins_with_the_best_head_of_the_first(
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
  """LP-FT; the frozen layers of the first stage stay what they were."""
  begun = []
  real = loop.train

  def watched(task: Any, data: Any, start: Any, *rest: Any) -> Any:
    copied = jax.tree.map(np.array, start.state.params)
    begun.append((task, start, copied))
    end = real(task, data, start, *rest)
    begun[-1] += (jax.tree.map(np.array, end.state.params),)
    return end

  monkeypatch.setattr(loop, 'train', watched)
  spec = _spec(phantoms, 'head:1,all:1:0.5')
  kept = {}
  save = checkpoints.Checkpoints.save

  def keep(self: Any, checkpoint: Any, contract: Any) -> None:
    kept[checkpoint.epoch] = jax.tree.map(np.array, checkpoint.state.params)
    save(self, checkpoint, contract)

  monkeypatch.setattr(checkpoints.Checkpoints, 'save', keep)
  run.run(spec, tmp_path / 'run')
  (first, _, at_first, end_first), (second, start, at_second, _) = begun
  head = set(first.strategy.architecture.head)
  assert set(first.strategy.trained) == head and first.before == 0
  assert second.before == 2 and len(second.strategy.trained) > len(head)
  for layer in set(at_first) - head:
    assert _same(at_first[layer], end_first[layer]), layer
  history = workdir.Workdir(tmp_path / 'run').history()
  best = loop.best_epoch(history[:2], spec.training)
  assert _same(at_second, kept[best])
  rates = [epoch['learning_rate'] for epoch in history]
  assert rates == pytest.approx([1e-3, 1e-3, 5e-4, 5e-4])
  assert [epoch['epoch'] for epoch in history] == [1, 2, 3, 4]


@pytest.mark.parametrize('after', [1, 2, 3])
def test_a_run_that_is_stopped_between_or_in_stages_ends_with_the_same_bits(
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
) -> None:
  """Which stage it is in follows from its history."""
  spec = _spec(phantoms, 'head:1,block2:1,all:2', **{'optimizer.name': 'adam'})
  run.run(spec, tmp_path / 'whole')
  save = checkpoints.Checkpoints.save

  def stop(self: Any, checkpoint: Any, contract: Any) -> None:
    save(self, checkpoint, contract)
    if checkpoint.epoch == after and not checkpoint.steps:
      raise stopping.Interrupted(signal.SIGTERM)

  with monkeypatch.context() as patch:
    patch.setattr(checkpoints.Checkpoints, 'save', stop)
    with pytest.raises(stopping.Interrupted):
      run.run(spec, tmp_path / 'stopped')
  run.run(spec, tmp_path / 'stopped')
  assert _same(
      checkpoints.export(tmp_path / 'whole').params,
      checkpoints.export(tmp_path / 'stopped').params,
  )
  losses = [
      [
          json.loads(line)['train_loss']
          for line in (tmp_path / name / 'metrics.jsonl').open()
      ]
      for name in ('whole', 'stopped')
  ]
  assert losses[0] == losses[1] and len(losses[0]) == 4


def test_a_stage_that_is_stopped_inside_its_first_epoch_resumes_there(
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
  """What was saved then has the optimizer of this stage."""
  spec = _spec(phantoms, 'head:1,all:1', **{'optimizer.name': 'adam'})
  run.run(spec, tmp_path / 'whole')
  given = dispatch.training

  def stop(
      feed: Any, labels: Any, batches: Any, *rest: Any, **more: Any
  ) -> Any:
    found = given(feed, labels, batches, *rest, **more)
    for i, batch in enumerate(found):
      if rest[1] == 'epoch 3' and i == 2:
        raise stopping.Interrupted(signal.SIGTERM)
      yield batch

  with monkeypatch.context() as patch:
    patch.setattr(dispatch, 'training', stop)
    with pytest.raises(stopping.Interrupted):
      run.run(spec, tmp_path / 'stopped')
  places = {path.name for path in (tmp_path / 'stopped/checkpoints').iterdir()}
  assert any(name.startswith('2.') for name in places)
  run.run(spec, tmp_path / 'stopped')
  assert _same(
      checkpoints.export(tmp_path / 'whole').params,
      checkpoints.export(tmp_path / 'stopped').params,
  )


def test_the_patience_of_a_stage_ends_it_alone(phantoms: pathlib.Path) -> None:
  """The next one begins; the last ends the run."""
  spec = _spec(phantoms, 'head:1,all:1', **{'training.patience': 1})
  each = strategy.stages(spec)
  epochs = lambda *scores: [
      {'epoch': i + 1, f'val_{spec.training.monitor}': score}
      for i, score in enumerate(scores)
  ]
  assert loop.stage([], each) == (0, 0)
  assert loop.stage(epochs(0.5), each) == (0, 0)
  assert loop.stage(epochs(0.5, 0.6), each) == (1, 2)
  assert loop.stage(epochs(0.5, 0.6, 0.1), each) == (1, 2)
  assert loop.stage(epochs(0.5, 0.6, 0.1, 0.05), each) == (2, 4)
  longer = strategy.stages(
      _spec(
          phantoms,
          'head:1,all:1',
          **{'training.patience': 1, 'training.epochs': 8},
      )
  )
  assert loop.stage(epochs(0.5, 0.4), longer) == (1, 2)
  assert loop.stage(epochs(0.5, 0.4, 0.3, 0.2), longer) == (2, 4)


@pytest.mark.parametrize('key', ['epochs', 'patience'])
def test_stages_that_would_have_ended_otherwise_are_refused(
    phantoms: pathlib.Path, tmp_path: pathlib.Path, key: str
) -> None:
  """What was trained belongs to the stages that were asked for."""
  run.run(_spec(phantoms, 'head:1,all:1'), tmp_path / 'run')
  other = _spec(phantoms, 'head:1,all:1', **{f'training.{key}': 9})
  with pytest.raises(errors.UsageError, match=f'stages.*training.{key}=. as'):
    run.run(other, tmp_path / 'run')


@pytest.mark.parametrize(
    'stages, message',
    [
        ('head', "'head' is no stage; give LAYERS:PARTS"),
        ('head:1,', "'' is no stage"),
        ('head:0', "'head:0' is no stage"),
        ('head:1:2:3', 'is no stage'),
        ('head:nan', 'is no stage'),
        ('head:1,block9:1', "training.stages: 'block9' matches no block"),
        ('head:1,head:1,head:1,head:1,all:1', '5 stages.*epochs=4 is fewer'),
    ],
)
def test_wrong_stages_are_refused_by_name(
    phantoms: pathlib.Path, stages: str, message: str
) -> None:
  """Before anything is read."""
  with pytest.raises(errors.UsageError, match=message):
    strategy.check(_spec(phantoms, stages))


def test_parts_are_dealt_to_every_stage(phantoms: pathlib.Path) -> None:
  """In proportion, one epoch at least."""
  deal = lambda stages, epochs: [
      stage.training.epochs
      for stage in strategy.stages(
          _spec(phantoms, stages, **{'training.epochs': epochs})
      )
  ]
  assert deal('head:1,all:2', 30) == [10, 20]
  assert deal('head:1,block2:1,all:98', 10) == [1, 1, 8]
  assert deal('head:98,block2:1,all:1', 10) == [8, 1, 1]
  assert deal('head:1,all:1', 3) == [2, 1]
