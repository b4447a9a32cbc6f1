"""What the studies share: many arms of one configuration, side by side.

config.KEY                a key of every run, see `recipes/defaults.py`
config.study.arms         the columns; fewer may be asked for
config.study.seeds        each arm runs once with each
config.study.folds        each arm runs once with each of N folds; 0: the first
config.study.sources      each arm is tested on each of these sources
config.study.sizes        each arm learns from so many images
config.study.rates        factors of the learning rate: each arm has its best
config.study.elsewhere    images from elsewhere, of an advice
config.study.changes.ARM  what makes an arm what it is
config.study.source_run   a finished run for the arms that start from one;
                          empty: the study trains it first, from
config.study.source       its configuration, if an arm needs one
"""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import ml_collections

from medxfer.model import architectures

Configure = Callable[[str], ml_collections.ConfigDict]

# What tells one arm from another. A study has no such keys for all its runs:
# they would turn one arm into another under the same name.
_IDENTITY = (
    'arm',
    'seed',
    'model.name',
    'model.init_from',
    'model.trainable',
    'model.transferred',
    'model.inherit',
)


def compose(
    presets: str | None,
    *,
    name: str,
    title: str,
    configure: Configure,
    arms: Sequence[str],
    source: ml_collections.ConfigDict | None = None,
    image_size: bool = True,
    without: Sequence[str] = ('rates', 'elsewhere'),
) -> ml_collections.ConfigDict:
  """Returns the locked configuration of a study.

  Args:
    presets: `MODIFIER[,MODIFIER...]`, what follows the colon, or None.
    name: of the study.
    title: one line for its readers.
    configure: `get_config` of the arms.
    arms: names, in the order of the table's columns.
    source: configuration of the run that arms without a start begin from.
    image_size: whether `cpu` also makes images smaller.
    without: keys of `study` that this study has not.

  Raises:
    UsageError: a preset is unknown, or two contradict each other.
  """
  chosen = [p for p in (presets or '').split(',') if p]
  configs = [configure(','.join([arm, *chosen])) for arm in arms]
  for config in [*configs, *([source] if source is not None else [])]:
    _shrink(config, image_size)
  flat = [_flatten(config) for config in configs]
  # Baselines come first and squeeze their images; the last arm is a network.
  shared = flat[-1]
  config = ml_collections.ConfigDict(
      _nest(
          {key: value for key, value in shared.items() if key not in _IDENTITY}
      )
  )
  changes = {arm: _nest(_changes(own, shared)) for arm, own in zip(arms, flat)}
  _add_study(config, name, title, changes, source)
  for key in without:
    del config.study[key]
  return config.lock()


def _add_study(
    config: ml_collections.ConfigDict,
    name: str,
    title: str,
    changes: Mapping[str, Any],
    source: ml_collections.ConfigDict | None,
) -> None:
  """Adds the keys of the study; arguments as of `compose`."""
  config.study = {
      'name': name,  # Of the study; set by its recipe.
      'title': title,  # One line for its readers; set by its recipe.
      'arms': ','.join(changes),  # The columns, such as all,last_block.
      'seeds': (0,),  # Each arm runs once with each; such as 0,1,2.
      # Number of folds; each tests once, so that every image is scored. 0: one
      # run with the first of data.folds.
      'folds': 0,
      # Sources, such as clinics, left out of training and tested on, one after
      # the other: all, or names with commas. Empty: none.
      'sources': '',
      # Numbers of training images, such as 250,1000,all; each smaller part lies
      # in the larger ones. Empty: all; an advice chooses some.
      'sizes': '',
      # Factors of the learning rate that are tried for each arm; each takes
      # the one that is best on validation images of the first seed.
      'rates': (1.0,),
      # Folder or table of labelled images from elsewhere, on which an advice
      # is checked; empty: none.
      'elsewhere': '',
      # ARM.KEY: the keys that make an arm what it is.
      'changes': changes,
      # Workdir of a finished run for the arms that start from one; empty: the
      # study trains it first.
      'source_run': '',
      # KEY: configuration of the run that the study trains first.
      'source': source.to_dict() if source is not None else {},
  }


def _changes(
    own: Mapping[str, Any], shared: Mapping[str, Any]
) -> dict[str, Any]:
  """Returns the keys that make an arm what it is."""
  return {
      key: value
      for key, value in own.items()
      if key in _IDENTITY or value != shared[key]
  }


def source_presets(presets: str | None, known: Sequence[str]) -> str:
  """Returns the presets that the source's configuration knows.

  A published split of the target says nothing about the source: its honest
  counterpart there is the split by group.
  """
  chosen = [p for p in (presets or '').split(',') if p]
  if 'official' in chosen:
    chosen = [p for p in chosen if p not in ('official', 'grouped')]
    chosen.append('grouped')
  return ''.join(f',{p}' for p in chosen if p in known)


def _shrink(config: ml_collections.ConfigDict, image_size: bool) -> None:
  """Fits many runs into the time that a preset promises."""
  with config.unlocked():
    if config.data.phantom:
      # Minutes, to show that everything works.
      config.data.update(phantom=160, image_size=(32, 32))
      config.training.epochs = 2
      config.evaluation.resamples = 200
    elif 'cpu' in config.modifiers and image_size:
      # Two hours for all arms on two cores, most of them for those that
      # train every layer: a quarter of the work an image leaves time for the
      # epochs that a random start needs.
      config.training.epochs = 10
      if config.model.name in architectures.BY_NAME:
        config.data.image_size = (32, 32)


def _flatten(config: ml_collections.ConfigDict, above: str = '') -> dict:
  flat: dict[str, Any] = {}
  for key, value in config.items():
    if isinstance(value, ml_collections.ConfigDict):
      flat.update(_flatten(value, f'{above}{key}.'))
    else:
      flat[above + key] = value
  return flat


def _nest(flat: Mapping[str, Any]) -> dict[str, Any]:
  tree: dict[str, Any] = {}
  for path, value in flat.items():
    *above, key = path.split('.')
    node = tree
    for part in above:
      node = node.setdefault(part, {})
    node[key] = value
  return tree
