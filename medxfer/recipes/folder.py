"""Images of your own: one folder per class, fine-tuned block by block.

    python -m medxfer.main --config=configs/folder.py:ARM[,MODIFIER...] \\
        --config.data.dir=DIR [--workdir=DIR] [--config.KEY=VALUE ...]

DIR holds CLASS/*.jpg ..., CENTRE/CLASS/*.jpg ..., or CLASS/PATIENT/*.jpg ...;
all this also in train/, test/ and perhaps val/, which then are the subsets.
What was recognised is said; --config.data.levels and --config.data.subsets
overrule. Images of one patient are kept in one subset by the modifier grouped,
if they lie in a folder a patient, or --config.data.groups=FILE, a CSV file
`image,group`, names them.

Arms (the head always trains):

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

and baselines, trained on the pixels of train and validation together:

    decision_tree, random_forest

Modifiers name the split, which is as published where DIR holds subsets, and by
image (60/20/20) otherwise: official (train/, val/ and test/ as they are;
without val/ a fifth of train/ validates), grouped (60/20/20 by group),
official,grouped (test/ as it is; train/ and val/ by group), thesis (by image,
60/20/20). Others are those of `medxfer train --help`: tuned, caffe, cpu.

Training images are flipped and turned any way up. Where that changes what they
show: --config.augment.vertical_flip=False --config.augment.quarter_turns=False
"""

import ml_collections

from medxfer.recipes import common
from medxfer.recipes import ham

ARMS = ham.ARMS
MODIFIERS = {
    # No look-alikes: nobody knows what your images show.
    **{
        name: change
        for name, change in common.MODIFIERS.items()
        if name != 'phantom'
    },
    'official': common.official,
}


def get_config(argument: str | None = None) -> ml_collections.ConfigDict:
  """Returns the configuration of `ARM[,MODIFIER...]`."""
  config = common.compose(argument, ARMS, MODIFIERS, split='auto')
  config.data.name = 'folder'
  return config
