"""Table 7.2 of the thesis: chest X-rays, five classifiers side by side.

    python -m medxfer.study --config=configs/table_7_2.py[:PRESET,...] \\
        [--workdir=DIR] [--config.study.seeds=0,1,2] [--config.KEY=VALUE ...] \\
        [--config.study.source_run=HAM10000_RUN]

Presets are the modifiers of `configs/xray.py`: thesis (the default), tuned,
grouped, official, caffe, cpu, phantom and the scopes. The arm `ham` starts
from a finished run on HAM10000; if none is named, the study trains it first
(all layers, same presets; its keys are `--config.study.source.KEY`).
"""

import ml_collections

from medxfer.recipes import common
from medxfer.recipes import ham
from medxfer.recipes import studies
from medxfer.recipes import xray

# In the thesis' order.
ARMS = ('decision_tree', 'random_forest', 'random', 'imagenet', 'ham')


def get_config(presets: str | None = None) -> ml_collections.ConfigDict:
  """Returns the configuration of the study."""
  known = studies.source_presets(presets, tuple(common.MODIFIERS))
  return studies.compose(
      presets,
      name='table_7_2',
      title='F1-scores on chest X-rays',
      configure=xray.get_config,
      arms=ARMS,
      source=ham.get_config(f'all{known}'),
  )
