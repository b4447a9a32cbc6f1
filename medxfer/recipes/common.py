"""The one default configuration: every key, and what it means.

Arms and modifiers override a few of these keys; the command line overrides
any of them: --config.training.epochs=10.
"""

from collections.abc import Callable
from collections.abc import Mapping

import ml_collections

from medxfer import errors
from medxfer.model import architectures

Change = Callable[[ml_collections.ConfigDict], None]


# The recipe of the thesis (chapter 6) with all layers trained.
_DEFAULT = {
    'arm': '',  # Set from the command line's `:ARM`.
    'modifiers': (),
    'seed': 0,  # Decides the split, the order, augmentation and dropout.
    'deterministic': True,  # The same bits again; GPUs may be faster without.
    'cache_dir': '',  # Empty: $MEDXFER_CACHE, ~/.cache/medxfer; or off.
    'data': {
        'name': 'ham10000',  # Or another of `medxfer.data.registry`.
        'dir': '',  # Empty: $MEDXFER_DATA/<name>.
        'groups': '',  # Of `folder`: CSV `image,group`, as by patient.
        'phantom': 0,  # So many procedural images instead of real ones.
        'image_size': (224, 224),  # Height, width.
        # by_image; grouped; official: as published; official_grouped: the
        # published test, validation cut by group; auto: official or by_image.
        'split': 'by_image',
        'sides': '',  # Of `folder`: 'train=Learning,test=Exam'.
        'levels': 'auto',  # Of its folders, such as source/class/group.
        'copies': 'group',  # Copies stay on one side; drop; keep: as they are.
        'value_range': '',  # Of deep grey images, '0,4095'; empty: found.
        'limit': 0,  # Learn from so many images, test on all; 0: no limit.
        'on_bad_image': 'fail',  # fail, or skip: leave out and list.
        'cache': 'device',  # Pixels on the device, the host, or on disk.
    },
    'augment': {
        'horizontal_flip': True,
        'vertical_flip': True,
        'quarter_turns': True,
        'zoom': 0.1,
        'brightness': 0.1,
    },
    'model': {
        'name': 'vgg16',  # Or vgg19, decision_tree, random_forest.
        'init_from': 'imagenet',  # Or random, or a finished run's workdir.
        'transferred': 'all',  # Which convolutions start there.
        'inherit': 'weights',  # Or statistics: mean and variance alone.
        'weights': '',  # Empty: $MEDXFER_WEIGHTS, Keras' cache, a package.
        'preprocessing': 'tf',  # [-1, 1]; caffe; rescale: [0, 1].
        'trainable': 'all',  # all, none (the head), names or patterns.
        'head_units': (256, 256),
        'dropout': 0.5,
        'initializer': 'glorot_uniform',  # Of random kernels; he_normal.
        'dtype': 'float32',  # Of the computation; tf32, bfloat16 on GPUs.
    },
    # What trees see: raw, normalized ([0, 1]), or rescaled ([-1, 1]).
    'baseline': {'pixels': 'raw', 'trees': 100},
    'optimizer': {
        'name': 'sgd',
        'learning_rate': 1e-4,
        'backbone_factor': 1.0,  # Of the convolutions' learning rate.
        'momentum': 0.9,  # Of `momentum` only.
        'weight_decay': 0.0,  # Of `adamw` only.
        'schedule': 'constant',
        'gradient_clip': 0.0,  # Global norm; 0 is off.
    },
    'training': {
        'batch_size': 32,
        'epochs': 100,
        'monitor': 'accuracy',  # Of validation; or f1_macro, or loss.
        'patience': 5,  # Epochs without a better one; 0: no end.
        # none, balanced, sqrt_balanced (halfway), or 'mel=3,bcc=2'.
        'class_weights': 'none',
        'label_smoothing': 0.0,
        'prefix_cache': 'auto',  # Keep what frozen layers make; or off.
    },
    'evaluation': {
        'batch_size': 64,
        'resamples': 1000,  # Draws for tests and intervals.
        'positive': '',  # Of two classes, such as 'sick'; empty: chosen.
    },
}


def default() -> ml_collections.ConfigDict:
  """Returns the recipe of the thesis (chapter 6), all layers trained."""
  return ml_collections.ConfigDict(_DEFAULT)


# Our best recipe so far. Adam moves every weight by about the learning rate,
# and the kernels of VGG-16 are of the order of 0.01: at 5e-4 block 5 forgets
# what it knew within an epoch (validation accuracy .67, the majority class,
# against .71 at 1e-4). The new head is slow at that rate: at ten times it,
# `last_block` comes to a validation macro F1 of .55, not .34 (32 pixels, ten
# epochs).
def _tuned(config: ml_collections.ConfigDict) -> None:
  config.model.update(
      preprocessing='caffe', dropout=0.3, initializer='he_normal')
  config.optimizer.update(
      name='adamw', learning_rate=1e-3, backbone_factor=0.1,
      weight_decay=1e-4, schedule='cosine', gradient_clip=1.0)
  config.training.update(
      epochs=30, class_weights='sqrt_balanced', monitor='f1_macro')


# What two cores finish in minutes where layers are frozen.
def _cpu(config: ml_collections.ConfigDict) -> None:
  config.data.image_size = (64, 64)
  # Two views an image: what frozen layers make of them is computed once.
  config.augment.update(
      vertical_flip=False, quarter_turns=False, zoom=0.0, brightness=0.0)
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
    config.model.trainable = ','.join(blocks[place] for place in places)
  return change


# In the order in which they are applied, whatever the command's order.
MODIFIERS = {
    # The network; the default needs no name.
    **{name: _architecture(name) for name in architectures.BY_NAME
       if name != _DEFAULT['model']['name']},
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
}

# Of each row one at most: recipes, scopes.
_EXCLUSIVE = (
    ('thesis', 'tuned'), tuple(SCOPES), tuple(architectures.BY_NAME))


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
        f'of the arms {", ".join(arms)}')
  for name in chosen:
    if name not in modifiers:
      raise errors.UsageError(
          f'unknown modifier {name!r}; modifiers are {", ".join(modifiers)}')
  for names in _EXCLUSIVE:
    both = [name for name in names if name in chosen]
    if len(both) > 1:
      raise errors.UsageError(
          f'modifiers {" and ".join(both)} exclude each other: choose one')
  config = default()
  config.data.split = split
  config.arm = arm
  config.modifiers = tuple(name for name in modifiers if name in chosen)
  for change in [*(modifiers[name] for name in config.modifiers), arms[arm]]:
    change(config)
  return config.lock()
