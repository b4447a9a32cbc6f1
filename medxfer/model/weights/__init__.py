"""Reading, verifying, converting and writing the weights of a network.

  from medxfer.model import architectures
  from medxfer.model import weights
  vgg16 = architectures.BY_NAME['vgg16']
  imagenet = weights.read(weights.locate(None, vgg16), vgg16)
  weights.write(imagenet, pathlib.Path('vgg16.safetensors'))

Nothing here imports JAX, TensorFlow or Keras, opens a pickle, or connects to
the network.
"""

from medxfer.model.weights.locating import locate
from medxfer.model.weights.metadata import Contract
from medxfer.model.weights.metadata import describe
from medxfer.model.weights.metadata import TensorSpec
from medxfer.model.weights.metadata import Weights
from medxfer.model.weights.official import describe as origin
from medxfer.model.weights.official import recognise
from medxfer.model.weights.reading import read
from medxfer.model.weights.verifying import verify
from medxfer.model.weights.writing import write

__all__ = [
    'Contract',
    'TensorSpec',
    'Weights',
    'describe',
    'locate',
    'origin',
    'read',
    'recognise',
    'verify',
    'write',
]
