"""Protects the section that says what to freeze, and how sure that is."""

import json
import pathlib
import types

import pytest

from medxfer import errors
from medxfer import files
from medxfer.model import architectures
from medxfer.report.page import contents as contents_lib
from medxfer.report.page import layer_study
from medxfer.report.page import write
from medxfer.report.read import collect
from medxfer.report.read import estimates
from medxfer.report.read import layer_studies
from medxfer.report.stats import contrasts
from medxfer.report.stats import freezing
from medxfer.report.text import conclusions
from medxfer.report.text import published_shape
from medxfer.study import plan
from tests.report import workdirs

_VGG16 = architectures.BY_NAME['vgg16']
# ImageNet's frozen layers fall towards the top, and random ones collapse.
_SKILLS = {
    'base': 1.5,
    'frozen_imagenet_2': 2.2,
    'frozen_imagenet_13': 1.0,
    'frozen_random_7': 0.2,
    'tuned_imagenet_2': 2.0,
    'tuned_imagenet_13': 3.0,
    'frozen_own_10': 0.2,
    'tuned_own_10': 3.0,
    'statistics': 1.6,
    'last_3': 2.0,
    'last_6': 4.5,
}


@pytest.fixture(scope='module')
def study(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  """A study of layers, measured."""
  path = tmp_path_factory.mktemp('studies') / 'ham'
  workdirs.write_layer_study(path, _SKILLS)
  workdirs.write_layers(path)
  return path


@pytest.fixture(scope='module')
def section(study: pathlib.Path) -> layer_study.Section:
  """What the report says of it."""
  return contents_lib.make(collect.collect(study)).layers[0]


def test_the_best_of_validation_is_chosen_and_compared(
    section: layer_study.Section,
) -> None:
  """With its score on test, and against both ends of the scale."""
  choice = section.choice
  assert choice.trained == 6
  assert list(choice.columns) == [0, 3, 6, 13]
  assert choice.verdict == 'Freeze blocks 1 to 3 (sure).'
  assert sum(choice.fractions.values()) == pytest.approx(1)
  assert list(choice.fractions) == [0, 3, 6, 13] and choice.fractions[6] > 0.8
  assert 'Against the head alone: +' in choice.numbers
  assert 'Test difference to all layers: +' in choice.numbers
  assert 'rank 1 of 4' in choice.numbers


def test_what_to_freeze_is_among_the_answers(study: pathlib.Path) -> None:
  """The first screen is all that many read."""
  answers = contents_lib.make(collect.collect(study)).answers
  assert answers[-1].question == 'What can stay frozen?'
  assert 'blocks 1 to 3' in answers[-1].lines[0].verdict


def test_networks_of_the_study_stand_in_no_other_table(
    study: pathlib.Path,
) -> None:
  """They would be columns of table 7.1 under names that it does not have."""
  contents = contents_lib.make(collect.collect(study))
  assert not contents.chapters
  assert len(contents.runs.rows) == len(_SKILLS)


def test_the_published_shape_is_compared_claim_by_claim(
    section: layer_study.Section,
) -> None:
  """Which claims hold here follows from the runs alone."""
  table = next(t for t in section.tables if 'shape' in t.name)
  holds = {row[0].text: row[3].text for row in table.rows}
  assert len(holds) == 6
  falls, stays, transfer, collapse, missing, together = holds.values()
  assert (falls, stays, transfer, collapse) == ('yes',) * 4
  assert (missing, together) == ('yes', 'yes')


@pytest.mark.parametrize('frozen, word', [(4.0, 'no'), (1.5, 'open')])
def test_a_claim_that_the_runs_contradict_does_not_hold(
    tmp_path: pathlib.Path, frozen: float, word: str
) -> None:
  """Random frozen layers that beat the rest must not be called collapsed."""
  workdirs.write_layer_study(
      tmp_path / 's',
      {'base': 1.5, 'frozen_random_7': frozen, 'tuned_imagenet_13': 0.1},
  )
  found = contents_lib.make(collect.collect(tmp_path)).layers[0]
  table = next(t for t in found.tables if 'shape' in t.name)
  assert [row[3].text for row in table.rows] == ['no', word]


def test_every_layer_has_a_row_and_every_curve_its_numbers(
    section: layer_study.Section,
) -> None:
  """A figure without its numbers cannot be checked."""
  table = section.tables[-1]
  assert [row[0].text for row in table.rows] == list(_VGG16.convolutions)
  index = table.header.index('Index, ImageNet')
  assert table.rows[0][index].text == '–'
  assert table.rows[4][index].text == '0.050 (0.040–0.060)'
  assert table.rows[0][table.header.index('LogME, ImageNet')].text == '–'
  titles = [chart.title for chart in section.charts]
  assert titles == [
      'Frozen transfer',
      'Fine-tuned transfer',
      'Unfreezing',
      'What a linear probe reads',
      'General or specific',
      'How far training moved the weights',
      'How alike layers see the images',
      'Put one layer back',
  ]
  for chart in section.charts:
    assert chart.svg.startswith('<?xml') and len(chart.rows) >= 3


def test_findings_are_said_in_plain_words(section: layer_study.Section) -> None:
  """Numbers that the made-up study has, and no others."""
  frozen, tuned, general, moved, back, agreement = section.findings
  assert frozen.startswith(
      'Frozen below a rest that begins at random, the first 2 layers of'
  )
  assert 'All 13 of them, against these: −0.' in frozen
  assert 'not clear' not in frozen
  assert 'ImageNet’s weights bring +' in tuned and 'scale alone' in tuned
  assert general.startswith('None of ImageNet’s 12 layers clearly serve')
  assert 'lowest index is that of block1_conv2, 0.02 (0.01–0.03)' in general
  assert 'moved block5_conv3 the farthest, by 13.0 %' in moved
  assert back.startswith('12 of the fine-tuned layers cannot be put back')
  assert 'clear loss: block1_conv2 to block5_conv3; block5_conv3 costs' in back
  assert '5 are too few cuts to tell' in agreement
  assert 'rank correlation 0.50' in agreement


def test_one_layer_in_thirteen_may_cost_something_by_chance() -> None:
  """Thirteen losses are compared: Holm's correction is in the sentence."""

  def said(low: float) -> str:
    lost = {
        layer: estimates.Estimate(0.01, -0.01, 0.02)
        for layer in _VGG16.convolutions
    }
    lost['block2_conv2'] = estimates.Estimate(0.02, low, 0.04 - low)
    return conclusions._put_back(
        types.SimpleNamespace(put_back={'tuned_imagenet': lost})
    )

  # The interval leaves out zero; of thirteen, one does so by chance.
  assert 'Any one of the fine-tuned layers can be put back' in said(0.005)
  assert 'block2_conv2 alone cannot be put back' in said(0.01)


def _measured(
    index: tuple, transferred: tuple, random: tuple
) -> types.SimpleNamespace:
  layer = 'block1_conv1'
  return types.SimpleNamespace(
      index={'imagenet': {layer: estimates.Estimate(*index)}},
      probes={
          'imagenet': {layer: estimates.Estimate(*transferred)},
          'random': {layer: estimates.Estimate(*random)},
      },
  )


@pytest.mark.parametrize(
    'index, transferred, random, is_general',
    [
        ((1.0, 0.93, 1.0), (0.6, 0.55, 0.65), (0.2, 0.15, 0.25), True),
        # What is not known for certain is not said: an index of 1 from [0, 1],
        ((1.0, 0.0, 1.0), (0.6, 0.55, 0.65), (0.2, 0.15, 0.25), False),
        # and a layer that reads no more than random filters.
        ((1.0, 0.93, 1.0), (0.25, 0.2, 0.3), (0.2, 0.15, 0.25), False),
    ],
)
def test_a_layer_is_general_only_by_its_whole_interval(
    index: tuple, transferred: tuple, random: tuple, is_general: bool
) -> None:
  """An index of 1 may be two probes that know nothing."""
  said = conclusions._general(_measured(index, transferred, random))
  assert said.startswith('1 of' if is_general else 'None of')


@pytest.mark.parametrize(
    'correlation, cuts, word',
    [
        (0.9999999999999999, 5, 'agrees with'),
        (-1.0, 5, 'contradicts'),
        (0.6, 13, 'agrees with'),
        (0.5, 13, 'has no clear relation to'),
    ],
)
def test_few_cuts_agree_by_chance(
    correlation: float, cuts: int, word: str
) -> None:
  """Of five cuts, one order in twelve correlates by 0.9 or more."""
  said = conclusions._agreement(
      'imagenet',
      types.SimpleNamespace(
          agreement={'imagenet': {'freezing': (correlation, cuts)}}
      ),
  )
  assert f'images, {word} what freezing costs' in said


@pytest.mark.parametrize('correlation, cuts', [(-0.949, 5), (1.0, 3)])
def test_too_few_cuts_tell_nothing(correlation: float, cuts: int) -> None:
  """With ties among five cuts .949 is the most there can be."""
  said = conclusions._agreement(
      'imagenet',
      types.SimpleNamespace(
          agreement={'imagenet': {'freezing': (correlation, cuts)}}
      ),
  )
  assert f'{cuts} are too few cuts to tell' in said


@pytest.mark.parametrize(
    'low, word', [(-0.01, 'yes'), (-0.03, 'open'), (-0.2, 'open')]
)
def test_no_worse_needs_a_margin(low: float, word: str) -> None:
  """That a loss is not clear does not show that there is none."""
  [claim] = [
      c for c in published_shape._claims(_VGG16) if 'no worse' in c.words
  ]
  gap = estimates.Estimate(0.0, low, -low)
  contrast = contrasts.Contrast(gap, gap, gap.p_value(), 'paired')
  assert published_shape._holds([claim], [contrast]) == [word]


def test_claims_are_corrected_for_their_number() -> None:
  """One of seven clear claims may be chance."""
  claims = list(published_shape._claims(_VGG16))
  gap = estimates.Estimate(-0.1, -0.19, -0.01)
  nothing = estimates.Estimate(0.0, -0.5, 0.5)
  gaps = [
      contrasts.Contrast(one, one, one.p_value(), 'paired')
      for one in (gap, *[nothing] * (len(claims) - 1))
  ]
  assert published_shape._holds(claims[:1], gaps[:1]) == ['yes']
  assert published_shape._holds(claims, gaps)[0] == 'open'


def test_seeds_are_averaged(tmp_path: pathlib.Path) -> None:
  """Their spread widens the interval that the images give."""
  path = workdirs.write_layer_study(
      tmp_path / 's',
      {'base': 1.0, 'last_3': 2.0, 'tuned_imagenet_13': 2.1},
      seeds=(0, 1),
  )
  workdirs.write_layers(path, seeds=(0, 1))
  found = contents_lib.make(collect.collect(tmp_path)).layers[0]
  texts = [cell.text for cell in found.tables[-1].rows[4]]
  assert '0.050 ± 0.000' in texts  # How far it moved.
  assert '0.050 (0.040–0.060)' in texts  # Seeds take nothing from the images'.
  first = found.tables[0].rows[0][-1]
  assert first.under[0].endswith('over 2 seeds')


def test_before_the_layers_are_measured_curves_are_shown(
    tmp_path: pathlib.Path,
) -> None:
  """A study takes hours; what is there can be looked at."""
  workdirs.write_layer_study(
      tmp_path / 's', {'base': 1.0, 'frozen_imagenet_2': 2.0}
  )
  found = contents_lib.make(collect.collect(tmp_path)).layers[0]
  assert found.choice is None and len(found.charts) == 1


@pytest.mark.parametrize(
    'damage',
    [
        '{"seeds": ',
        '[]',
        '{"seeds": {}}',
        '{"seeds": {"0": {}}}',
        '{"seeds": {"x": {}}}',
        'nan',
    ],
)
def test_damaged_measurements_are_named_and_left_out(
    study: pathlib.Path, tmp_path: pathlib.Path, damage: str
) -> None:
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


def test_missing_validation_scores_are_said(tmp_path: pathlib.Path) -> None:
  """The curves need none; the choice does."""
  path = workdirs.write_layer_study(
      tmp_path / 's', {'last_3': 2.0, 'tuned_imagenet_13': 2.1}
  )
  (path / 'runs/last_3-seed0/predictions_val.csv').unlink()
  page, _ = write.report(path)
  assert 'cannot be said: ' in page.read_text()
  assert 'no predictions_val.csv' in page.read_text()


def test_other_validation_images_are_refused(tmp_path: pathlib.Path) -> None:
  """Two networks chosen between on other images are not comparable."""
  path = workdirs.write_layer_study(
      tmp_path / 's', {'last_3': 2.0, 'tuned_imagenet_13': 2.1}
  )
  table = path / 'runs/last_3-seed0/predictions_val.csv'
  lines = table.read_text().splitlines(keepends=True)
  table.write_text(''.join(lines[:-1]))
  study = collect.collect(path).studies[0]
  with pytest.raises(errors.DataError, match='other validation images'):
    freezing.choose(study)


@pytest.mark.parametrize(
    'trained, words',
    [
        (0, 'Freeze all convolutions, train the head'),
        (3, 'Freeze blocks 1 to 4'),
        (4, 'Freeze the layers up to block4_conv2'),
        (11, 'Freeze block 1'),
        (13, 'Freeze nothing'),
    ],
)
def test_advice_names_blocks_where_it_can(trained: int, words: str) -> None:
  """As `model.trainable` would name what is left."""
  assert freezing.advice(trained, _VGG16) == words


@pytest.mark.parametrize(
    'network, title',
    [
        ('imagenet', 'ImageNet'),
        ('tuned_ham', 'HAM10000, fine-tuned'),
        ('own', 'own, from random'),
        ('unheard', 'unheard'),
    ],
)
def test_networks_have_readable_names(network: str, title: str) -> None:
  """Names of arms are for programs."""
  assert layer_studies.called(network) == title


def test_a_study_of_another_network_names_its_own_layers(
    tmp_path: pathlib.Path,
) -> None:
  """Its tables, its curves and its advice; no claim about cuts it lacks."""
  path = workdirs.write_layer_study(
      tmp_path / 's',
      {
          'base': 1.5,
          'frozen_imagenet_1': 2.2,
          'frozen_imagenet_3': 1.0,
          'tuned_imagenet_1': 2.0,
          'tuned_imagenet_3': 3.0,
          'statistics': 1.6,
          'last_2': 4.5,
      },
      modifiers=('cpu', 'tiny'),
  )
  workdirs.write_layers(path, network='tiny')
  [found] = contents_lib.make(collect.collect(tmp_path)).layers
  assert architectures.BY_NAME['tiny'].title in found.title
  assert found.choice.verdict == 'Freeze block 1 (sure).'
  assert not [t for t in found.tables if 'shape' in t.name]
  layers = ['block1_conv1', 'block2_conv1', 'block2_conv2']
  assert [row[0].text for row in found.tables[-1].rows] == layers
  assert [row[0].text for row in found.tables[0].rows] == ['0', '1', '2', '3']
  probes = next(c for c in found.charts if c.name.startswith('layers_probes'))
  assert [row[0] for row in probes.rows] == ['1.1', '2.1', '2.2']
  assert 'moved block2_conv2 the farthest' in ' '.join(found.findings)


def test_the_published_shape_is_compared_where_five_blocks_are_cut() -> None:
  """Whatever their depth: the claims are about blocks."""
  cuts = {
      claim.first[2]
      for claim in published_shape._claims(architectures.BY_NAME['vgg19'])
  }
  assert cuts == {8, 12, 16}
  assert published_shape._claims(architectures.BY_NAME['tiny']) == ()


def test_each_network_has_the_best_of_its_rates(tmp_path: pathlib.Path) -> None:
  """By validation images of the first seed; the worst on test, if need be."""
  on_val = {'last_3': {0.3: 0.1, 1.0: 0.2, 3.0: 0.4}, 'block_1': {1.0: 0.1}}
  for arm, rates in on_val.items():
    for rate, value in rates.items():
      for seed in (0, 1) if rate in (1.0, 3.0) else (0,):
        workdirs.write(
            tmp_path / 'runs' / plan.Planned.named(arm, seed, '', rate),
            arm,
            skill=4.0 - rate,
            seed=seed,
            overrides={'optimizer.learning_rate': 1e-4 * rate},
            change=lambda summary, value=value, seed=seed: summary.update(
                # The second seed would choose otherwise.
                val={'f1_macro': value * (-1) ** seed}
            ),
        )
  files.write_json(
      tmp_path / 'study.json', {'name': 'layers_ham', 'title': '', 'runs': {}}
  )
  study = collect.collect(tmp_path).studies[0]
  last = study.column('last', 'imagenet', 3)
  assert [run.spec.seed for run in last.runs] == [0, 1]
  assert {plan.rate_of(run.name) for run in last.runs} == {3.0}
  assert study.rates == 3
  section = contents_lib.make(collect.collect(tmp_path)).layers[0]
  assert 'Of 3 learning rates each network' in str(section.tables[0].notes)
  assert not any('one learning rate' in text for text in section.missing)


def test_single_blocks_are_compared(tmp_path: pathlib.Path) -> None:
  """The best of them need not be the last."""
  workdirs.write_layer_study(
      tmp_path / 's',
      {
          'block_1': 1.5,
          'block_2': 2.5,
          'block_3': 4.5,
          'block_4': 2.4,
          'last_3': 2.0,
          'tuned_imagenet_13': 2.0,
      },
  )
  section = contents_lib.make(collect.collect(tmp_path)).layers[0]
  [text] = [one for one in section.findings if one.startswith('Of single')]
  assert 'block 3 serves best by validation images (sure)' in text
  assert 'rank 1 of 5' in text and 'Against training everything: +' in text
  assert any('blocks' in chart.name for chart in section.charts)
  assert 'block 5: ' in str(section.tables[0].notes)
