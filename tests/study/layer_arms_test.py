"""Protects the names of the networks of a layer study."""

import pytest

from medxfer import spec as specs
from medxfer.model import layers
from medxfer.study import layer_arms
from medxfer.training import strategy
from tests.report import workdirs


def test_names_and_arms_go_both_ways():
  """What the report reads is what the configuration wrote."""
  arms = layer_arms.arms(('ham',), layer_arms.BLOCKS)
  assert len(arms) == 1 + 4 * 5 + 3 * 5 + 1 + 4
  for arm in arms:
    assert layer_arms.Arm.parse(arm.name) == arm


@pytest.mark.parametrize('name', [
    'all', 'frozen_imagenet_0', 'frozen_imagenet_14', 'last_0', 'frozen_13',
    'tuned_', 'base_1', 'FROZEN_own_2', ''])
def test_other_names_are_no_arms(name):
  """They would stand in a curve that they do not belong to."""
  assert layer_arms.Arm.parse(name) is None


def test_blocks_end_where_they_end():
  """Cuts by block: 2, 4, 7, 10 and 13 convolutions of VGG-16."""
  assert layer_arms.BLOCKS == (2, 4, 7, 10, 13)
  assert layer_arms.ALL == 13


@pytest.mark.parametrize('count', range(1, 14))
def test_the_first_and_the_rest_are_all_convolutions(count):
  """Every layer is either transferred and frozen, or trains."""
  spec = workdirs.spec('all', overrides={
      'model.transferred': layer_arms.first(count),
      'model.trainable': layer_arms.rest(count)})
  assert isinstance(spec, specs.RunSpec)
  plan = strategy.resolve(spec)
  assert plan.transferred == layers.CONVOLUTIONS[:count]
  assert plan.trained == layers.LAYERS[count:]


def test_whole_blocks_go_by_their_name():
  """A specification that is read by people."""
  assert layer_arms.first(7) == 'block1,block2,block3'
  assert layer_arms.rest(8) == 'block4_conv2,block4_conv3,block5'
  assert layer_arms.rest(13) == 'none'
