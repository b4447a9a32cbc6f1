"""Protects the configurations: arms, modifiers and their refusals."""

import pytest

from configs import common
from configs import ham
from medxfer import errors
from medxfer import spec as specs
from medxfer.model import layers
from medxfer.model import trainable

_B = {block: set(names) for block, names in layers.BLOCKS.items()}
_ARMS = {
    'all': set(layers.CONVOLUTIONS),
    'last_block': _B['block5'],
    'first_block': _B['block1'],
    'first_last': _B['block1'] | _B['block5'],
    'head': set(),
    'random': set(layers.CONVOLUTIONS),
}


@pytest.mark.parametrize('arm', ham.ARMS)
def test_every_arm_trains_what_the_thesis_says(arm):
  """Table 7.1: a column must not train another column's layers."""
  spec = specs.from_config(ham.get_config(arm))
  trained = set(trainable.resolve(spec.model.trainable))
  assert trained == _ARMS[arm] | set(layers.HEAD)
  assert (spec.model.init_from == 'random') == (arm == 'random')


@pytest.mark.parametrize('modifier', common.MODIFIERS)
@pytest.mark.parametrize('arm', ham.ARMS)
def test_every_arm_takes_every_modifier(arm, modifier):
  """No combination may build a configuration that is refused later."""
  spec = specs.from_config(ham.get_config(f'{arm},{modifier}'))
  assert spec.arm == arm and spec.modifiers == (modifier,)


def test_the_default_is_the_thesis():
  """Section 6.2: SGD 1e-4, [-1, 1], 60/20/20 by image, patience 5."""
  spec = specs.from_config(ham.get_config('all'))
  assert (spec.optimizer.name, spec.optimizer.learning_rate) == ('sgd', 1e-4)
  assert spec.model.preprocessing == 'thesis'
  assert spec.data.split == 'thesis' and spec.data.image_size == (224, 224)
  assert spec.training.patience == 5
  thesis = specs.from_config(ham.get_config('all,thesis'))
  assert not [line for line in specs.difference(
      spec.to_json(), thesis.to_json()) if not line.startswith('modifiers')]


def test_the_order_of_modifiers_does_not_matter():
  """cpu,tuned and tuned,cpu must be one experiment."""
  assert (specs.from_config(ham.get_config('all,cpu,tuned,grouped'))
          == specs.from_config(ham.get_config('all,grouped,tuned,cpu')))


@pytest.mark.parametrize('argument, message', [
    (None, 'all, last_block'), ('', 'all, last_block'), ('al', 'unknown arm'),
    ('all,tunned', 'unknown modifier .tunned.; modifiers are thesis'),
    ('all,', 'unknown modifier'), ('all,thesis,tuned', 'exclude each other'),
])
def test_an_unknown_name_is_refused_with_what_is_allowed(argument, message):
  """A run of the wrong arm costs hours before it is noticed."""
  with pytest.raises(errors.UsageError, match=message):
    ham.get_config(argument)
