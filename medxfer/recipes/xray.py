"""Chest X-rays: normal or pneumonia, from three starts.

    python -m medxfer.main --config=configs/xray.py:ARM[,MODIFIER...] \\
        [--workdir=DIR] [--config.KEY=VALUE ...]

Arms (what the network starts from; everything trains):

    imagenet   ImageNet weights
    random     random weights
    ham        a finished run on HAM10000, as the thesis transfers its networks:
               name its workdir with --config.model.init_from=WORKDIR

and baselines, trained on the pixels of train and validation together:

    decision_tree, random_forest

Modifiers: last_block, first_block, first_last, head, block1 to block5 (these
layers alone train; the head always does), lp_ft, gradual, layer_decay,
auto_rgn (see configs/ham.py), all (the default); official (the published
train/ and test/ instead of 60/20/20 of all images; validation is cut from
train by patient, with or without grouped), and those of
`medxfer train --help`: thesis (the default), tuned, grouped, caffe, phantom,
cpu.

Left and right may be swapped, as in the thesis, but a chest has an up: no
vertical flips, no quarter turns.
"""

import ml_collections

from medxfer.recipes import common

ARMS = {
    'imagenet': lambda config: config.model.update(init_from='imagenet'),
    'random': common.random_start,
    # Nothing is guessed: the specification asks for the workdir.
    'ham': lambda config: config.model.update(init_from=''),
    **common.BASELINES,
}
MODIFIERS = {**common.MODIFIERS, **common.SCOPES, 'official': common.official}


def get_config(argument: str | None = None) -> ml_collections.ConfigDict:
  """Returns the configuration of `ARM[,MODIFIER...]`."""
  config = common.compose(argument, ARMS, MODIFIERS)
  config.data.name = 'chest_xray'
  config.augment.update(vertical_flip=False, quarter_turns=False)
  return config
