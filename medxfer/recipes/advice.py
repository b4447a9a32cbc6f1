"""Which layers to fine-tune for these images, within a budget of time.

    python -m medxfer.study --config=configs/advice.py:DATA[,PRESET,...] \\
        [--budget=60m] [--workdir=DIR] [--config.study.sizes=250,1000,all] \\
        [--config.study.arms=head,last_block,all,random] [--config.KEY=VALUE]

DATA is ham, xray or folder (with --config.data.dir=DIR). Presets are the
modifiers of `configs/DATA.py`; tuned,cpu suits two cores.

Each arm is a strategy: what trains, in which stages. The learning rate of each
is chosen among study.rates on validation images, several seeds are averaged,
and smaller parts of the training images show what more images would bring. All
runs are tested on the same images. Cheap arms and all training images come
first; an arm that the validation images call worse beyond doubt is not trained
further. `medxfer/study/advice/schedule.py` has the order.
"""

from collections.abc import Callable
import importlib

import ml_collections

from medxfer import errors
from medxfer.data import registry
from medxfer.model import architectures
from medxfer.recipes import common
from medxfer.recipes import studies
from medxfer.study import rates
from medxfer.study.advice import grid

# Strategies in the order in which equals are trained; the last is the control.
ARMS = (
    'head',
    'last_block',
    'lp_ft',
    'all',
    'gradual',
    'layer_decay',
    'auto_rgn',
    'first_last',
    'block4',
    'block3',
    'block2',
    'first_block',
    grid.CONTROL,
)
_SEEDS = (0, 1, 2)
_EPOCHS = 4  # Of phantoms: one for each stage of `gradual`.


def get_config(argument: str | None = None) -> ml_collections.ConfigDict:
  """Returns the configuration of `DATA[,PRESET...]`."""
  data, *presets = (argument or '').split(',')
  known = registry.by_recipe()
  if data not in known:
    raise errors.UsageError(
        f'unknown data set {data!r}: give --config=configs/advice.py:DATA'
        f'[,PRESET...] with one of {", ".join(known)}'
    )
  chosen = ','.join(presets)
  blocks = architectures.BY_NAME[_prepared(data, chosen).model.name].blocks
  config = studies.compose(
      chosen,
      name=f'{grid.PREFIX}{data}',
      title='What to fine-tune for '
      + ('your images' if known[data].user_folder else known[data].title),
      configure=_configure(data),
      # The control is not the last: that one has the keys of all.
      arms=[grid.CONTROL, *(a for a in ARMS[:-1] if _fits(a, len(blocks)))],
      image_size=False,
      without=('folds', 'sources', 'source_run', 'source'),
  )
  with config.unlocked():
    config.study.seeds = _SEEDS
    config.study.rates = rates.USUAL
    if config.data.phantom:
      config.training.epochs = _EPOCHS
    # All seeds share their validation and test images.
    config.data.split_seed = 0
    # Features for `unlike_training` take longer than a small training.
    config.evaluation.reference_images = 0
  return config


def _fits(arm: str, blocks: int) -> bool:
  """Whether a network of so many blocks has an arm of its own by this name."""
  number = arm.removeprefix('block')
  return not number.isdecimal() or int(number) < blocks


def _prepared(data: str, presets: str) -> ml_collections.ConfigDict:
  """Returns a run from ImageNet."""
  recipe = importlib.import_module(f'medxfer.recipes.{data}')
  arm = 'imagenet' if 'imagenet' in recipe.ARMS else 'all'
  return recipe.get_config(arm + (presets and f',{presets}'))


def _configure(data: str) -> Callable[[str], ml_collections.ConfigDict]:
  def configure(argument: str) -> ml_collections.ConfigDict:
    arm, _, presets = argument.partition(',')
    config = _prepared(data, presets)
    with config.unlocked():
      config.arm = arm
      if arm == grid.CONTROL:
        common.random_start(config)
      else:
        common.SCOPES[arm](config)
    return config

  return configure
