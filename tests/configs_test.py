"""Protects the configurations: arms, modifiers and their refusals."""

from collections.abc import Callable
import types
from typing import Any

import pytest

from medxfer import errors
from medxfer import spec as specs
from medxfer.model import architectures
from medxfer.recipes import common
from medxfer.recipes import folder
from medxfer.recipes import ham
from medxfer.recipes import layers as layers_config
from medxfer.recipes import table_7_2
from medxfer.recipes import table_folder
from medxfer.recipes import xray
from medxfer.training import strategy

_VGG16 = architectures.BY_NAME['vgg16']
_B = {block: set(names) for block, names in _VGG16.blocks.items()}
_ARMS = {
    'all': set(_VGG16.convolutions),
    'last_block': _B['block5'],
    'first_block': _B['block1'],
    'first_last': _B['block1'] | _B['block5'],
    'head': set(),
    'random': set(_VGG16.convolutions),
    **_B,
    **{
        name: set(_VGG16.convolutions)
        for name in ('lp_ft', 'gradual', 'layer_decay', 'auto_rgn')
    },
}


@pytest.mark.parametrize('arm', _ARMS)
def test_every_arm_trains_what_the_thesis_says(arm: str) -> None:
  """Table 7.1: a column must not train another column's layers."""
  spec = specs.from_config(ham.get_config(arm))
  trained = set(strategy.resolve(spec).trained)
  assert trained == _ARMS[arm] | set(_VGG16.head)
  assert (spec.model.init_from == 'random') == (arm == 'random')


def test_the_other_arms_are_the_baselines() -> None:
  """Section 6.1: trees of small pixels, which no layer's name concerns."""
  assert set(ham.ARMS) - set(_ARMS) == set(common.BASELINES)
  for module in (ham, xray):
    for arm in common.BASELINES:
      spec = specs.from_config(module.get_config(f'{arm},tuned'))
      assert (spec.model.name, spec.data.image_size) == (arm, (64, 64))


@pytest.mark.parametrize('modifier', common.MODIFIERS)
@pytest.mark.parametrize('arm', ham.ARMS)
def test_every_arm_takes_every_modifier(arm: str, modifier: str) -> None:
  """No combination may build a configuration that is refused later."""
  if modifier == 'tiny' and arm in ('block3', 'block4', 'block5'):
    with pytest.raises(errors.UsageError, match=f'{arm}: tiny has 2 blocks'):
      ham.get_config(f'{arm},{modifier}')
    return
  spec = specs.from_config(ham.get_config(f'{arm},{modifier}'))
  assert spec.arm == arm and spec.modifiers == (modifier,)


def _folder(argument: str) -> specs.RunSpec:
  """A folder of one's own is the one data set that needs a place."""
  config = folder.get_config(argument)
  config.data.update(dir='DIR', groups='FILE')
  return specs.from_config(config)


def _xray(argument: str) -> specs.RunSpec:
  """The arm `ham` is the one that needs a run to start from."""
  config = xray.get_config(argument)
  config.model.init_from = config.model.init_from or 'WORKDIR'
  return specs.from_config(config)


@pytest.mark.parametrize(
    'name, read, module',
    [('chest_xray', _xray, xray), ('folder', _folder, folder)],
)
def test_every_combination_of_other_data_sets_is_a_specification(
    name: str, read: Callable[..., Any], module: types.ModuleType
) -> None:
  """Each arm with each modifier, on the right images."""
  for arm in module.ARMS:
    for modifier in module.MODIFIERS:
      if modifier == 'tiny' and arm in ('block3', 'block4', 'block5'):
        continue  # It has two blocks.
      spec = read(f'{arm},{modifier}')
      assert (spec.data.name, spec.arm) == (name, arm)
      assert spec.modifiers == (modifier,)
  for modifiers, split in (
      ('official', 'official'),
      ('grouped', 'grouped'),
      ('thesis', 'by_image'),
      ('official,grouped', 'official_grouped'),
      ('thesis,official', 'official'),
      ('tuned', 'auto' if name == 'folder' else 'by_image'),
  ):
    assert read(f'random,{modifiers}').data.split == split


