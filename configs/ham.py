"""HAM10000: seven kinds of skin lesion, fine-tuned block by block.

    python -m medxfer.main --config=configs/ham.py:ARM[,MODIFIER...] \\
        --workdir=DIR [--config.KEY=VALUE ...]

The arms are columns of table 7.1 of the thesis; the head always trains.
"""

import ml_collections

from configs import common

ARMS = {
    'all': lambda c: c.model.update(trainable='all'),
    'last_block': lambda c: c.model.update(trainable='block5'),
    'first_block': lambda c: c.model.update(trainable='block1'),
    'first_last': lambda c: c.model.update(trainable='block1,block5'),
    'head': lambda c: c.model.update(trainable='none'),
    'random': lambda c: c.model.update(trainable='all', init_from='random'),
}


def get_config(argument: str | None = None) -> ml_collections.ConfigDict:
  """Returns the configuration of `ARM[,MODIFIER...]`."""
  return common.compose(argument, ARMS, common.MODIFIERS)
