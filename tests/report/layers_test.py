"""Protects the section that says what to freeze, and how sure that is."""

import json
import types

import pytest

from medxfer import errors
from medxfer.model import layers as layers_lib
from medxfer.report import collect
from medxfer.report import contents as contents_lib
from medxfer.report import estimates
from medxfer.report import findings
from medxfer.report import freezing
from medxfer.report import layer_studies
from medxfer.report import write
from tests.report import workdirs

# ImageNet's frozen layers fall towards the top, and random ones collapse.
_SKILLS = {
    'base': 1.5, 'frozen_imagenet_2': 2.2, 'frozen_imagenet_13': 1.0,
    'frozen_random_7': 0.2, 'tuned_imagenet_2': 2.0, 'tuned_imagenet_13': 3.0,
    'frozen_own_10': 0.6, 'tuned_own_10': 1.5, 'statistics': 1.6,
    'last_3': 2.0, 'last_6': 4.5}


@pytest.fixture(scope='module')
def study(tmp_path_factory):
  """A study of layers, measured."""
  path = tmp_path_factory.mktemp('studies') / 'ham'
  workdirs.write_layer_study(path, _SKILLS)
  workdirs.write_layers(path)
  return path


@pytest.fixture(scope='module')
def section(study):
  """What the report says of it."""
  return contents_lib.make(collect.collect(study)).layers[0]


def test_the_best_of_validation_is_chosen_and_compared(section):
  """With its score on test, and against both ends of the scale."""
  choice = section.choice
  assert choice.trained == 6
  assert list(choice.columns) == [0, 3, 6, 13]
  assert choice.verdict == 'Freeze blocks 1 to 3 (sure).'
  assert sum(choice.shares.values()) == pytest.approx(1)
  assert 'Against the head alone: +' in choice.numbers
  assert 'Against all layers: +' in choice.numbers


def test_what_to_freeze_is_among_the_answers(study):
  """The first screen is all that many read."""
  answers = contents_lib.make(collect.collect(study)).answers
  assert answers[-1].question == 'What can stay frozen?'
  assert 'blocks 1 to 3' in answers[-1].lines[0].verdict


def test_networks_of_the_study_stand_in_no_other_table(study):
  """They would be columns of table 7.1 under names that it does not have."""
  contents = contents_lib.make(collect.collect(study))
  assert not contents.chapters
  assert len(contents.runs.rows) == len(_SKILLS)


def test_the_published_shape_is_compared_claim_by_claim(section):
  """Which claims hold here follows from the runs alone."""
  table = next(t for t in section.tables if 'shape' in t.name)
  holds = {row[0].text: row[3].text for row in table.rows}
  assert len(holds) == 6
  falls, stays, transfer, collapse, missing, together = holds.values()
  assert (falls, stays, transfer, collapse) == ('yes',) * 4
  assert (missing, together) == ('yes', 'yes')


@pytest.mark.parametrize('frozen, word', [(4.0, 'no'), (0.5, 'open')])
def test_a_claim_that_the_runs_contradict_does_not_hold(
    tmp_path, frozen, word):
  """Random frozen layers that beat the rest must not be called collapsed."""
  workdirs.write_layer_study(tmp_path / 's', {
      'base': 0.5, 'frozen_random_7': frozen, 'tuned_imagenet_13': 0.1})
  found = contents_lib.make(collect.collect(tmp_path)).layers[0]
  table = next(t for t in found.tables if 'shape' in t.name)
  assert [row[3].text for row in table.rows] == ['no', word]


def test_every_layer_has_a_row_and_every_curve_its_numbers(section):
  """A figure without its numbers cannot be checked."""
  table = section.tables[-1]
  assert [row[0].text for row in table.rows] == list(layers_lib.CONVOLUTIONS)
  index = table.header.index('Index, ImageNet')
  assert table.rows[0][index].text == '–'
  assert table.rows[4][index].text == '0.050 (0.040–0.060)'
  assert table.rows[0][table.header.index('LogME, ImageNet')].text == '–'
  titles = [chart.title for chart in section.charts]
  assert titles == [
      'Frozen transfer', 'Fine-tuned transfer', 'Unfreezing',
      'What a linear probe reads', 'General or specific',
      'How far training moved the weights', 'How alike layers see the images',
      'Put one layer back']
  for chart in section.charts:
    assert chart.svg.startswith('<?xml') and len(chart.rows) >= 3


def test_findings_are_said_in_plain_words(section):
  """Numbers that the made-up study has, and no others."""
  frozen, tuned, general, moved, back, agreement = section.findings
  assert frozen.startswith(
      'Frozen below a rest that begins at random, the first 2 layers of')
  assert 'All 13 of them cost 0.' in frozen and 'not clear' not in frozen
  assert 'ImageNet’s weights bring +' in tuned and 'scale alone' in tuned
  assert general.startswith('None of ImageNet’s 12 layers serve')
  assert 'most specific is block1_conv2, with 0.02 (0.01–0.03)' in general
  assert 'moved block5_conv3 the farthest, by 13.0 %' in moved
  assert back.startswith('12 of the fine-tuned layers cannot be put back')
  assert 'clear loss: block1_conv2 to block5_conv3; block5_conv3 costs' in back
  assert 'has no clear relation to what freezing costs' in agreement
  assert '0.50 over 5 cuts' in agreement