@pytest.mark.parametrize(
    'arm, start',
    [('imagenet', 'imagenet'), ('random', 'random'), ('ham', 'WORKDIR')],
)
@pytest.mark.parametrize('scope', common.SCOPES)
def test_an_xray_arm_is_a_start_and_a_modifier_its_scope(
    arm: str, start: str, scope: str
) -> None:
  """The thesis compares starts; which layers move must not change with one."""
  spec = _xray(f'{arm},{scope}')
  assert spec.model.init_from == start
  trained = set(strategy.resolve(spec).trained)
  assert trained == _ARMS[scope] | set(_VGG16.head)
  assert _xray(arm).model.trainable == 'all'


@pytest.mark.parametrize('modifiers', ['', ',cpu', ',tuned', ',phantom'])
def test_a_chest_keeps_its_up(modifiers: str) -> None:
  """No X-ray is ever upside down or lying."""
  augment = _xray(f'imagenet{modifiers}').augment
  assert augment.horizontal_flip
  assert not augment.vertical_flip and not augment.quarter_turns


@pytest.mark.parametrize('arm', folder.ARMS)
def test_an_arm_means_the_same_on_a_folder(arm: str) -> None:
  """Only the data differ between configs/ham.py and configs/folder.py."""
  config = ham.get_config(arm)
  config.data.update(name='folder', dir='DIR', groups='FILE', split='auto')
  assert _folder(arm) == specs.from_config(config)


@pytest.mark.parametrize(
    'module, argument, message',
    [
        (xray, 'ham', 'model.init_from=.*workdir of a finished run'),
        (folder, 'all', 'data.dir=.*folder per class'),
        (folder, 'all,phantom', 'unknown modifier .phantom'),
        (xray, 'last_block', 'unknown arm'),
        (xray, 'random,head,last_block', 'last_block and head exclude'),
        (folder, 'all,thesis,tuned', 'exclude each other'),
        (ham, 'all,official', 'unknown modifier'),
    ],
)
def test_what_a_data_set_cannot_be_asked_is_refused(
    module: types.ModuleType, argument: str, message: str
) -> None:
  """A start or a place that is guessed at would be another experiment."""
  with pytest.raises(errors.UsageError, match=message):
    specs.from_config(module.get_config(argument))


def test_the_default_is_the_thesis() -> None:
  """Section 6.2: SGD 1e-4, [-1, 1], 60/20/20 by image, patience 5."""
  spec = specs.from_config(ham.get_config('all'))
  assert (spec.optimizer.name, spec.optimizer.learning_rate) == ('sgd', 1e-4)
  assert spec.model.preprocessing == 'tf'
  assert spec.data.split == 'by_image' and spec.data.image_size == (224, 224)
  assert spec.training.patience == 5
  thesis = specs.from_config(ham.get_config('all,thesis'))
  assert not [
      line
      for line in specs.difference(spec.to_json(), thesis.to_json())
      if not line.startswith('modifiers')
  ]


def test_the_order_of_modifiers_does_not_matter() -> None:
  """cpu,tuned and tuned,cpu must be one experiment."""
  assert specs.from_config(
      ham.get_config('all,cpu,tuned,grouped')
  ) == specs.from_config(ham.get_config('all,grouped,tuned,cpu'))


@pytest.mark.parametrize(
    'argument, message',
    [
        (None, 'all, last_block'),
        ('', 'all, last_block'),
        ('al', 'unknown arm'),
        ('all,tunned', 'unknown modifier .tunned.; modifiers are vgg19'),
        ('all,', 'unknown modifier'),
        ('all,thesis,tuned', 'exclude each other'),
    ],
)
def test_an_unknown_name_is_refused_with_what_is_allowed(
    argument: str | None, message: str
) -> None:
  """A run of the wrong arm costs hours before it is noticed."""
  with pytest.raises(errors.UsageError, match=message):
    ham.get_config(argument)


@pytest.mark.parametrize(
    'presets, split, source',
    [
        ('official,grouped', 'official_grouped', 'grouped'),
        ('grouped,official', 'official_grouped', 'grouped'),
        ('official', 'official', 'grouped'),
        ('grouped', 'grouped', 'grouped'),
        ('', 'by_image', 'by_image'),
    ],
)
def test_a_study_takes_both_splits_and_its_source_one(
    presets: str, split: str, source: str
) -> None:
  """A published split of the target says nothing about the source."""
  for config in (
      table_7_2.get_config(presets),
      layers_config.get_config(','.join(filter(None, ('xray', presets)))),
  ):
    assert config.data.split == split
    assert config.study.source.data.split == source
  own = table_folder.get_config(presets).data.split
  assert own == ('auto' if not presets else split)
