"""Table 7.1 of the thesis: HAM10000, seven classifiers side by side.

    python -m medxfer.study --config=configs/table_7_1.py[:PRESET,...] \\
        [--workdir=DIR] [--config.study.seeds=0,1,2] [--config.KEY=VALUE ...]

Presets are the modifiers of `configs/ham.py`: thesis (the default), tuned,
grouped, caffe, cpu, and phantom, which here is so small that it only shows
that everything works. Any key of a run is set for all arms.
"""

import ml_collections

from medxfer.recipes import ham
from medxfer.recipes import studies

# In the thesis' order.
ARMS = (
    'decision_tree',
    'random_forest',
    'random',
    'all',
    'last_block',
    'first_block',
    'first_last',
)


def get_config(presets: str | None = None) -> ml_collections.ConfigDict:
  """Returns the configuration of the study."""
  return studies.compose(
      presets,
      name='table_7_1',
      title='F1-scores on HAM10000',
      configure=ham.get_config,
      arms=ARMS,
  )
