"""Protects the first screen: it may say no more than the numbers do."""

import pathlib

import pytest

from medxfer import files
from medxfer.report.read import collect
from medxfer.report.read import settings as settings_lib
from medxfer.report.text import verdicts
from tests.report import workdirs


def _answers(root: pathlib.Path) -> tuple:
  return verdicts.answers(settings_lib.arrange(collect.collect(root).runs))


@pytest.mark.parametrize(
    'skill, verdict',
    [
        (4.0, 'ImageNet weights beat random ones.'),
        (0.5, 'Random weights beat those of ImageNet.'),
        (2.0, 'No clear difference from random weights.'),
    ],
)
def test_the_verdict_follows_the_interval(
    tmp_path: pathlib.Path, skill: float, verdict: str
) -> None:
  """Better, worse, or not to be told."""
  workdirs.write(tmp_path / 'a', 'all', skill=skill)
  workdirs.write(tmp_path / 'b', 'random', skill=2.0)
  brought, _, trust = _answers(tmp_path)
  assert brought.lines[0].verdict == verdict
  assert trust.lines[0].verdict == 'Not tested on images from elsewhere.'
  assert '30 % of the test images are leaked.' in trust.lines[0].sentences
  assert 'One seed only.' in trust.lines[0].numbers


def test_the_best_layers_are_named_with_the_next(
    tmp_path: pathlib.Path,
) -> None:
  """And with the honest split, what is left of the score."""
  for arm, skill in (('all', 4.0), ('last_block', 2.0), ('first_block', 1.0)):
    workdirs.write(tmp_path / arm, arm, skill=skill)
  workdirs.write(tmp_path / 'g', 'all', skill=3.0, modifiers=('cpu', 'grouped'))
  _, layers, trust = (answer.lines[0] for answer in _answers(tmp_path))
  assert layers.verdict == 'All layers trainable (sure).'
  assert 'next last block trainable with 0.' in layers.numbers
  assert 'rank 1 of 3' in layers.numbers
  assert 'Split by lesion, macro F1 is ' in trust.numbers


def test_an_honest_split_of_another_arm_is_better_than_none(
    tmp_path: pathlib.Path,
) -> None:
  """The best network alone was not run on it."""
  workdirs.write(tmp_path / 'all', 'all', skill=4.0)
  workdirs.write(tmp_path / 'last', 'last_block', skill=2.0)
  workdirs.write(
      tmp_path / 'g', 'last_block', skill=1.0, modifiers=('cpu', 'grouped')
  )
  trust = _answers(tmp_path)[-1].lines[0]
  assert 'macro F1 of “last block trainable” is ' in trust.numbers


def test_a_leak_that_nobody_can_know_is_not_denied(
    tmp_path: pathlib.Path,
) -> None:
  """Images of your own without a word on who belongs together."""
  path = workdirs.write(tmp_path / 'a', 'all', dataset='folder')
  summary = files.read_json(path / 'summary.json')
  summary['leak'].update(images=None, groups=None, share=None)
  files.write_json(path / 'summary.json', summary)
  assert 'Whether test images leak is not known.' in (
      _answers(tmp_path)[-1].lines[0].sentences
  )


def test_what_was_not_run_is_not_known(tmp_path: pathlib.Path) -> None:
  """No answer is made up for a missing arm."""
  workdirs.write(tmp_path / 'a', 'last_block')
  brought, layers, _ = (answer.lines[0] for answer in _answers(tmp_path))
  assert brought.verdict == 'Not known yet.'
  assert layers.verdict == 'Only one choice was run.'


def test_baselines_alone_tell_whether_they_can_be_trusted(
    tmp_path: pathlib.Path,
) -> None:
  """A tree tells nothing of a network, but its test images leak, too."""
  workdirs.write(tmp_path / 'a', 'decision_tree')
  [trust] = _answers(tmp_path)
  assert trust.question == 'Can the number be trusted?'
  assert trust.lines[0].sentences[1].startswith('“Decision tree”, split by')
