"""Protects who stands beside whom: a table compares like with like."""

from collections.abc import Callable
import pathlib
from typing import Any

import pytest

from medxfer.model import architectures
from medxfer.report.page import contents
from medxfer.report.read import collect
from medxfer.report.read import settings as settings_lib
from medxfer.report.stats import matched_pairs
from tests.report import workdirs


@pytest.fixture
def arrange(tmp_path: pathlib.Path) -> Callable[..., Any]:
  """A function from (arm, keywords)... to settings."""

  def arranged(*runs: Any) -> tuple:
    for i, (arm, what) in enumerate(runs):
      workdirs.write(tmp_path / f'{i:02}', arm, **what)
    return settings_lib.arrange(collect.collect(tmp_path).runs)

  return arranged


def test_columns_stand_in_the_order_of_the_thesis(
    arrange: Callable[..., Any],
) -> None:
  """Table 7.1; what it does not have follows."""
  arms = (
      'head',
      'first_last',
      'all',
      'random_forest',
      'last_block',
      'random',
      'first_block',
      'decision_tree',
  )
  [setting] = arrange(*((arm, {}) for arm in arms))
  assert [column.arm for column in setting.columns] == [
      'decision_tree',
      'random_forest',
      'random',
      'all',
      'last_block',
      'first_block',
      'first_last',
      'head',
  ]
  assert [column.published is None for column in setting.columns] == [
      False
  ] * 7 + [True]


def test_split_recipe_and_size_make_their_own_tables(
    arrange: Callable[..., Any],
) -> None:
  """And trees, which know no recipe, stand in each of their split."""
  settings = arrange(
      ('all', {}),
      ('all', {'modifiers': ('tuned', 'cpu')}),
      ('all', {'modifiers': ('cpu', 'grouped')}),
      ('all', {'overrides': {'data.image_size': (32, 32)}}),
      ('random_forest', {}),
  )
  assert sorted(
      (s.split, s.recipe, s.image_size[0], len(s.columns)) for s in settings
  ) == [
      ('by_image', ('cpu',), 32, 2),
      ('by_image', ('cpu',), 64, 2),
      ('by_image', ('tuned', 'cpu'), 64, 2),
      ('grouped', ('cpu',), 64, 1),
  ]


def test_seeds_are_one_column_and_other_values_another(
    arrange: Callable[..., Any],
) -> None:
  """A changed learning rate is no repeat, and the heading says what it is."""
  [setting] = arrange(
      ('all', {'seed': 1}),
      ('all', {}),
      ('all', {'overrides': {'optimizer.learning_rate': 0.5}}),
  )
  assert [len(column.runs) for column in setting.columns] == [2, 1]
  assert [run.spec.seed for run in setting.columns[0].runs] == [0, 1]
  assert setting.columns[1].title == (
      'All layers trainable (optimizer.learning_rate 0.5)'
  )


@pytest.mark.parametrize(
    'what',
    [
        {'overrides': {'model.trainable': 'block4'}},
        {'modifiers': ('phantom', 'cpu')},
    ],
)
def test_the_thesis_stands_only_beside_what_it_did(
    arrange: Callable[..., Any], what: dict
) -> None:
  """Other layers, or procedural images, have no figure there."""
  [setting] = arrange(('last_block', what))
  assert setting.columns[0].published is None


def test_twins_differ_in_one_thing_only(arrange: Callable[..., Any]) -> None:
  """Leakage is not to be confused with another recipe."""
  settings = arrange(
      ('all', {}),
      ('all', {'modifiers': ('cpu', 'grouped')}),
      ('all', {'modifiers': ('caffe', 'cpu')}),
      ('random', {'modifiers': ('cpu', 'grouped')}),
      ('decision_tree', {}),
      ('decision_tree', {'modifiers': ('grouped',)}),
  )
  by_split = list(matched_pairs.by_split(settings))
  assert [
      (a.setting.split, b.setting.split, a.column.arm) for a, b in by_split
  ] == [
      ('by_image', 'grouped', 'decision_tree'),
      ('by_image', 'grouped', 'all'),
  ]
  [(a, b)] = matched_pairs.by_preprocessing(settings)
  assert (a.setting.recipe, b.setting.recipe) == (('cpu',), ('caffe', 'cpu'))


def test_real_images_come_before_phantoms(arrange: Callable[..., Any]) -> None:
  """The first screen must not open on numbers that mean nothing."""
  settings = arrange(
      ('all', {'modifiers': ('phantom',)}),
      ('all', {'dataset': 'chest_xray', 'classes': workdirs.XRAY}),
  )
  assert [bool(s.dataset.phantom) for s in settings] == [False, True]


def test_networks_of_two_architectures_stand_in_tables_of_their_own(
    arrange: Callable[..., Any],
) -> None:
  """Named by their titles; the thesis' figures are beside its own alone."""
  settings = arrange(
      ('all', {}),
      ('last_block', {}),
      ('all', {'modifiers': ('vgg19', 'cpu')}),
      ('last_block', {'modifiers': ('vgg19', 'cpu')}),
      ('last_block', {'modifiers': ('tiny', 'cpu')}),
      ('decision_tree', {}),
  )
  assert [setting.title for setting in settings] == [
      'split by image, cpu recipe, 64×64 pixels',
      f'split by image, {architectures.BY_NAME["tiny"].title}, cpu recipe, '
      '64×64 pixels',
      'split by image, VGG-19, cpu recipe, 64×64 pixels',
  ]
  assert len({setting.slug for setting in settings}) == 3
  for setting in settings:
    title = 'Last block trainable'
    [column] = (c for c in setting.columns if c.title == title)
    assert (column.published is None) == bool(setting.network)
    assert setting.columns[0].published  # Trees know no network.


def test_the_list_of_runs_names_another_network(tmp_path: pathlib.Path) -> None:
  """Two runs of one arm would look alike."""
  workdirs.write(tmp_path / 'a', 'all')
  workdirs.write(tmp_path / 'b', 'all', modifiers=('vgg19', 'cpu'))
  made = contents.make(collect.collect(tmp_path))
  assert [row[1].text for row in made.runs.rows] == ['all', 'all, VGG-19']
  assert [chart.name for chart in made.networks] == [
      'figure_6_1',
      'figure_6_1_2',
  ]
  names = [chart.name for chart in made.charts()]
  assert len(set(names)) == len(names)
