"""The one default configuration: every key, and what it means.

Arms and modifiers override a few of these keys; the command line overrides
any of them: --config.training.epochs=10.
"""

from collections.abc import Callable
from collections.abc import Mapping

import ml_collections

from medxfer import errors
from medxfer.model import architectures
from medxfer.recipes import defaults

Change = Callable[[ml_collections.ConfigDict], None]


def default() -> ml_collections.ConfigDict:
  """Returns the recipe of the thesis (chapter 6), all layers trained."""
  return ml_collections.ConfigDict(defaults.DEFAULT)


# Our best recipe so far. Adam moves every weight by about the learning rate,
# and the kernels of VGG-16 are of the order of 0.01: at 5e-4 block 5 forgets
# what it knew within an epoch (validation accuracy .67, the majority class,
# against .71 at 1e-4). The new head is slow at that rate: at ten times it,
# `last_block` comes to a validation macro F1 of .55, not .34 (32 pixels, ten
# epochs).
def _tuned(config: ml_collections.ConfigDict) -> None:
  config.model.update(
      preprocessing='caffe', dropout=0.3, initializer='he_normal'
  )
  config.optimizer.update(
      name='adamw',
      learning_rate=1e-3,
      backbone_factor=0.1,
      weight_decay=1e-4,
      schedule='cosine',
      gradient_clip=1.0,
  )
  config.training.update(
      epochs=30, class_weights='sqrt_balanced', monitor='f1_macro'
  )


# What two cores finish in minutes where layers are frozen.
def _cpu(config: ml_collections.ConfigDict) -> None:
  config.data.image_size = (64, 64)
  # Two views per image: what frozen layers make of them is computed once.
  config.augment.update(
      vertical_flip=False, quarter_turns=False, zoom=0.0, brightness=0.0
  )
  config.training.epochs = 6


def _phantom(config: ml_collections.ConfigDict) -> None:
  config.data.phantom = 600
  # 360 images are few steps otherwise; and two or three validation images of
  # a rare class make their mean F1 a game of chance.
  config.training.update(batch_size=16, monitor='accuracy')


def official(config: ml_collections.ConfigDict) -> None:
  """Tests on what was published as test; after `grouped` in a table."""
  grouped = '_grouped' if config.data.split == 'grouped' else ''
  config.data.split = f'official{grouped}'


def _architecture(name: str) -> Change:
  return lambda config: config.model.update(name=name)


def _blocks(*places: int) -> Change:
  """Returns the change that trains the blocks at these places."""

  def change(config: ml_collections.ConfigDict) -> None:
    blocks = tuple(architectures.BY_NAME[config.model.name].blocks)
    if max(places) >= len(blocks):
      raise errors.UsageError(
          f'{config.arm}: {config.model.name} has {len(blocks)} blocks'
      )
    config.model.trainable = ','.join(blocks[place] for place in places)

  return change


def _stages(config: ml_collections.ConfigDict, *stages: str) -> None:
  config.training.stages = ','.join(stages)
  config.model.trainable = 'all'


# The head, then one block more in each stage, from above; the rest at last.
def _gradual(config: ml_collections.ConfigDict) -> None:
  *_, lower, last = architectures.BY_NAME[config.model.name].blocks
  _stages(config, 'head:1', f'{last}:1', f'{lower}+{last}:1', 'all:1')


def _auto_rgn(config: ml_collections.ConfigDict) -> None:
  config.optimizer.update(relative_gradient=True, backbone_factor=1.0)


# In the order in which they are applied, whatever the command's order.
MODIFIERS = {
    # The network; the default needs no name.
    **{
        name: _architecture(name)
        for name in architectures.BY_NAME
        if name != defaults.DEFAULT['model']['name']
    },
    # The recipe is the default, said aloud.
    'thesis': lambda config: config.data.update(split='by_image'),
    'tuned': _tuned,
    'grouped': lambda config: config.data.update(split='grouped'),
    'caffe': lambda config: config.model.update(preprocessing='caffe'),
    'phantom': _phantom,
    'cpu': _cpu,
}

