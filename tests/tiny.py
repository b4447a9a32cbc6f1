"""A run small enough to be repeated: 50 phantoms of 32 pixels, seconds."""

import pathlib

import ml_collections

from medxfer.recipes import ham


def config(
    phantoms: pathlib.Path, arm: str = 'head', network: str = 'tiny'
) -> ml_collections.ConfigDict:
  """Returns a configuration that trains in seconds, from random weights.

  Args:
    phantoms: their folder.
    arm: of the recipe of HAM10000.
    network: 'tiny', or 'vgg16' where VGG-16 itself is the point.
  """
  modifiers = {'tiny': 'phantom,tiny', 'vgg16': 'phantom'}[network]
  small = ham.get_config(f'{arm},{modifiers}')
  small.data.update(dir=str(phantoms), phantom=0, image_size=(32, 32))
  small.model.update(init_from='random', head_units=(16, 16))
  small.optimizer.update(name='adamw', learning_rate=1e-3)
  small.training.update(batch_size=8, epochs=3)
  small.evaluation.update(batch_size=16, resamples=50)
  return small
