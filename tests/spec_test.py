"""Protects the reading of configurations: nothing wrong passes silently."""

import copy
from typing import Any

import ml_collections
import pytest

from medxfer import errors
from medxfer import spec as specs
from medxfer.recipes import common
from medxfer.recipes import ham


def _with(**changes: Any) -> ml_collections.ConfigDict:
  config = common.default()
  for key, value in changes.items():
    *group, name = key.split('__')
    (config[group[0]] if group else config)[name] = value
  return config


def test_specs_are_frozen_and_hashable_values() -> None:
  """Equal specifications must be equal, to serve as keys and to resume."""
  one = specs.from_config(ham.get_config('all'))
  two = specs.from_config(ham.get_config('all'))
  assert one == two and hash(one) == hash(two)
  with pytest.raises(AttributeError):
    one.seed = 1


def test_json_round_trip_is_exact() -> None:
  """A resumed run reads config.json back."""
  spec = specs.from_config(_with(training__class_weights='mel=3,bcc=2'))
  assert specs.from_config(spec.to_json()) == spec
  assert spec.training.class_weights == (('bcc', 2.0), ('mel', 3.0))


@pytest.mark.parametrize(
    'changes, message',
    [
        ({'data__split': 'random'}, 'data.split'),
        (
            {'data__name': 'ham'},
            "data.name='ham'.*ham10000, chest_xray, folder",
        ),
        ({'data__image_size': (224, 16)}, 'at least 32'),
        ({'data__image_size': (64, 96)}, 'quarter_turns'),
        ({'data__phantom': 600, 'data__dir': 'x'}, 'data.dir'),
        ({'data__split_seed': -2}, 'data.split_seed=-2.*-1 for the seed'),
        ({'evaluation__reference_images': -1}, 'reference_images=-1.*0 or'),
        ({'model__dtype': 'float16'}, 'model.dtype'),
        ({'model__dropout': 1.0}, 'model.dropout'),
        ({'model__head_units': (256, 0)}, 'model.head_units'),
        ({'model__head_units': None}, 'model.head_units=None.*2 values'),
        ({'modifiers': None}, 'modifiers=None.*a list'),
        ({'optimizer__learning_rate': 0.0}, 'optimizer.learning_rate'),
        ({'optimizer__learning_rate': float('nan')}, 'finite'),
        ({'optimizer__weight_decay': -1.0}, 'optimizer.weight_decay'),
        ({'training__batch_size': 0}, 'training.batch_size'),
        ({'data__split': 'official'}, 'data.split.*published unsplit'),
        ({'data__folds': 2}, 'data.folds=2.*3 or more'),
        ({'data__fold': 5}, 'data.fold=5.*0 to 4'),
        ({'data__fold': -1}, 'data.fold=-1.*0 to 4'),
        ({'data__split': 'auto', 'data__fold': 1}, 'data.fold=1.*0 with'),
        ({'data__split': 'source'}, "data.test_source=''.*the source that"),
        ({'data__test_source': 'x'}, "data.test_source='x'.*data.split=source"),
        ({'data__groups': 'FILE'}, 'data.groups'),
        ({'data__name': 'folder'}, 'data.dir'),
        (
            {'data__name': 'folder', 'data__dir': 'DIR', 'data__phantom': 60},
            'data.phantom',
        ),
        ({'data__value_range': '4095'}, "data.value_range='4095'.*'0,4095'"),
        ({'data__value_range': '4095,0'}, 'data.value_range'),
        ({'data__value_range': '0,nan'}, 'data.value_range'),
        ({'data__value_range': '0,4095,1'}, 'data.value_range'),
        ({'data__subsets': 'train=A,test=B'}, "data.subsets.*give ''"),
        *(
            (
                {
                    'data__name': 'folder',
                    'data__dir': 'DIR',
                    'data__subsets': subsets,
                },
                f'data.subsets.*{message}',
            )
            for subsets, message in (
                ('Learning', "'train=Learning,test=Exam'"),
                ('learn=A,test=B', "'train=Learning,test=Exam'"),
                ('train=,test=B', "'train=Learning,test=Exam'"),
                ('train=A,', "'train=Learning,test=Exam'"),
                ('train=A,test=B,test=C', 'each subset and each folder once'),
                ('train=A,test=A/', 'each subset and each folder once'),
            )
        ),
        ({'data__levels': 'class/patient'}, 'data.levels.*one of auto'),
        ({'model__init_from': ' '}, 'model.init_from'),
        (
            {'model__init_from': 'random', 'model__transferred': 'block1'},
            'model.transferred.*not random',
        ),
        (
            {'model__init_from': 'random', 'model__inherit': 'statistics'},
            'model.inherit.*not random',
        ),
        ({'model__inherit': 'mean'}, 'model.inherit.*weights, statistics'),
        ({'baseline__trees': 0}, 'baseline.trees'),
        (
            {'training__class_weights': 'mel'},
            'none, balanced, sqrt_balanced, or',
        ),
        ({'training__class_weights': 'mel=-1'}, 'training.class_weights'),
        ({'augment__zoom': 1.5}, 'augment.zoom'),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_by_name(
    changes: dict, message: str
) -> None:
  """The message must lead to the key."""
  with pytest.raises(errors.UsageError, match=message):
    specs.from_config(_with(**changes))


def test_runs_of_before_the_cache_can_be_read() -> None:
  """Nobody trains again for a key that decides no result."""
  spec = specs.from_config(common.default())
  old = spec.to_json()
  del old['cache_dir']
  assert specs.from_config(old) == spec


def test_runs_of_before_folders_were_understood_are_read_as_they_were() -> None:
  """Their classes were the folders at the top; theirs must stay so."""
  old = specs.from_config(common.default()).to_json()
  for key in ('levels', 'subsets', 'copies', 'value_range'):
    del old['data'][key]
  data = specs.from_config(old).data
  assert (data.levels, data.subsets, data.copies) == ('class', '', 'keep')


def test_keys_of_version_0_1_are_read_by_their_names_of_today() -> None:
  """Old workdirs hold `data.sides` and `training.prefix_cache`."""
  spec = specs.from_config(common.default())
  old = spec.to_json()
  old['training']['prefix_cache'] = 'off'
  old['data']['sides'] = old['data'].pop('subsets')
  del old['training']['feature_cache']
  found = specs.from_config(old)
  assert found.training.feature_cache == 'off'
  assert found.data == spec.data


def test_values_of_version_0_1_are_read_by_their_names_of_today() -> None:
  """Old workdirs and command lines say `thesis` for two other things."""
  spec = specs.from_config(common.default())
  for old in (
      _with(data__split='thesis', model__preprocessing='thesis'),
      {**spec.to_json(), 'data': {**spec.to_json()['data'], 'split': 'thesis'}},
  ):
    assert specs.from_config(old) == spec
  assert spec.to_json()['data']['split'] == 'by_image'
  assert spec.to_json()['model']['preprocessing'] == 'tf'


def test_unknown_and_missing_keys_are_refused() -> None:
  """A misspelt key would otherwise change nothing."""
  config = specs.from_config(common.default()).to_json()
  unknown = copy.deepcopy(config)
  unknown['model']['freeze'] = True
  with pytest.raises(errors.UsageError, match='model.freeze'):
    specs.from_config(unknown)
  del config['optimizer']['momentum']
  with pytest.raises(errors.UsageError, match='optimizer.momentum'):
    specs.from_config(config)


def test_difference_names_each_key_once() -> None:
  """The refusal of another spec is only as good as its list."""
  old = specs.from_config(common.default()).to_json()
  new = specs.from_config(_with(model__dropout=0.2)).to_json()
  assert specs.difference(old, new) == ['model.dropout: 0.5 -> 0.2']
  assert not specs.difference(old, old)
