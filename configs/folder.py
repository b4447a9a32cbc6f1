"""Images of your own: a folder a class, fine-tuned block by block.

    python -m medxfer.main --config=configs/folder.py:ARM[,MODIFIER...] \\
        --config.data.dir=DIR --workdir=DIR [--config.KEY=VALUE ...]

DIR holds CLASS/*.jpg ..., or train/, test/ and perhaps val/ with CLASS/*.jpg
... in each. Images of one patient are kept on one side by
--config.data.groups=FILE, a CSV file `image,group`, and the modifier grouped.

Arms (the head always trains):

    all          ImageNet weights, everything trains
    last_block   ImageNet weights, block 5 trains
    first_block  ImageNet weights, block 1 trains
    first_last   ImageNet weights, blocks 1 and 5 train
    head         ImageNet weights, the head alone
    random       random weights, everything trains

and baselines, trained on the pixels of train and validation together:

    decision_tree, random_forest

Modifiers: official (DIR's train/, val/ and test/ instead of 60/20/20 of all
images; without val/ a fifth of train/ validates), and those of
`configs/common.py`: thesis (the default), tuned, grouped, caffe, cpu.

Training images are flipped and turned any way up. Where that changes what they
show: --config.augment.vertical_flip=False --config.augment.quarter_turns=False
"""

import ml_collections

from configs import common
from configs import ham

ARMS = ham.ARMS
MODIFIERS = {
    # No look-alikes: nobody knows what your images show.
    **{name: change for name, change in common.MODIFIERS.items()
       if name != 'phantom'},
    'official': lambda config: config.data.update(split='official'),
}


def get_config(argument: str | None = None) -> ml_collections.ConfigDict:
  """Returns the configuration of `ARM[,MODIFIER...]`."""
  config = common.compose(argument, ARMS, MODIFIERS)
  config.data.name = 'folder'
  return config
