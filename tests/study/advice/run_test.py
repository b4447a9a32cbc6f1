"""Protects an advice study as a whole: budget, restart, shards, answer."""

from collections.abc import Callable
import itertools
import pathlib
import shutil
import time
from typing import Any

import pytest

from medxfer import errors
from medxfer import files
from medxfer import spec as specs
from medxfer.report.read import collect
from medxfer.runs import backbone
from medxfer.study import execute
from medxfer.study.advice import clock as clocks
from medxfer.study.advice import run as run_lib
from medxfer.study.advice import state
from tests.study.advice import simulated

_QUALITY = {'head': 0.5, 'last_block': 0.62, 'all': 0.66, 'random': 0.4}

Begin = Callable[..., state.Study]


def _quality(spec: specs.RunSpec) -> float:
  images = spec.data.train_images or simulated.IMAGES.train
  return _QUALITY[spec.arm] * (images / 600) ** 0.15 - 0.01 * spec.seed


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[specs.RunSpec]:
  """Replaces training by drawing; returns what was asked for."""
  found: list[specs.RunSpec] = []
  monkeypatch.setattr(state, '_images', lambda _: simulated.IMAGES)
  monkeypatch.setattr(backbone, 'check', lambda _: None)
  # Each run is a minute later.
  clock = itertools.count()
  now = [0.0]
  monkeypatch.setattr(time, 'monotonic', lambda: now[0] + next(clock) * 1e-6)

  def later(minutes: float) -> None:
    now[0] += 60 * minutes

  monkeypatch.setattr(
      execute, 'attempt', simulated.runner(_quality, found, later)
  )
  return found


@pytest.fixture
def begin(tmp_path: pathlib.Path, ran: list[specs.RunSpec]) -> Begin:
  """Returns what begins the study, or begins it again."""
  del ran

  def study(
      budget: float = 1e6, shard: tuple[int, int] = (1, 1), **keys: Any
  ) -> state.Study:
    return state.Study(
        simulated.config(**keys), tmp_path / 'study', budget, shard
    )

  return study


def test_it_ends_with_the_answer(
    begin: Begin, ran: list[specs.RunSpec], tmp_path: pathlib.Path
) -> None:
  """The sentence, the numbers behind it, and each run once."""
  found = run_lib.run(begin())
  assert found == simulated.read(tmp_path / 'study')
  assert found['sentences'][0].startswith(
      'With your 600 training images: fine-tune everything (test macro F1 0.'
  )
  said = ' '.join(found['sentences'])
  assert 'ImageNet’s weights bring +0.2' in said
  assert 'Next by validation is the last block: -0.0' in said
  assert 'With twice as many images, expect +0.0' in said
  assert 'Not tested on images from elsewhere' in said
  assert 'want of time' not in said
  assert [size['asked'] for size in found['sizes']] == [0, 250, 100]
  assert found['rules']['advice']['mean'] == 0
  assert found['rules']['last_block']['mean'] > 0.02
  keys = [(s.arm, s.seed, s.data.train_images, s.optimizer) for s in ran]
  assert len(set(keys)) == len(keys) == found['runs']


def test_it_ends_within_its_budget_and_says_what_is_missing(
    begin: Begin, ran: list[specs.RunSpec]
) -> None:
  """Ten minutes are ten runs of a minute, and no eleventh is begun."""
  study = begin(10 * 60)
  found = run_lib.run(study)
  assert len(ran) <= 10
  assert study.clock.spent <= 1.1 * 10 * 60
  said = ' '.join(found['sentences'])
  assert 'Not trained for want of time' in said
  assert 'Fewer than 3 seeds' in said


def test_a_larger_budget_goes_on_and_trains_nothing_twice(
    begin: Begin, ran: list[specs.RunSpec]
) -> None:
  """The budget counts all starts of a command."""
  run_lib.run(begin(10 * 60))
  few = len(ran)
  run_lib.run(begin(10 * 60))  # The budget is spent.
  assert len(ran) == few
  run_lib.run(begin(20 * 60))
  assert few < len(ran) <= 20
  run_lib.run(begin())
  keys = [(s.arm, s.seed, s.data.train_images, s.optimizer) for s in ran]
  assert len(set(keys)) == len(keys)


def test_the_record_stands_for_the_runs(
    begin: Begin, ran: list[specs.RunSpec], tmp_path: pathlib.Path
) -> None:
  """Workdirs take gigabytes; without them the numbers are the same."""
  found = run_lib.run(begin())
  done = len(ran)
  shutil.rmtree(tmp_path / 'study' / 'runs')
  again = run_lib.run(begin())
  assert len(ran) == done
  assert again == found


def test_a_run_that_nobody_recorded_is_read_from_its_workdir(
    begin: Begin, ran: list[specs.RunSpec], tmp_path: pathlib.Path
) -> None:
  """A study that is killed after a run must not train it again."""
  run_lib.run(begin())
  done = len(ran)
  (tmp_path / 'study' / 'record-1-of-1.json').unlink()
  run_lib.run(begin())
  assert len(ran) == done


