"""Images of your own, seven classifiers side by side, as in table 7.1.

    python -m medxfer.study --config=configs/table_folder.py[:PRESET,...] \\
        --config.data.dir=DIR [--workdir=DIR] [--config.data.groups=FILE] \\
        [--config.study.arms=all,last_block] [--config.study.seeds=0,1,2]

Presets are the modifiers of `configs/folder.py`: thesis (the default), tuned,
grouped, official, caffe, cpu. Any key of a run is set for all arms.
"""

import ml_collections

from medxfer.recipes import folder
from medxfer.recipes import studies
from medxfer.recipes import table_7_1


def get_config(presets: str | None = None) -> ml_collections.ConfigDict:
  """Returns the configuration of the study."""
  return studies.compose(
      presets,
      name='table_folder',
      title='F1-scores on images of your own',
      configure=folder.get_config,
      arms=table_7_1.ARMS,
  )
