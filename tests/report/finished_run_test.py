"""Protects what makes two runs the same run with another seed."""

import dataclasses

import pytest

from medxfer import spec as specs
from medxfer.recipes import ham
from medxfer.report.read import identity

_IGNORED = [
    (group, field.name)
    for group, cls in (
        ('augment', specs.AugmentSpec),
        ('optimizer', specs.OptimizerSpec),
        ('training', specs.TrainingSpec),
        ('evaluation', specs.EvaluationSpec),
    )
    for field in dataclasses.fields(cls)
    if field.name != 'class_weights'
]


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
  assert changed != spec and identity.of(changed) == identity.of(spec)


def test_what_a_tree_sees_does() -> None:
  """Classes that weigh more make another tree, and so do other pixels."""
  spec = specs.from_config(ham.get_config('decision_tree'))
  tuned = specs.from_config(ham.get_config('decision_tree,tuned'))
  assert identity.of(spec) != identity.of(tuned)
  pixels = dataclasses.replace(
      spec, baseline=dataclasses.replace(spec.baseline, pixels='rescaled')
  )
  assert identity.of(spec) != identity.of(pixels)


def test_what_changes_predictions_tells_runs_apart() -> None:
  """Views and calibration do; how often intervals are drawn does not."""
  spec = specs.from_config(ham.get_config('all'))
  change = lambda **keys: identity.of(
      dataclasses.replace(
          spec, evaluation=dataclasses.replace(spec.evaluation, **keys)
      )
  )
  assert change(resamples=7, batch_size=3) == identity.of(spec)
  assert change(test_time_views=True) != identity.of(spec)
  assert change(calibration='none') != identity.of(spec)
