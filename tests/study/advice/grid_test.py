"""Protects what an advice study may train."""

from typing import Any

import pytest

from medxfer import errors
from medxfer.recipes import advice
from medxfer.study.advice import grid as grids
from medxfer.training import costs
from tests.study.advice import simulated


def test_a_run_is_its_arm_with_size_rate_and_seed() -> None:
  """Nothing else may differ between two runs that are compared."""
  grid = simulated.grid(sizes='100,all')
  whole = grid.spec(grids.Cell(0, 'last_block', 1.0, 0))
  other = grid.spec(grids.Cell(100, 'last_block', 3.0, 2))
  assert (whole.data.train_images, other.data.train_images) == (0, 100)
  assert other.optimizer.learning_rate == pytest.approx(
      3 * whole.optimizer.learning_rate
  )
  assert (whole.seed, other.seed) == (0, 2)
  assert whole.model == other.model
  # All seeds and sizes are tested on the same images.
  assert whole.data.split_seed == other.data.split_seed == 0


def test_few_images_are_gone_through_more_often() -> None:
  """An epoch of four steps teaches nothing; validation costs the same."""
  grid = simulated.grid(sizes='100,all')
  cell = grids.Cell(0, 'all', 1.0, 0)
  assert grid.spec(cell).training.passes == 2
  assert grid.spec(grids.Cell(100, 'all', 1.0, 0)).training.passes == 3
  many = grids.of_config(simulated.config(), costs.Images(6000, 200, 200, 7))
  assert many.spec(cell).training.passes == 1


def test_names_tell_runs_apart() -> None:
  """Two runs of one name would be one run."""
  names = [cell.name for cell in simulated.grid(sizes='100,300,all').cells()]
  # Three rates and one beyond each end.
  assert len(set(names)) == len(names) == 4 * 3 * 3 * 5
  assert grids.Cell(0, 'all', 0.3, 1).name == 'all-rate0.3-seed1'
  assert grids.Cell(250, 'all', 1.0, 0).name == 'all-n250-rate1-seed0'


def test_sizes_that_are_not_asked_for_lie_well_below_all_images() -> None:
  """A part of 590 of 600 images says nothing that all do not."""
  assert simulated.grid().sizes == (100, 250, 0)
  many = grids.of_config(simulated.config(), costs.Images(6000, 200, 200, 7))
  assert many.sizes == (100, 250, 500, 1000, 2500, 0)


@pytest.mark.parametrize(
    ('study', 'words'),
    [
        ({'sizes': '600'}, '600 are there to train on'),
        ({'sizes': '20,all'}, 'too few for 7 classes; give 35 or more'),
        ({'sizes': 'many'}, 'study.sizes'),
        ({'sizes': '100,100'}, 'different numbers'),
        ({'sizes': '-5'}, 'study.sizes'),
        ({'rates': (0.3, 3.0)}, 'with 1 among them'),
        ({'rates': (1.0, 1.0)}, 'different factors'),
        ({'rates': (0.0, 1.0)}, 'study.rates'),
        ({'rates': ()}, 'study.rates'),
        ({'arms': 'head,frozen'}, 'study.arms'),
        ({'arms': 'random'}, 'name a strategy besides random'),
        ({'seeds': (0, 0)}, 'study.seeds'),
    ],
)
def test_keys_that_make_no_sense_are_refused(
    study: dict[str, Any], words: str
) -> None:
  """Hours later is too late."""
  with pytest.raises(errors.UsageError, match=words):
    simulated.grid(**study)


def test_too_few_images_for_any_advice_are_refused() -> None:
  """Four images a class teach nothing, and their test says nothing."""
  with pytest.raises(errors.DataError, match='takes 35 or more, 5 a class'):
    grids.of_config(simulated.config(), costs.Images(34, 10, 10, 7))


def test_an_unknown_data_set_is_named() -> None:
  """The first word of the argument is the data set."""
  with pytest.raises(errors.UsageError, match="unknown data set 'tuned'"):
    advice.get_config('tuned,cpu')


def test_each_strategy_is_the_arm_of_its_recipe() -> None:
  """What the advice says must be what the arm of that name does."""
  from medxfer import spec as specs
  from medxfer.recipes import ham

  grid = grids.of_config(advice.get_config('ham,tuned,cpu'), simulated.IMAGES)
  for arm in grid.arms:
    run = grid.spec(grids.Cell(0, arm, 1.0, 0))
    alone = specs.from_config(ham.get_config(f'{arm},tuned,cpu'))
    assert run.model == alone.model
    assert run.optimizer == alone.optimizer
    assert run.training.stages == alone.training.stages
