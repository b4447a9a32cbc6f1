"""Protects what all layers are described by: the mean of every channel."""

import jax
import numpy as np

from configs import common
from medxfer import spec as specs
from medxfer.data import sources
from medxfer.layerwise import features
from medxfer.model import layers
from medxfer.model import preprocessing
from medxfer.model import vgg16
from medxfer.training import feeds

_PIXELS = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8)


def test_every_layer_is_averaged_over_the_image():
  """In the order of the rows, less the padding of the last batch."""
  spec = specs.from_config(common.default())
  model = vgg16.VGG16(classes=3)
  images = preprocessing.preprocess(_PIXELS, 'caffe')
  params = model.init(jax.random.key(0), images)['params']
  _, activations = model.apply({'params': params}, images)
  source = sources.Source(None, lambda rows: (_PIXELS[b] for b in rows))
  describe = features.pooled(
      model, feeds.pixels(source, spec.augment, 'caffe'))
  rows = np.array([3, 0, 4, 1, 2])
  found = describe(params, rows, 2)
  assert list(found) == list(layers.CONVOLUTIONS)
  for name, values in found.items():
    assert values.shape == (5, layers.WIDTHS[name])
    expected = np.asarray(activations[name]).mean((1, 2))[rows]
    np.testing.assert_allclose(
        values, expected, rtol=1e-4, atol=1e-5 * expected.max())
