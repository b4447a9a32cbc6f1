"""Protects `--help`: it explains every arm, modifier and key."""

import pytest

from medxfer import config_flag
from medxfer.recipes import common
from medxfer.recipes import defaults
from medxfer.recipes import folder
from medxfer.recipes import ham
from medxfer.recipes import reference
from medxfer.recipes import studies
from medxfer.recipes import xray

_KEYS = [key for key, _ in reference.annotations()]


@pytest.mark.parametrize('key', _KEYS)
def test_every_key_is_explained_with_its_default(key: str) -> None:
  """By a sentence of its own, and the allowed values where they are names."""
  lines = reference.of_runs().splitlines()
  start = next(
      i for i, line in enumerate(lines) if line.startswith(f'  {key}=')
  )
  assert lines[start + 1].startswith('      ')
  assert len(reference.comments(defaults, 'DEFAULT')[key]) > 10


def test_the_keys_are_those_of_a_configuration() -> None:
  """A key that is new here is new there."""
  assert set(_KEYS) == set(reference.comments(defaults, 'DEFAULT'))


def test_allowed_values_are_listed() -> None:
  """As `spec` allows them."""
  text = ' '.join(reference.of_runs().split())
  assert 'One of sgd, momentum, adam, adamw.' in text
  assert 'data.image_size=224,224 Height and width in pixels.' in text


def test_every_arm_and_modifier_is_explained() -> None:
  """And nothing is explained that is none."""
  names = set().union(
      *({*recipe.ARMS, *recipe.MODIFIERS} for recipe in (ham, xray, folder)),
      common.MODIFIERS,
  )
  assert set(reference.MEANINGS) == names


@pytest.mark.parametrize('name', config_flag.recipes())
def test_every_recipe_is_listed_where_it_belongs(name: str) -> None:
  """Recipes of one run with `train`, studies with `study`."""
  found = [
      f'\n  {name}\n' in text
      for text in (reference.of_runs(), reference.of_studies())
  ]
  is_study = name.startswith(('table', 'layers', 'advice'))
  assert found == [not is_study, is_study]


def test_every_key_of_a_study_is_explained() -> None:
  """They have no annotation."""
  said = reference.comments(studies, 'config.study')
  assert set(said) >= {'name', 'arms', 'seeds', 'source_run'}
  assert all(said.values())
