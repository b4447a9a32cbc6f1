"""Protects what the page says of an advice study: one answer, whole numbers."""

import copy
import json
import pathlib
import shutil
from typing import Any

import pytest

from medxfer import errors
from medxfer.report.page import contents as contents_lib
from medxfer.report.page import write
from medxfer.report.read import collect
from medxfer.runs import backbone
from medxfer.study import execute
from medxfer.study.advice import run as run_lib
from medxfer.study.advice import state
from tests.report import workdirs
from tests.study.advice import simulated

_QUALITY = {'head': 0.5, 'last_block': 0.62, 'all': 0.66, 'random': 0.4}


@pytest.fixture(scope='module')
def study(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  """A finished study whose runs were drawn, with a truncation."""
  path = tmp_path_factory.mktemp('advice') / 'study'
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(state, '_images', lambda _: simulated.IMAGES)
    patch.setattr(backbone, 'check', lambda _: None)
    runner = simulated.runner(lambda spec: _QUALITY[spec.arm], [])
    patch.setattr(execute, 'attempt', runner)
    run_lib.run(state.Study(simulated.config(sizes='100,all'), path, 1e6))
  shutil.rmtree(path / 'runs')
  found = json.loads((path / 'advice.json').read_text())
  test = {'f1_macro': 0.4, 'interval': [0.3, 0.5]}
  found['truncation'] = {
      'layers': {
          'block1_conv1': {'validation': 0.3, 'test': test, 'operations': 0.2},
          'block5_conv3': {'validation': 0.4, 'test': test, 'operations': 1.0},
      },
      'best': 'block5_conv3',
      'cut': 'block5_conv3',
  }
  (path / 'advice.json').write_text(json.dumps(found))
  return path


def test_the_advice_is_the_first_answer(study: pathlib.Path) -> None:
  """With each of its sentences, and without the workdirs of its runs."""
  contents = contents_lib.make(collect.collect(study))
  found = json.loads((study / 'advice.json').read_text())
  answer = contents.answers[0]
  assert answer.question == 'What should I fine-tune?'
  [line] = answer.lines
  assert [line.verdict, *line.sentences] == found['sentences']
  assert contents.phantoms
  assert contents.collection.count == found['runs']


def test_tables_and_figure_hold_the_numbers_of_the_study(
    study: pathlib.Path,
) -> None:
  """One row a strategy, one a number of images, one a layer."""
  [section] = contents_lib.make(collect.collect(study)).advices
  sizes, whole, few, cuts = section.tables
  assert [row[0].text for row in sizes.rows] == ['600', '100']
  assert [row[1].text for row in sizes.rows] == ['everything'] * 2
  assert whole.title == 'Strategies with 600 training images'
  assert [row[0].text for row in whole.rows] == [
      'everything',
      'the last block',
      'the head alone',
      'random weights',
  ]
  # The control is no candidate.
  assert whole.rows[-1][6].text == '–'
  assert few.title == 'Strategies with 100 training images'
  assert [row[0].text for row in cuts.rows] == ['block1_conv1', 'block5_conv3']
  [chart] = section.charts
  assert chart.header[1:3] == ('everything', 'the last block')
  assert [row[0] for row in chart.rows] == ['100', '600']


def test_a_data_set_has_one_answer(
    study: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """A study of layers at one rate must not advise something else beside it."""
  shutil.copytree(study, tmp_path / 'advice')
  found = json.loads((tmp_path / 'advice' / 'advice.json').read_text())
  found['spec']['data']['phantom'] = 0
  (tmp_path / 'advice' / 'advice.json').write_text(json.dumps(found))
  workdirs.write_layer_study(
      tmp_path / 'ham',
      {'base': 1.5, 'tuned_imagenet_13': 3.0, 'last_3': 2.0, 'last_6': 4.5},
  )
  alone = contents_lib.make(collect.collect(tmp_path / 'ham'))
  assert 'What can stay frozen?' in [a.question for a in alone.answers]
  assert 'configs/advice.py:ham' in ' '.join(alone.layers[0].missing)
  both = contents_lib.make(collect.collect(tmp_path))
  questions = [answer.question for answer in both.answers]
  assert questions == ['What should I fine-tune?']
  assert both.layers[0].choice is None
  assert 'said above' in ' '.join(both.layers[0].missing)
  write.report(tmp_path)


@pytest.mark.parametrize(
    'change',
    [
        lambda found: found.pop('sentences'),
        lambda found: found['sizes'][0]['arms']['all'].pop('test'),
        lambda found: found['sizes'][0].update(advised='none'),
        lambda found: found['curves']['all'].update(points=3),
        lambda found: found['sizes'][0]['shares'].update(all='many'),
        lambda found: found['spec']['data'].update(name='moles'),
        lambda found: found.update(truncation={'layers': {'a': 1}}),
    ],
)
def test_a_damaged_advice_is_left_out_by_name(
    study: pathlib.Path, tmp_path: pathlib.Path, change: Any
) -> None:
  """Another run of the command writes it again."""
  shutil.copytree(study, tmp_path / 'study')
  found = copy.deepcopy(json.loads((study / 'advice.json').read_text()))
  change(found)
  (tmp_path / 'study' / 'advice.json').write_text(json.dumps(found))
  with pytest.raises(errors.DataError, match='advice.json is damaged'):
    collect.collect(tmp_path)


def test_a_study_without_an_advice_is_left_out(
    study: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """It may be under way."""
  shutil.copytree(study, tmp_path / 'study')
  (tmp_path / 'study' / 'advice.json').unlink()
  with pytest.raises(errors.DataError, match='no advice yet'):
    collect.collect(tmp_path)
