"""Reading, verifying, converting and writing the weights of VGG-16.

  from medxfer.model import weights
  imagenet = weights.read(weights.locate(None))
  weights.write(imagenet, pathlib.Path('vgg16.npz'))

Nothing here imports JAX, TensorFlow or Keras, opens a pickle, or reaches for
the network.
"""

from medxfer.model.weights.locating import locate
from medxfer.model.weights.metadata import Contract
from medxfer.model.weights.metadata import describe
from medxfer.model.weights.metadata import TensorSpec
from medxfer.model.weights.metadata import Weights
from medxfer.model.weights.official import recognise
from medxfer.model.weights.reading import read
from medxfer.model.weights.verifying import verify
from medxfer.model.weights.writing import write

__all__ = [
    'Contract', 'TensorSpec', 'Weights', 'describe', 'locate', 'read',
    'recognise', 'verify', 'write',
]
