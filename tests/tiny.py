"""A run small enough to be repeated: 50 phantoms of 32 pixels, seconds."""

from medxfer.recipes import ham


def config(phantoms, arm='head'):
  """Returns a configuration that trains in seconds, from random weights."""
  tiny = ham.get_config(f'{arm},phantom')
  tiny.data.update(dir=str(phantoms), phantom=0, image_size=(32, 32))
  tiny.model.update(init_from='random', head_units=(16, 16))
  tiny.optimizer.update(name='adamw', learning_rate=1e-3)
  tiny.training.update(batch_size=8, epochs=3)
  tiny.evaluation.update(batch_size=16, resamples=50)
  return tiny
