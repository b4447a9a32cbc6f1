"""Protects the choice: validation images make it, test images only tell."""

from collections.abc import Callable
import pathlib
from typing import Any

import pytest

from medxfer import errors
from medxfer.report.page import contents
from medxfer.report.read import collect
from medxfer.report.read import settings as settings_lib
from medxfer.report.stats import choices
from medxfer.report.stats import contrasts
from medxfer.report.stats import pairs
from medxfer.report.text import cautions
from medxfer.report.text import tables
from medxfer.report.text import verdicts
from tests.report import workdirs

_NOTE = {'kind': 'best_is_last', 'text': 'the best of 6 epochs is the last'}


def _noted(summary: dict) -> None:
  summary['training_notes'] = [_NOTE]


def _settings(root: pathlib.Path) -> tuple:
  return settings_lib.arrange(collect.collect(root).runs)


def _answers(root: pathlib.Path) -> tuple:
  settings = _settings(root)
  return verdicts.answers(settings, verdicts.advice(settings))


@pytest.fixture
def disagreeing(tmp_path: pathlib.Path) -> pathlib.Path:
  """Validation prefers the last block, the test images all layers."""
  workdirs.write(tmp_path / 'all', 'all', skill=4.0, val_skill=1.0)
  workdirs.write(tmp_path / 'last', 'last_block', skill=2.0, val_skill=3.0)
  workdirs.write(tmp_path / 'first', 'first_block', skill=1.0, val_skill=0.5)
  workdirs.write(tmp_path / 'random', 'random', skill=0.3, val_skill=0.3)
  workdirs.write(tmp_path / 'tree', 'decision_tree', skill=6.0)
  return tmp_path


def test_validation_chooses_and_test_tells(disagreeing: pathlib.Path) -> None:
  """With the rank on test, and what the best there has more."""
  line = _answers(disagreeing)[1].lines[0]
  assert line.verdict == 'Last block trainable (sure).'
  assert 'rank 2 of 3' in line.numbers
  assert 'Test difference to all layers trainable: −0.' in line.numbers
  assert 'optimistic' in _answers(disagreeing)[1].words


def test_the_best_on_test_is_compared_where_it_is_not_the_second(
    tmp_path: pathlib.Path,
) -> None:
  """A reader must see what the choice may have cost."""
  workdirs.write(tmp_path / 'all', 'all', skill=1.0, val_skill=2.0)
  workdirs.write(tmp_path / 'last', 'last_block', skill=2.0, val_skill=4.0)
  workdirs.write(tmp_path / 'first', 'first_block', skill=5.0, val_skill=1.0)
  numbers = _answers(tmp_path)[1].lines[0].numbers
  assert 'Test difference to all layers trainable: +' in numbers
  assert 'To first block trainable, the best on test: −0.' in numbers


def test_bold_and_the_figures_are_those_of_the_choice(
    disagreeing: pathlib.Path,
) -> None:
  """Though a tree and another network score higher on these test images."""
  [setting] = _settings(disagreeing)
  table = tables.f1_table(setting, 't', *cautions.choice(setting))
  for row in table.rows:
    assert [title for title, cell in zip(table.header, row) if cell.best] == [
        'Last block trainable'
    ]
  notes = ' '.join(table.notes)
  assert 'Bold: last block trainable, the network that validation' in notes
  assert 'Trees also train on the validation images' in notes
  assert verdicts.shown(setting).title == 'Last block trainable'


@pytest.mark.parametrize(
    'damage, reason',
    [
        (lambda path: path.unlink(), 'no predictions_val.csv'),
        (lambda path: path.write_text(path.read_text()[:-9]), 'cut off'),
        (lambda path: (path.unlink(), path.mkdir()), 'cannot be read'),
        (
            lambda path: path.write_text(path.read_text().replace('nv', 'xx')),
            'has other classes',
        ),
    ],
)
def test_where_validation_cannot_choose_the_test_images_do_not(
    disagreeing: pathlib.Path, damage: Callable[..., Any], reason: str
) -> None:
  """Said in the answer and below the table; nothing is bold."""
  damage(disagreeing / 'all' / 'predictions_val.csv')
  line = _answers(disagreeing)[1].lines[0]
  assert line.verdict == 'Not known yet.'
  assert reason in line.numbers and 'must not choose instead' in line.numbers
  [setting] = _settings(disagreeing)
  table = tables.f1_table(setting, 't', *cautions.choice(setting))
  assert not any(cell.best for row in table.rows for cell in row)
  assert 'Nothing is bold' in table.notes[-1]
  assert verdicts.shown(setting).title == 'All layers trainable'


def test_seeds_are_averaged_and_only_common_ones_count(
    tmp_path: pathlib.Path,
) -> None:
  """A lucky seed that the others do not have must not decide."""
  for seed, (a, b) in enumerate(((3.0, 1.0), (1.0, 2.0))):
    workdirs.write(tmp_path / f'a{seed}', 'all', seed=seed, val_skill=a)
    workdirs.write(tmp_path / f'b{seed}', 'last_block', seed=seed, val_skill=b)
  workdirs.write(tmp_path / 'b2', 'last_block', seed=2, val_skill=9.0)
  [setting] = _settings(tmp_path)
  choice = choices.from_imagenet(setting)
  assert choice.chosen.title == 'All layers trainable'
  assert sum(choice.fractions) == pytest.approx(1)


def test_networks_without_a_common_seed_are_not_compared(
    tmp_path: pathlib.Path,
) -> None:
  """Other seeds validate on other images."""
  workdirs.write(tmp_path / 'a', 'all')
  workdirs.write(tmp_path / 'b', 'last_block', seed=1)
  [setting] = _settings(tmp_path)
  with pytest.raises(errors.DataError, match='no seed is common'):
    choices.from_imagenet(setting)


