"""Protects what all layers are described by: the mean of every channel."""

import jax
import numpy as np

from medxfer import spec as specs
from medxfer.data import pixel_sources
from medxfer.layerwise import features
from medxfer.model import architectures
from medxfer.model import preprocessing
from medxfer.model import vgg
from medxfer.recipes import common
from medxfer.training import feeds
from medxfer.training import loop
from medxfer.training import steps

_TINY = architectures.BY_NAME['tiny']
_PIXELS = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8)


def test_every_layer_is_averaged_over_the_image() -> None:
  """In the order of the rows, less the padding of the last batch."""
  config = common.default()
  config.evaluation.batch_size = 2
  spec = specs.from_config(config)
  model = vgg.VGG(_TINY, classes=3, head_units=(8, 8))
  images = preprocessing.preprocess(_PIXELS, 'caffe')
  params = model.init(jax.random.key(0), images)['params']
  _, activations = model.apply({'params': params}, images)
  source = pixel_sources.Source(None, lambda rows: (_PIXELS[b] for b in rows))
  feed = feeds.pixels(source, spec.augment, 'caffe')
  rows = np.array([3, 0, 4, 1, 2])
  found = loop.predict(
      features.compile_step(model, feed), params, feed, rows, spec
  )
  assert list(found) == list(_TINY.convolutions)
  for name, values in found.items():
    assert values.shape == (5, _TINY.channels[name])
    expected = np.asarray(activations[name]).mean((1, 2))[rows]
    np.testing.assert_allclose(
        values, expected, rtol=1e-4, atol=1e-5 * expected.max()
    )


def test_all_layers_cost_about_one_pass() -> None:
  """Averages are a few additions beside the convolutions: at most a tenth."""
  spec = specs.from_config(common.default())
  model = vgg.VGG(_TINY, classes=3)
  source = pixel_sources.Source(None, lambda rows: (_PIXELS[b] for b in rows))
  feed = feeds.pixels(source, spec.augment, 'caffe')
  params = jax.eval_shape(
      lambda: model.init(jax.random.key(0), np.zeros((1, 32, 32, 3)))
  )['params']
  operations = []
  for step in (
      features.compile_step(model, feed),
      steps.compile_predict(model, feed),
  ):
    compiled = step.lower(params, None, _PIXELS).compile()
    operations.append(compiled.cost_analysis()['flops'])
  assert operations[0] < 1.1 * operations[1]