def test_one_layer_in_thirteen_may_cost_something_by_chance():
  """A sentence on it alone would be believed."""
  lost = {layer: estimates.Estimate(.01, -.01, .02)
          for layer in layers_lib.CONVOLUTIONS}
  lost['block2_conv2'] = estimates.Estimate(.02, .01, .03)
  said = findings._put_back(types.SimpleNamespace(
      put_back={'tuned_imagenet': lost}))
  assert 'block2_conv2 alone cannot be put back' in said
  assert said.endswith('one of 13 may do so by chance.')


@pytest.mark.parametrize('correlation, cuts, word', [
    (0.9999999999999999, 5, 'agrees with'), (-1.0, 5, 'contradicts'),
    (-0.9, 5, 'has no clear relation to'), (0.6, 13, 'agrees with'),
    (1.0, 3, 'has no clear relation to')])
def test_few_cuts_agree_by_chance(correlation, cuts, word):
  """Of five cuts, one order in twelve correlates by 0.9 or more."""
  said = findings._agreement('imagenet', types.SimpleNamespace(
      agreement={'imagenet': {'freezing': (correlation, cuts)}}))
  assert f'images, {word} what freezing costs' in said


def test_seeds_are_averaged(tmp_path):
  """With three seeds a spread is that over seeds, not that of one."""
  path = workdirs.write_layer_study(
      tmp_path / 's', {'base': 1.0, 'last_3': 2.0, 'tuned_imagenet_13': 2.1},
      seeds=(0, 1))
  workdirs.write_layers(path, seeds=(0, 1))
  found = contents_lib.make(collect.collect(tmp_path)).layers[0]
  assert '0.050 ± 0.000' in [cell.text for cell in found.tables[-1].rows[4]]
  assert '±' in found.choice.numbers


def test_before_the_layers_are_measured_curves_are_shown(tmp_path):
  """A study takes hours; what is there can be looked at."""
  workdirs.write_layer_study(
      tmp_path / 's', {'base': 1.0, 'frozen_imagenet_2': 2.0})
  found = contents_lib.make(collect.collect(tmp_path)).layers[0]
  assert found.choice is None and len(found.charts) == 1


@pytest.mark.parametrize('damage', [
    '{"seeds": ', '[]', '{"seeds": {}}', '{"seeds": {"0": {}}}',
    '{"seeds": {"x": {}}}', 'nan'])
def test_damaged_measurements_are_named_and_left_out(study, tmp_path, damage):
  """A report must not end in a traceback, nor show what is not a number."""
  workdirs.write_layer_study(tmp_path / 's', {'base': 1.0})
  workdirs.write(tmp_path / 'other', 'all')
  if damage == 'nan':
    found = json.loads((study / 'layers.json').read_text())
    found['seeds']['0']['moved']['own']['block3_conv1'] = float('nan')
    damage = json.dumps(found)
  (tmp_path / 's' / 'layers.json').write_text(damage)
  collection = collect.collect(tmp_path)
  assert not collection.studies
  assert [item.name for item in collection.left_out] == ['s']
  assert 'layers.json: damaged' in collection.left_out[0].reason


def test_missing_validation_scores_are_said(tmp_path):
  """The curves need none; the choice does."""
  path = workdirs.write_layer_study(
      tmp_path / 's', {'last_3': 2.0, 'tuned_imagenet_13': 2.1})
  (path / 'runs/last_3-seed0/predictions_val.csv').unlink()
  page, _ = write.report(path)
  assert 'cannot be said: ' in page.read_text()
  assert 'no predictions_val.csv' in page.read_text()


def test_other_validation_images_are_refused(tmp_path):
  """Two networks chosen between on other images are not comparable."""
  path = workdirs.write_layer_study(
      tmp_path / 's', {'last_3': 2.0, 'tuned_imagenet_13': 2.1})
  table = path / 'runs/last_3-seed0/predictions_val.csv'
  lines = table.read_text().splitlines(keepends=True)
  table.write_text(''.join(lines[:-1]))
  study = collect.collect(path).studies[0]
  with pytest.raises(errors.DataError, match='other validation images'):
    freezing.choose(study)


@pytest.mark.parametrize('trained, words', [
    (0, 'Freeze all convolutions, train the head'),
    (3, 'Freeze blocks 1 to 4'), (4, 'Freeze the layers up to block4_conv2'),
    (11, 'Freeze block 1'), (13, 'Freeze nothing')])
def test_advice_names_blocks_where_it_can(trained, words):
  """As `model.trainable` would name what is left."""
  assert freezing.advice(trained) == words


@pytest.mark.parametrize('network, title', [
    ('imagenet', 'ImageNet'), ('tuned_ham', 'HAM10000, fine-tuned'),
    ('own', 'own, from random'), ('unheard', 'unheard')])
def test_networks_have_readable_names(network, title):
  """Names of arms are for programs."""
  assert layer_studies.called(network) == title
