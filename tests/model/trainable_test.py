"""Protects the words that say what trains."""

import dataclasses

import numpy as np
import pytest

from medxfer import errors
from medxfer import spec as specs
from medxfer.model import architectures
from medxfer.model import trainable
from medxfer.recipes import common
from medxfer.training import strategy

_VGG16 = architectures.BY_NAME['vgg16']
_SHAPES = {
    **_VGG16.backbone_shapes(),
    **{name: {'kernel': (2, 2), 'bias': (2,)} for name in _VGG16.head},
}
_PARAMS = {
    layer: {leaf: np.zeros(shape) for leaf, shape in leaves.items()}
    for layer, leaves in _SHAPES.items()
}


@pytest.mark.parametrize(
    'patterns, convolutions',
    [
        ('none', 0),
        ('all', 13),
        ('block5', 3),
        ('block1,block5', 5),
        ('block1, block5', 5),
        ('block5_conv3', 1),
        ('block[45]', 6),
        (r'block\d_conv1', 5),
        ('block1,block1_conv1', 2),
        ('fc1', 0),
    ],
)
def test_patterns_choose_layers_and_the_head_always_trains(
    patterns: str, convolutions: int
) -> None:
  """Blocks, layers, lists and regular expressions."""
  chosen = trainable.resolve(patterns, _VGG16)
  assert len(chosen) == convolutions + len(_VGG16.head)
  assert chosen[-3:] == _VGG16.head
  assert list(chosen) == [n for n in _VGG16.layers if n in chosen]


@pytest.mark.parametrize(
    'patterns',
    [
        '',
        'conv',
        'block',
        'block6',
        'block1,',
        'block1,blok5',
        'block5_conv',
        '(',
        'ALL',
    ],
)
def test_what_matches_nothing_whole_is_refused(patterns: str) -> None:
  """`conv` would hit every layer if a part were enough."""
  with pytest.raises(errors.UsageError, match='model.trainable'):
    trainable.resolve(patterns, _VGG16)


def test_what_is_transferred_is_said_in_the_same_words() -> None:
  """Without the head, which always starts anew."""
  spec = specs.from_config(common.default())
  assert strategy.resolve(spec).transferred == _VGG16.convolutions
  for patterns, chosen in (
      ('none', ()),
      ('block1', ('block1_conv1', 'block1_conv2')),
  ):
    some = dataclasses.replace(
        spec, model=dataclasses.replace(spec.model, transferred=patterns)
    )
    assert strategy.resolve(some).transferred == chosen
  with pytest.raises(errors.UsageError, match='model.transferred.*block6'):
    strategy.check(
        dataclasses.replace(
            spec, model=dataclasses.replace(spec.model, transferred='block6')
        )
    )


def test_mask_count_and_table_tell_the_same_story() -> None:
  """parameters.txt, the summary and the optimizer must agree."""
  trained = trainable.resolve('block5', _VGG16)
  mask = trainable.mask(_PARAMS, trained)
  count = sum(
      leaf.size
      for layer, leaves in _PARAMS.items()
      for name, leaf in leaves.items()
      if mask[layer][name]
  )
  assert trainable.count(_PARAMS, trained) == (count, 14714688 + 18 - count)
  assert count == 3 * (9 * 512 * 512 + 512) + 18
  lines = trainable.table(_PARAMS, trained).splitlines()
  assert len(lines) == 1 + 2 * len(_VGG16.layers) + 1
  states = {line.split()[0]: line.split()[-1] for line in lines[1:-1]}
  assert states == {
      f'{layer}/{leaf}': 'trainable' if mask[layer][leaf] else 'frozen'
      for layer in mask
      for leaf in mask[layer]
  }
