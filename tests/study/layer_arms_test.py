"""Protects the names of the networks of a layer study."""

import pytest

from medxfer import spec as specs
from medxfer.model import architectures
from medxfer.model.architectures import architecture
from medxfer.recipes import layers as layers_config
from medxfer.study import layer_arms
from medxfer.training import strategy
from tests.report import workdirs

_VGG16, _VGG19, _TINY = (
    architectures.BY_NAME[name] for name in ('vgg16', 'vgg19', 'tiny')
)


def test_names_and_arms_go_both_ways() -> None:
  """What the report reads is what the configuration wrote."""
  arms = layer_arms.arms(_VGG16, ('ham',), layer_arms.block_ends(_VGG16))
  assert len(arms) == 1 + 4 * 5 + 3 * 5 + 1 + 4 + 4
  for arm in arms:
    assert layer_arms.Arm.parse(arm.name, _VGG16) == arm


@pytest.mark.parametrize(
    'name',
    [
        'all',
        'frozen_imagenet_0',
        'frozen_imagenet_14',
        'last_0',
        'frozen_13',
        'block_0',
        'block_6',
        'tuned_',
        'base_1',
        'FROZEN_own_2',
        '',
    ],
)
def test_other_names_are_no_arms(name: str) -> None:
  """They would stand in a curve that they do not belong to."""
  assert layer_arms.Arm.parse(name, _VGG16) is None


def test_an_arm_has_the_layers_of_its_network() -> None:
  """The same name is an arm of one network and none of another."""
  assert layer_arms.Arm.parse('frozen_own_16', _VGG19).count == 16
  assert layer_arms.Arm.parse('frozen_own_16', _VGG16) is None
  assert layer_arms.Arm.parse('last_4', _TINY) is None
  assert layer_arms.Arm.parse('statistics', _TINY).count == 3


@pytest.mark.parametrize(
    'architecture, ends',
    [(_VGG16, (2, 4, 7, 10, 13)), (_VGG19, (2, 4, 8, 12, 16)), (_TINY, (1, 3))],
)
def test_blocks_end_where_they_end(
    architecture: architecture.Architecture, ends: tuple
) -> None:
  """Cuts by block."""
  assert layer_arms.block_ends(architecture) == ends


@pytest.mark.parametrize(
    'preset, last',
    [
        ('ham', 'block_4'),
        ('ham,vgg19', 'block_4'),
        ('ham,tiny', 'block_1'),
        ('folder,tiny,by_layer', 'block_1'),
    ],
)
def test_a_configuration_cuts_its_own_network(preset: str, last: str) -> None:
  """Every arm is one of its architecture, and no cut is missing."""
  config = layers_config.get_config(preset)
  arms = config.study.arms.split(',')
  architecture = architectures.BY_NAME[config.study.changes['base'].model.name]
  parsed = [layer_arms.Arm.parse(arm, architecture) for arm in arms]
  assert all(parsed) and arms[-1] == last
  assert f'frozen_imagenet_{len(architecture.convolutions)}' in arms


@pytest.mark.parametrize('count', range(1, 14))
def test_the_first_and_the_rest_are_all_convolutions(count: int) -> None:
  """Every layer is either transferred and frozen, or trains."""
  spec = workdirs.spec(
      'all',
      overrides={
          'model.transferred': layer_arms.first(_VGG16, count),
          'model.trainable': layer_arms.rest(_VGG16, count),
      },
  )
  assert isinstance(spec, specs.RunSpec)
  plan = strategy.resolve(spec)
  assert plan.transferred == _VGG16.convolutions[:count]
  assert plan.trained == _VGG16.layers[count:]


def test_whole_blocks_go_by_their_name() -> None:
  """A specification that is read by people."""
  assert layer_arms.first(_VGG16, 7) == 'block1,block2,block3'
  assert layer_arms.rest(_VGG16, 8) == 'block4_conv2,block4_conv3,block5'
  assert layer_arms.rest(_VGG16, 13) == 'none'
