"""How far the pretrained network could be cut: a probe on each layer.

Peng et al., 'Rethinking transfer learning for medical image classification'
(BMVC 2023), cut networks after the layers that transfer. Here a linear probe
reads each convolution of ImageNet's network, untouched: validation images say
which is the first layer that loses no more than the margin to the best one.
"""

from collections.abc import Mapping
import pathlib
from typing import Any

import numpy as np

from medxfer import console
from medxfer.evaluation import predictions as predictions_lib
from medxfer.layerwise import probes
from medxfer.model import operations
from medxfer.runs import scoring
from medxfer.study import layer_networks
from medxfer.study.advice import grid as grids
from medxfer.training import loop


def measure(path: pathlib.Path) -> dict[str, Any]:
  """Reads each layer of the network that a run began with.

  Args:
    path: the workdir of a finished run from pretrained weights, on all
      training images.

  Returns:
    `layers`: convolution -> `validation` (macro F1), `test` (`f1_macro` and
    `interval`) and `operations` (fraction of those of all convolutions);
    `best` and `cut`: the names of two of them, as validation chose.

  Raises:
    DataError: images, weights or the checkpoint are damaged, or not those of
      the run.
  """
  trained = layer_networks.load(path)
  split, labels = trained.data.split, trained.data.labels
  console.line('how far the network could be cut: a probe on each layer')
  found = loop.predict(
      trained.describe,
      trained.start,
      trained.data.feed,
      np.concatenate([split.train, split.val, split.test]),
      trained.spec,
      'all layers',
  )
  n, m = len(split.train), len(split.val)
  images = {
      subset: _images(trained, split.rows(subset)) for subset in ('val', 'test')
  }
  shares = _shares(trained)
  layers = {}
  for name, x in found.items():
    read = probes.predict(x[:n], labels[split.train], x[n:])
    layers[name] = {
        'validation': probes.score(images['val'], read[:m])['f1_macro'],
        'test': probes.score(images['test'], read[m:]),
        'operations': shares[name],
    }
  return {'layers': layers, **_chosen(layers)}


def _chosen(layers: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
  best = max(layers, key=lambda name: layers[name]['validation'])
  enough = layers[best]['validation'] - grids.MARGIN
  cut = next(
      name for name, one in layers.items() if one['validation'] >= enough
  )
  return {'best': best, 'cut': cut}


def _shares(trained: layer_networks.Trained) -> dict[str, float]:
  """Returns convolution -> operations up to it, of those of all."""
  spec, architecture = trained.spec, trained.model.architecture
  products = operations.multiplications(
      architecture,
      spec.data.image_size,
      spec.model.head_units,
      len(trained.inputs.examples.class_names),
  )
  sums = np.cumsum([products[name] for name in architecture.convolutions])
  return dict(zip(architecture.convolutions, (sums / sums[-1]).tolist()))


def _images(
    trained: layer_networks.Trained, rows: np.ndarray
) -> predictions_lib.Predictions:
  """Returns images with groups; what they are taken for means nothing."""
  classes = len(trained.inputs.examples.class_names)
  return scoring.table(
      trained.inputs.examples, rows, np.full((len(rows), classes), 1 / classes)
  )
