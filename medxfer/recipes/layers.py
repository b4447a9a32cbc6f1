"""Which layers are general, which specific: a study of one data set.

    python -m medxfer.study --config=configs/layers.py:DATA[,PRESET,...] \\
        [--workdir=DIR] [--config.study.source_run=WORKDIR] \\
        [--config.study.rates=0.3,1,3] [--config.study.seeds=0,1,2] \\
        [--config.KEY=VALUE ...]

DATA is ham, xray or folder. Presets are the modifiers of `configs/DATA.py`,
and by_layer: networks are cut after each convolution, not after each block.
What each arm is: `medxfer/study/layer_arms.py`.

Layers also come from the other data set (of ham: xray; of xray: ham), from a
finished run that study.source_run names; if none is named, the study trains
it first. A folder of your own has no other: name one for the arms
frozen_other_N and tuned_other_N.

All networks have one recipe but for the learning rate: each has the one of
study.rates that is best on validation images of the first seed, so that no
network wins by a rate that suits it. Their pixels are [-1, 1]: Caffe's, of the
order of 100, come through transferred layers to random ones at a scale that
these cannot learn from (blocks 1 and 2 of ImageNet frozen, HAM10000 at 32
pixels: macro F1 .11, the majority class, against .21).

With cpu they learn from 1,000 images, the source as well, and are tested on
all. On phantoms there is one rate and one seed.
"""

from collections.abc import Callable
import importlib

import ml_collections

from medxfer import errors
from medxfer.data import registry
from medxfer.model import architectures
from medxfer.recipes import common
from medxfer.recipes import studies
from medxfer.study import layer_arms
from medxfer.study import rates

_BY_LAYER = 'by_layer'
_SEEDS = (0, 1, 2)


def get_config(argument: str | None = None) -> ml_collections.ConfigDict:
  """Returns the configuration of `DATA[,PRESET...]`."""
  data, *presets = (argument or '').split(',')
  known = registry.by_recipe()
  if data not in known:
    raise errors.UsageError(
        f'unknown data set {data!r}: give --config=configs/layers.py:DATA'
        f'[,PRESET...] with one of {", ".join(known)}'
    )
  by_layer = _BY_LAYER in presets
  if by_layer:
    presets.remove(_BY_LAYER)
  chosen, other, source = ','.join(presets), known[data].other, None
  architecture = _architecture(_prepared(data, f',{chosen}' if chosen else ''))
  cuts = (
      tuple(range(1, len(architecture.convolutions) + 1))
      if by_layer
      else layer_arms.block_ends(architecture)
  )
  if other:
    other = registry.get(other).recipe
    source = _prepared(
        other, studies.source_presets(chosen, tuple(common.MODIFIERS))
    )
  arms = layer_arms.arms(architecture, (other or 'other',), cuts)
  config = studies.compose(
      chosen,
      name=f'{layer_arms.PREFIX}{data}',
      title=f'Layers that transfer to {data}',
      configure=_configure(data),
      arms=[arm.name for arm in arms],
      source=source,
      # Its curves are of one split.
      without=('folds', 'sources', 'sizes', 'elsewhere'),
  )
  if not config.data.phantom:
    config.study.update(seeds=_SEEDS, rates=rates.USUAL)
  if not other:
    config.study.arms = ','.join(
        arm.name for arm in arms if arm.source != 'other'
    )
  return config


def _prepared(data: str, presets: str) -> ml_collections.ConfigDict:
  """Returns a run from ImageNet that trains all layers.

  Args:
    data: the recipe of the data set.
    presets: `,PRESET` of each.
  """
  recipe = importlib.import_module(f'medxfer.recipes.{data}')
  arm = 'imagenet' if 'imagenet' in recipe.ARMS else 'all'
  config = recipe.get_config(arm + presets)
  if 'caffe' not in config.modifiers:
    config.model.preprocessing = 'tf'
  if 'cpu' in config.modifiers:
    config.data.limit = 1000
  return config


def _configure(data: str) -> Callable[[str], ml_collections.ConfigDict]:
  def configure(argument: str) -> ml_collections.ConfigDict:
    name, _, presets = argument.partition(',')
    config = _prepared(data, f',{presets}' if presets else '')
    config.arm = name
    _change(config.model, name, _architecture(config))
    return config

  return configure


def _architecture(
    config: ml_collections.ConfigDict,
) -> architectures.Architecture:
  return architectures.BY_NAME[config.model.name]


def _change(
    model: ml_collections.ConfigDict,
    name: str,
    architecture: architectures.Architecture,
) -> None:
  """Makes an arm of a run from ImageNet that trains all layers."""
  arm = layer_arms.Arm.parse(name, architecture)
  assert arm is not None, name
  # Of any other source the study knows where it lies.
  model.init_from = {
      '': 'random',
      layer_arms.RANDOM: 'random',
      layer_arms.IMAGENET: 'imagenet',
      layer_arms.OWN: f'arm:{layer_arms.BASE}',
  }.get(arm.source, '')
  if arm.kind == layer_arms.STATISTICS:
    model.inherit = 'statistics'
  elif arm.kind == layer_arms.LAST:
    model.trainable = layer_arms.rest(
        architecture, len(architecture.convolutions) - arm.count
    )
  elif arm.kind == layer_arms.BLOCK:
    model.trainable = list(architecture.blocks)[arm.count - 1]
  elif arm.source and arm.source != layer_arms.RANDOM:
    model.transferred = layer_arms.first(architecture, arm.count)
  if arm.kind == layer_arms.FROZEN:
    model.trainable = layer_arms.rest(architecture, arm.count)
