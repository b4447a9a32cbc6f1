"""Protects the keys of operating points, prevalences and subgroups."""

import dataclasses
import pathlib
import shutil
import types

import numpy as np
import pytest

from medxfer import errors
from medxfer import spec as specs
from medxfer.data import ham10000
from medxfer.evaluation import predictions as predictions_lib
from medxfer.runs import points
from medxfer.runs import run
from medxfer.runs import subgroups
from tests import tiny

_SPEC = specs.EvaluationSpec(batch_size=1, resamples=1)


def test_points_and_prevalences_are_read() -> None:
  """A bare number is of the positive one of two classes."""
  spec = dataclasses.replace(
      _SPEC, at='specificity=0.9, sensitivity = .95', prevalence='0.02'
  )
  assert points.asked(spec) == (('specificity', 0.9), ('sensitivity', 0.95))
  assert points.prevalence(spec, ('well', 'ill'), 'ill') == {'ill': 0.02}
  named = dataclasses.replace(_SPEC, prevalence='mel=0.02,bcc=0.1')
  assert points.prevalence(named, ('bcc', 'mel', 'nv'), '') == {
      'mel': 0.02,
      'bcc': 0.1,
  }
  assert not points.asked(_SPEC)


@pytest.mark.parametrize(
    'key, value, message',
    [
        ('at', 'recall=0.9', "'recall=0.9' is not allowed"),
        ('at', 'specificity=1', 'specificity=1'),
        ('at', 'specificity', 'specificity=0.9,sensitivity=0.95'),
        ('at', 'specificity=0.9,', "'' is not allowed"),
        ('at', 'specificity=nan', 'above 0 and below 1'),
        ('prevalence', '0.02', 'the classes are a, b, c'),
        ('prevalence', 'd=0.02', 'the classes are a, b, c'),
        ('prevalence', 'a=2', "'a=2' is not allowed"),
        ('prevalence', 'a=0.1,a=0.2', 'once for each class'),
    ],
)
def test_another_form_is_refused(key: str, value: str, message: str) -> None:
  """With the one that is meant."""
  with pytest.raises(errors.UsageError, match=message):
    points.check(dataclasses.replace(_SPEC, **{key: value}), ('a', 'b', 'c'))


def test_a_run_tells_its_points_and_subgroups(
    finished: pathlib.Path, phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """Other keys of the evaluation train nothing."""
  path = shutil.copytree(finished, tmp_path / 'run')
  config = tiny.config(phantoms)
  config.evaluation.update(
      at='sensitivity=0.5', prevalence='mel=0.02', subgroups='sex'
  )
  summary = run.run(specs.from_config(config), path)
  found = summary['operating_points']
  assert [point['class'] for point in found] == list(ham10000.CLASS_NAMES)
  assert [point['prevalence'] for point in found if 'prevalence' in point] in (
      [0.02],
      [],
  )
  assert len(list(points.sentences(found))) == 7
  assert set(summary['subgroups']['columns']) == {'sex'}
  assert (
      sum(part['n'] for part in summary['subgroups']['columns']['sex'])
      == summary['n']['test']
  )
  config.evaluation.subgroups = 'shoe_size'
  with pytest.raises(errors.UsageError, match="no column 'shoe_size'.*sex"):
    run.run(specs.from_config(config), path)


def test_the_largest_clear_gap_is_said_first() -> None:
  """Few images are named, and nothing is said of them."""
  n = 600
  labels = np.arange(n) % 2
  right = np.arange(n) >= 150
  scored = predictions_lib.Predictions(
      tuple(map(str, range(n))),
      labels,
      np.eye(2)[np.where(right, labels, 1 - labels)],
      ('a', 'b'),
  )
  examples = types.SimpleNamespace(
      image_ids=scored.image_ids,
      columns={
          'clinic': ['x'] * 150 + ['y'] * 440 + ['z'] * 10,
          'half': ['1', '2'] * 300,
      },
  )
  found = subgroups.of_images(examples, ('clinic', 'half'), scored)
  said = list(subgroups.sentences(found))
  assert said[0].startswith('clinic x (150 images): accuracy 0.000, 1.000 low')
  assert said[-1].endswith('anything of: clinic z (10).')
  assert not list(subgroups.sentences(None))
