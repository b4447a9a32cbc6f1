"""Protects the order in which an advice study learns."""

import pathlib

import pytest

from medxfer import spec as specs
from medxfer.study import execute
from medxfer.study.advice import grid as grids
from medxfer.study.advice import state
from tests.study.advice import simulated


@pytest.fixture
def study(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> state.Study:
  """Returns a study that has not begun."""
  monkeypatch.setattr(state, '_images', lambda _: simulated.IMAGES)
  return state.Study(simulated.config(), tmp_path / 'study', 1e6)


def _names(cells: list[grids.Cell]) -> list[str]:
  return [cell.name for cell in cells]


def _finish(
    study: state.Study, quality: dict[str, float], count: int
) -> list[str]:
  """Finishes the next runs; an arm decides as well as `quality` says."""
  names = []
  for _ in range(count):
    cell = study.left()[0]
    names.append(cell.name)
    spec = study.grid.spec(cell)
    folder = study.path / 'runs' / cell.name
    simulated.write(folder, spec, quality[cell.arm], 600)
    study.results.refresh()
  return names


def test_cheap_arms_come_first_then_all_and_the_control(
    study: state.Study,
) -> None:
  """A first answer within minutes needs the cheap ones and a comparison."""
  assert _names(study.left())[:4] == [
      'head-rate1-seed0',
      'last_block-rate1-seed0',
      'all-rate1-seed0',
      'random-rate1-seed0',
  ]


def test_all_rates_of_all_images_come_before_fewer_images(
    study: state.Study,
) -> None:
  """The user's own number of images is what they ask about."""
  quality = {'head': 0.6, 'last_block': 0.6, 'all': 0.6, 'random': 0.4}
  done = _finish(study, quality, 4 + 8)
  assert all('-n' not in name for name in done)
  assert len({name.split('-')[0] for name in done}) == 4
  assert study.left()[0].size == 250


def test_an_arm_that_is_worse_beyond_doubt_is_not_trained_further(
    study: state.Study,
) -> None:
  """Its other rates and seeds would only cost time."""
  quality = {'head': 0.2, 'last_block': 0.9, 'all': 0.9, 'random': 0.4}
  _finish(study, quality, 12)
  left = _names(study.left())
  assert not any(name.startswith('head-rate') for name in left)
  assert any(name.startswith('last_block-rate') for name in left)
  # What a rule or no pretraining costs is told with all seeds.
  assert any(name.startswith('random-rate') for name in left)


def test_a_rate_beyond_is_tried_where_the_last_is_the_best(
    study: state.Study,
) -> None:
  """A grid that ends below the best rate tells of the grid, not of the arm."""
  for cell in study.left()[:4]:
    for rate in study.grid.rates:
      one = grids.Cell(cell.size, cell.arm, rate, cell.seed)
      quality = 0.5 + 0.05 * rate * (cell.arm == 'all')
      spec = study.grid.spec(one)
      simulated.write(study.path / 'runs' / one.name, spec, quality, 600)
  study.results.refresh()
  left = _names(study.left())
  assert left[0] == 'all-rate9-seed0'
  assert not any(name.startswith('head-rate9') for name in left)
  assert not any(name.startswith('head-rate0.09') for name in left)


def test_nothing_is_left_when_all_is_known(study: state.Study) -> None:
  """Every run once: nothing is trained twice, and the study ends."""
  quality = {'head': 0.6, 'last_block': 0.6, 'all': 0.6, 'random': 0.4}
  seen = []
  while study.left():
    seen += _finish(study, quality, 1)
  assert len(set(seen)) == len(seen)
  # 4 arms, 3 sizes: 3 rates of one seed, and 2 more seeds at the best.
  assert len(seen) == 4 * 3 * 5


def test_shards_share_the_runs(study: state.Study) -> None:
  """Each run belongs to one shard."""
  cells = study.left()
  parts = []
  for index in (1, 2, 3):
    study._shard = (index, 3)  # pylint: disable=protected-access
    parts.append(study.mine(cells))
  assert sorted(map(len, parts))[0] > 0
  assert {cell for part in parts for cell in part} == set(cells)
  assert sum(map(len, parts)) == len(cells)


def test_a_failed_run_is_not_tried_again_at_once(
    study: state.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
  """One arm that fills the memory must not keep the study from going on."""
  monkeypatch.setattr(execute, 'attempt', lambda *_: 'no memory')
  study.path.mkdir(parents=True)
  first = study.left()[0]
  study.attempt(first)
  assert first not in study.left()
  note = study.path / 'failures' / f'{first.name}.txt'
  assert note.read_text() == 'no memory\n'


def test_the_specification_is_one_object(study: state.Study) -> None:
  """Names and specifications are asked for thousands of times."""
  cell = study.left()[0]
  assert isinstance(study.grid.spec(cell), specs.RunSpec)
  assert study.grid.spec(cell) is study.grid.spec(cell)
