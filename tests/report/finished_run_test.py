"""Protects what makes two runs the same run with another seed."""

import dataclasses
import types

import pytest

from medxfer import spec as specs
from medxfer.recipes import ham
from medxfer.report.read import finished_run

_IGNORED = [
    (group, field.name)
    for group, cls in (
        ('augment', specs.AugmentSpec),
        ('optimizer', specs.OptimizerSpec),
        ('training', specs.TrainingSpec),
    )
    for field in dataclasses.fields(cls)
    if field.name != 'class_weights'
]


def _identity(spec: specs.RunSpec) -> specs.RunSpec:
  run = types.SimpleNamespace(
      spec=spec, is_baseline=spec.model.name != 'vgg16', folds=()
  )
  return finished_run.Run.identity.func(run)


@pytest.mark.parametrize('group, name', _IGNORED)
def test_what_a_tree_ignores_does_not_tell_trees_apart(
    group: str, name: str
) -> None:
  """A new key that is forgotten here splits one column into two."""
  spec = specs.from_config(ham.get_config('decision_tree'))
  part = getattr(spec, group)
  value = getattr(part, name)
  other = (
      not value
      if isinstance(value, bool)
      else (f'other {value}' if isinstance(value, str) else value + 1)
  )
  changed = dataclasses.replace(
      spec, **{group: dataclasses.replace(part, **{name: other})}
  )
  assert changed != spec and _identity(changed) == _identity(spec)


def test_what_a_tree_sees_does() -> None:
  """Classes that weigh more make another tree, and so do other pixels."""
  spec = specs.from_config(ham.get_config('decision_tree'))
  tuned = specs.from_config(ham.get_config('decision_tree,tuned'))
  assert _identity(spec) != _identity(tuned)
  pixels = dataclasses.replace(
      spec, baseline=dataclasses.replace(spec.baseline, pixels='rescaled')
  )
  assert _identity(spec) != _identity(pixels)