@pytest.mark.parametrize(
    'shares, word',
    [((0.8, 0.2), 'sure'), ((0.5, 0.5), 'likely'), ((0.49, 0.3, 0.21), 'open')],
)
def test_words_are_those_that_are_explained(shares: tuple, word: str) -> None:
  """The thresholds stand in the sentence beside the verdict."""
  assert choices.Choice((), (), shares, ()).word == word
  assert f'“{word}”' in choices.WORDS
  assert '80 %' in choices.WORDS and '50 %' in choices.WORDS


def test_no_conclusion_is_drawn_from_an_unfinished_training(
    disagreeing: pathlib.Path,
) -> None:
  """Not even if it scores best: more epochs may change everything."""
  workdirs.write(
      disagreeing / 'head', 'head', skill=6.0, val_skill=9.0, change=_noted
  )
  brought, layers, _ = (answer.lines[0] for answer in _answers(disagreeing))
  assert layers.verdict == 'Last block trainable (sure).'
  assert 'No conclusion is drawn from “Head alone trainable”' in layers.numbers
  assert _NOTE['text'] in layers.numbers
  [setting] = _settings(disagreeing)
  head = next(c for c in setting.columns if c.arm == 'head')
  assert pairs.between(head, setting.columns[1], setting.networks).p_value is (
      None
  )
  workdirs.write(
      disagreeing / 'sub' / 'random', 'random', seed=1, change=_noted
  )
  brought = _answers(disagreeing)[0].lines[0]
  assert brought.verdict == 'Not known yet.'
  assert 'CNN, random weights' in brought.numbers


def test_if_all_trainings_are_unfinished_nothing_is_known(
    tmp_path: pathlib.Path,
) -> None:
  """And the page says why, with the run, and is still made."""
  for arm in ('all', 'last_block', 'random'):
    workdirs.write(tmp_path / arm, arm, change=_noted)
  brought, layers, trust = (answer.lines[0] for answer in _answers(tmp_path))
  assert brought.verdict == layers.verdict == 'Not known yet.'
  assert _NOTE['text'] in trust.numbers
  made = contents.make(collect.collect(tmp_path))
  assert all(
      _NOTE['text'] in ' '.join(cell.text for cell in row)
      for row in made.runs.rows
  )


def test_two_settings_that_advise_differently_say_so_and_why(
    tmp_path: pathlib.Path,
) -> None:
  """A reader of either must not take it for the last word."""
  for size, (all_, last) in ((64, (4.0, 1.0)), (32, (1.0, 4.0))):
    for arm, skill in (('all', all_), ('last_block', last)):
      workdirs.write(
          tmp_path / f'{arm}{size}',
          arm,
          skill=skill,
          overrides={
              'data.image_size': (size, size),
              'optimizer.learning_rate': 1 / size,
          },
      )
  numbers = _answers(tmp_path)[1].lines[0].numbers
  assert 'advises otherwise: ' in numbers
  assert 'pixels per image (here 32×32, there 64×64)' in numbers
  assert 'learning rates (here sgd at 0.03125, there sgd at 0.015625)' in (
      numbers
  )


def test_studies_and_settings_are_compared_too(tmp_path: pathlib.Path) -> None:
  """The layer study says what to freeze for the same images."""
  for arm, skill in (('all', 4.0), ('last_block', 1.0)):
    workdirs.write(tmp_path / arm, arm, skill=skill)
  workdirs.write_layer_study(
      tmp_path / 's', {'frozen_imagenet_13': 4.0, 'tuned_imagenet_13': 1.0}
  )
  for run in (tmp_path / 's' / 'runs').glob('frozen*'):
    config = run / 'config.json'
    config.write_text(
        config.read_text().replace('"trainable": "all"', '"trainable": "none"')
    )
  made = contents.make(collect.collect(tmp_path)).answers
  layers, frozen = made[1].lines[0].numbers, made[-1].lines[0].numbers
  assert 'otherwise: freeze all convolutions' in layers
  assert 'otherwise: all layers trainable' in frozen


def test_a_verdict_is_corrected_as_the_table_is(
    disagreeing: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """.02 of one pair is .12 among the six pairs of four networks."""
  real = contrasts.contrast
  monkeypatch.setattr(
      contrasts,
      'contrast',
      lambda a, b: (
          contrasts.Contrast(real(a, b).accuracy, real(a, b).f1_macro, 0.02, '')
      ),
  )
  pairs.compare_pairs.cache_clear()
  brought = _answers(disagreeing)[0].lines[0]
  assert brought.verdict == 'No clear difference from random weights.'
  [setting] = _settings(disagreeing)
  found = pairs.compare(setting.networks)
  assert {round(one.adjusted, 2) for one in found.values()} == {0.12}
  pairs.compare_pairs.cache_clear()


def test_two_recipes_are_not_taken_for_two_starts(
    tmp_path: pathlib.Path,
) -> None:
  """What the rate or the pixels bring is not what ImageNet brings."""
  workdirs.write(
      tmp_path / 'a',
      'all',
      skill=4.0,
      overrides={
          'optimizer.learning_rate': 1e-3,
          'model.preprocessing': 'caffe',
      },
  )
  workdirs.write(tmp_path / 'b', 'random', skill=1.0)
  line = _answers(tmp_path)[0].lines[0]
  assert line.verdict == (
      'ImageNet weights, with a recipe of their own, beat '
      'random ones with theirs.'
  )
  assert 'pixels Caffe means, optimizer sgd at 0.001 from' in line.numbers