def test_shards_train_what_one_process_would(
    begin: Begin, ran: list[specs.RunSpec]
) -> None:
  """Two machines on one folder, one after the other here."""
  # What the other shard has still to do is not trained yet.
  assert run_lib.run(begin(shard=(1, 2)))['left']
  for _ in range(30):
    before = len(ran)
    for index in (1, 2):
      study = begin(shard=(index, 2))
      if study.next():
        run_lib.run(study)
    if len(ran) == before:
      break
  keys = [(s.arm, s.seed, s.data.train_images, s.optimizer) for s in ran]
  assert len(set(keys)) == len(keys)
  assert not begin(shard=(1, 2)).left()


def test_the_control_alone_is_no_advice(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
  """A shard may have nothing else yet; the page then leaves the study out."""
  whole = execute.attempt

  def attempt(spec: specs.RunSpec, *rest: Any) -> str:
    return whole(spec, *rest) if spec.arm == 'random' else 'no memory'

  monkeypatch.setattr(execute, 'attempt', attempt)
  found = run_lib.run(begin(arms='head,random', sizes='all'))
  assert found['sentences'] == [
      'No strategy has finished yet: nothing can be advised.'
  ]
  with pytest.raises(errors.DataError, match='no strategy has finished yet'):
    collect.collect(tmp_path)


def test_a_budget_for_no_run_at_all_is_refused_with_one_that_is_enough(
    begin: Begin, ran: list[specs.RunSpec], tmp_path: pathlib.Path
) -> None:
  """Nothing is trained that cannot end."""
  with pytest.raises(errors.UsageError, match='--budget=1m or more'):
    run_lib.run(begin(5))
  assert not ran and not (tmp_path / 'study').exists()


def test_runs_of_another_recipe_are_refused(
    begin: Begin, tmp_path: pathlib.Path
) -> None:
  """Their scores would be compared with those of this one."""
  run_lib.run(begin(10 * 60))
  config = simulated.config()
  config.training.epochs = 9
  with pytest.raises(errors.UsageError, match='training.epochs: 4 -> 9'):
    state.Study(config, tmp_path / 'study', 1e6)


def test_a_record_of_an_older_version_is_read(
    begin: Begin, ran: list[specs.RunSpec], tmp_path: pathlib.Path
) -> None:
  """A key that is younger than its runs has a default there."""
  run_lib.run(begin())
  file = tmp_path / 'study' / 'record-1-of-1.json'
  found = files.read_json(file)
  for kept in found['runs'].values():
    del kept['spec']['data']['planted_mark']
  files.write_json(file, found)
  done = len(ran)
  run_lib.run(begin())
  assert len(ran) == done


def test_a_damaged_record_is_named(
    begin: Begin, tmp_path: pathlib.Path
) -> None:
  """With the way out."""
  run_lib.run(begin(10 * 60))
  file = tmp_path / 'study' / 'record-1-of-1.json'
  found = files.read_json(file)
  found['runs']['head-rate1-seed0']['val'] = '0 1 no'
  files.write_json(file, found)
  with pytest.raises(errors.DataError, match='record-1-of-1.json: damaged'):
    begin()


def test_time_that_was_spent_before_an_interruption_counts(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, ran: list[specs.RunSpec]
) -> None:
  """Ctrl-C in the middle of a run must not make a budget larger."""
  whole = execute.attempt

  def attempt(spec: specs.RunSpec, *rest: Any) -> str:
    problem = whole(spec, *rest)
    if len(ran) == 3:
      raise KeyboardInterrupt
    return problem

  monkeypatch.setattr(execute, 'attempt', attempt)
  with pytest.raises(KeyboardInterrupt):
    run_lib.run(begin(10 * 60))
  study = begin(10 * 60)
  assert study.clock.spent >= 3 * 60
  assert len(study.record.partial) == 1
  run_lib.run(study)
  assert len(ran) <= 10


def test_failed_runs_are_said_and_left_out(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
  """One arm that fills the memory does not stop the others."""
  whole = execute.attempt

  def attempt(spec: specs.RunSpec, *rest: Any) -> str:
    return 'no memory' if spec.arm == 'all' else whole(spec, *rest)

  monkeypatch.setattr(execute, 'attempt', attempt)
  found = run_lib.run(begin())
  assert 'all' not in found['sizes'][0]['arms']
  assert list((tmp_path / 'study' / 'failures').iterdir())


def test_no_finished_run_is_no_advice(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
  """It says why none was."""
  monkeypatch.setattr(execute, 'attempt', lambda *_: 'no memory')
  with pytest.raises(errors.DataError, match='no run was finished: no memory$'):
    run_lib.run(begin())
  # The fourth would have failed as well.
  assert len(list((tmp_path / 'study' / 'failures').iterdir())) == 3


@pytest.mark.parametrize('text', ['', '0m', '-5m', '60', '5 hours', 'h', '1d'])
def test_a_budget_is_a_number_with_a_unit(text: str) -> None:
  """60 could be seconds or minutes."""
  with pytest.raises(errors.UsageError, match='give a time, such as 45m'):
    clocks.parse(text)


def test_budgets_are_seconds() -> None:
  """In each unit."""
  assert clocks.parse('45m') == 2700
  assert clocks.parse('1.5h') == 5400
  assert clocks.parse('900s') == 900
