"""Protects the choice: by validation, priced on test, the cheaper of equals."""

import numpy as np
import pytest

from medxfer.evaluation import predictions as predictions_lib
from medxfer.study.advice import choice as choices
from medxfer.study.advice import grid as grids
from medxfer.study.advice import record as records
from medxfer.study.advice import results as results_lib
from tests.study.advice import simulated

_COSTS = {'head': 1.0, 'last_block': 2.0, 'all': 10.0, 'random': 10.0}


def _result(
    arm: str,
    val: float,
    test: float,
    *,
    rate: float = 1.0,
    seed: int = 0,
    luck: int = 9,
) -> results_lib.Result:
  entry = records.Entry(
      spec={},
      train_images=600,
      epochs=2,
      train_seconds=4.0,
      took=10.0,
      tables={
          'val': simulated.table(val, seed, luck),
          'test': simulated.table(test, seed + 1),
      },
  )
  return results_lib.Result(grids.Cell(0, arm, rate, seed), entry)


def _choose(*runs: results_lib.Result) -> choices.Choice:
  found = choices.choose(runs, _COSTS)
  assert found is not None
  return found


def test_validation_chooses_and_test_tells_the_price() -> None:
  """A strategy that is chosen by its test score has one that is too good."""
  choice = _choose(_result('head', 0.9, 0.5), _result('all', 0.6, 0.9))
  assert choice.advised.arm == 'head'
  assert choice.best_on_test.arm == 'all'
  lost = choice.advised.minus(choice.best_on_test, 'test')['difference']
  assert lost == pytest.approx(
      choice.standings['head'].on_test - choice.standings['all'].on_test
  )


def test_the_rate_is_chosen_by_the_first_seed_alone() -> None:
  """More seeds of one rate must not make it look better than another."""
  choice = _choose(
      _result('all', 0.6, 0.5, rate=1.0),
      _result('all', 0.7, 0.5, rate=3.0),
      _result('all', 0.99, 0.5, rate=1.0, seed=1),
      _result('all', 0.65, 0.5, rate=3.0, seed=1),
  )
  standing = choice.standings['all']
  assert standing.rate == 3.0
  assert standing.tried == (1.0, 3.0)
  assert standing.seeds == (0, 1)


def test_of_equals_the_cheapest_is_advised() -> None:
  """Nobody should train for hours for what chance decided."""
  choice = _choose(
      _result('all', 0.605, 0.6),
      _result('last_block', 0.6, 0.6),
      _result('head', 0.3, 0.3),
  )
  assert choice.leader.arm == 'all'
  assert choice.advised.arm == 'last_block'


def test_a_cheap_arm_that_loses_more_than_the_margin_is_not_advised() -> None:
  """Few images make no difference clear: an unclear loss is a loss."""
  choice = _choose(_result('all', 0.64, 0.6), _result('head', 0.6, 0.6, luck=3))
  assert choice.standings['head'] in choice.level
  assert choice.advised.arm == 'all'


def test_the_control_is_never_advised() -> None:
  """It is there to show what pretraining brings."""
  choice = _choose(_result('random', 0.9, 0.9), _result('head', 0.4, 0.4))
  assert choice.advised.arm == 'head'
  assert 'random' in choice.standings
  assert 'random' not in choice.shares


def test_arms_without_a_common_seed_have_no_interval() -> None:
  """Their images and trainings differ: only the difference is known."""
  choice = _choose(_result('all', 0.7, 0.6), _result('head', 0.6, 0.5, seed=1))
  found = choice.standings['head'].minus(choice.standings['all'], 'test')
  assert found['interval'] is None
  assert found['difference'] == pytest.approx(-0.1, abs=0.02)


def test_nothing_is_chosen_from_the_control_alone() -> None:
  """It is no strategy."""
  assert choices.choose([_result('random', 0.5, 0.5)], _COSTS) is None
  assert choices.choose([], _COSTS) is None


def test_shares_of_resamples_sum_to_one() -> None:
  """They are fractions of the same draws."""
  choice = _choose(
      *(_result('all', 0.62, 0.6, seed=s) for s in range(3)),
      *(_result('head', 0.6, 0.6, seed=s) for s in range(2)),
  )
  assert sum(choice.shares.values()) == pytest.approx(1)
  assert choice.shares['all'] > 0.5


def test_only_what_is_beyond_doubt_is_dropped() -> None:
  """An arm that is a little worse may only have had bad luck."""
  choice = _choose(
      _result('all', 0.7, 0.6),
      _result('last_block', 0.66, 0.6, luck=3),
      _result('head', 0.3, 0.3, luck=4),
  )
  assert choice.is_dropped('head')
  assert not choice.is_dropped('last_block')
  assert not choice.is_dropped('all')


def test_the_draws_are_the_same_images_for_all() -> None:
  """Two arms that decide alike are level in every resample."""
  one, other = _result('all', 0.6, 0.6), _result('head', 0.6, 0.6)
  np.testing.assert_array_equal(one.val_draws, other.val_draws)
  assert isinstance(one.val, predictions_lib.Predictions)
