"""HAM10000: seven kinds of skin lesion, fine-tuned block by block.

    python -m medxfer.main --config=configs/ham.py:ARM[,MODIFIER...] \\
        --workdir=DIR [--config.KEY=VALUE ...]

Arms, the CNN columns of table 7.1 of the thesis (the head always trains):

    all          ImageNet weights, everything trains
    last_block   ImageNet weights, block 5 trains
    first_block  ImageNet weights, block 1 trains
    first_last   ImageNet weights, blocks 1 and 5 train
    head         ImageNet weights, the head alone
    random       random weights, everything trains

and its baselines, trained on the pixels of train and validation together:

    decision_tree, random_forest

Modifiers: thesis (the default), tuned, grouped, caffe, phantom, cpu; see
`configs/common.py`.

Measured on all 10,015 real images with two CPU cores (test side, 95 %
bootstrap intervals by lesion; commands and summaries in `results/`):

    last_block,tuned,cpu           accuracy 0.783 (0.764-0.802)
                                   macro F1 0.508 (0.471-0.543)
                                   14 min 52 s
    last_block,tuned,cpu,grouped   accuracy 0.780 (0.757-0.803)
                                   macro F1 0.491 (0.452-0.528)
                                   14 min 25 s
"""

import ml_collections

from configs import common

ARMS = {
    **common.SCOPES,
    'random': common.random_start,
    **common.BASELINES,
}


def get_config(argument: str | None = None) -> ml_collections.ConfigDict:
  """Returns the configuration of `ARM[,MODIFIER...]`."""
  return common.compose(argument, ARMS, common.MODIFIERS)
