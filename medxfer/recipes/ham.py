"""HAM10000: seven kinds of skin lesion, fine-tuned block by block.

    python -m medxfer.main --config=configs/ham.py:ARM[,MODIFIER...] \\
        [--workdir=DIR] [--config.KEY=VALUE ...]

Arms, the CNN columns of table 7.1 of the thesis (the head always trains):

    all          ImageNet weights, everything trains
    last_block   ImageNet weights, block 5 trains
    first_block  ImageNet weights, block 1 trains
    first_last   ImageNet weights, blocks 1 and 5 train
    head         ImageNet weights, the head alone
    block1 ... block5    ImageNet weights, this block trains
    lp_ft        ImageNet weights, the head trains, then everything
    gradual      ImageNet weights, the head, then block by block from above
    layer_decay  ImageNet weights, everything trains, lower blocks slower
    auto_rgn     ImageNet weights, everything trains, at rates by layer
    random       random weights, everything trains

and its baselines, trained on the pixels of train and validation together:

    decision_tree, random_forest

Modifiers: thesis (the default), tuned, grouped, caffe, phantom, cpu; see
`medxfer train --help`.

What they reach on the real images stands in README and `results/`.
"""

import ml_collections

from medxfer.recipes import common

MODIFIERS = common.MODIFIERS
ARMS = {**common.SCOPES, 'random': common.random_start, **common.BASELINES}


def get_config(argument: str | None = None) -> ml_collections.ConfigDict:
  """Returns the configuration of `ARM[,MODIFIER...]`."""
  return common.compose(argument, ARMS, MODIFIERS)