# What trains; the head always does.
SCOPES = {
    'all': lambda config: config.model.update(trainable='all'),
    'last_block': _blocks(-1),
    'first_block': _blocks(0),
    'first_last': _blocks(0, -1),
    'head': lambda config: config.model.update(trainable='none'),
    # One block and the head (Lee et al., ICLR 2023).
    **{f'block{i + 1}': _blocks(i) for i in range(5)},
    # The head, then all layers (Kumar et al., ICLR 2022).
    'lp_ft': lambda config: _stages(config, 'head:1', 'all:1'),
    'gradual': _gradual,
    # Lower blocks learn more slowly.
    'layer_decay': lambda config: config.optimizer.update(layer_decay=0.5),
    'auto_rgn': _auto_rgn,
}

# Of each row one at most: recipes, scopes.
_EXCLUSIVE = (('thesis', 'tuned'), tuple(SCOPES), tuple(architectures.BY_NAME))


def random_start(config: ml_collections.ConfigDict) -> None:
  """Begins with random kernels: nothing was pretrained, nothing is known.

  Caffe's pixels, of the order of 100, belong to pretrained kernels alone:
  through He's kernels they make logits of the same order, and the first
  epoch is spent on shrinking them (training loss 2.37, against 1.57). Nor has
  the head more to learn than the rest: all learn at the convolutions' rate
  (validation loss .748, against .768 where the head goes ten times as fast).
  In a study this start keeps pixels and rates, whatever is set for all arms.
  """
  config.model.init_from = 'random'
  config.optimizer.learning_rate *= config.optimizer.backbone_factor
  config.optimizer.backbone_factor = 1.0
  if 'caffe' not in config.modifiers:
    config.model.preprocessing = 'tf'


def _baseline(name: str) -> Change:
  def change(config: ml_collections.ConfigDict) -> None:
    config.model.name = name
    config.model.init_from = 'random'
    # Whatever the modifiers say: with 224x224 pixels a tree takes hours.
    config.data.image_size = (64, 64)

  return change


# Classifiers of pixels (section 6.1 of the thesis).
BASELINES = {
    'decision_tree': _baseline('decision_tree'),
    'random_forest': _baseline('random_forest'),
}


def compose(
    argument: str | None,
    arms: Mapping[str, Change],
    modifiers: Mapping[str, Change],
    *,
    split: str = 'by_image',
) -> ml_collections.ConfigDict:
  """Returns the locked configuration that `ARM[,MODIFIER...]` asks for.

  Args:
    argument: what follows the colon in `--config=FILE:ARGUMENT`.
    arms: name -> change of the default configuration.
    modifiers: name -> change, applied in the order of this mapping.
    split: where no modifier names one.

  Raises:
    UsageError: the arm or a modifier is missing, unknown or contradictory.
  """
  arm, *chosen = (argument or '').split(',')
  if arm not in arms:
    raise errors.UsageError(
        f'unknown arm {arm!r}: give --config=FILE:ARM[,MODIFIER...] with one '
        f'of the arms {", ".join(arms)}'
    )
  for name in chosen:
    if name not in modifiers:
      raise errors.UsageError(
          f'unknown modifier {name!r}; modifiers are {", ".join(modifiers)}'
      )
  for names in _EXCLUSIVE:
    both = [name for name in names if name in chosen]
    if len(both) > 1:
      raise errors.UsageError(
          f'modifiers {" and ".join(both)} exclude each other: choose one'
      )
  config = default()
  config.data.split = split
  config.arm = arm
  config.modifiers = tuple(name for name in modifiers if name in chosen)
  for change in [*(modifiers[name] for name in config.modifiers), arms[arm]]:
    change(config)
  return config.lock()
