"""From a run's weights and images to its predictions table."""

import jax
import jax.numpy as jnp
import numpy as np

from medxfer import spec as specs
from medxfer.data import examples as examples_lib
from medxfer.data import sources
from medxfer.evaluation import predictions as predictions_lib
from medxfer.model import vgg16
from medxfer.model import weights as weights_lib
from medxfer.runs import inputs as inputs_lib
from medxfer.training import feeds
from medxfer.training import loop
from medxfer.training import steps


def data(spec: specs.RunSpec, inputs: inputs_lib.Inputs) -> loop.Data:
  """Returns a run's images, kept where `data.cache` says, as pixels."""
  return loop.Data(
      feed=feeds.pixels(
          sources.make(spec.data.cache, inputs.decoded, spec.data.image_size),
          spec.augment, spec.model.preprocessing),
      labels=inputs.examples.labels,
      split=inputs.split,
      class_names=inputs.examples.class_names,
  )


def score(
    spec: specs.RunSpec,
    weights: weights_lib.Weights,
    images: loop.Data,
    examples: examples_lib.Examples,
    side: str,
) -> predictions_lib.Predictions:
  """Scores every image of one side exactly once.

  Args:
    spec: of the run that trained the weights.
    weights: with a head.
    images: the run's images.
    examples: their table.
    side: 'train', 'val' or 'test'.
  """
  rows = images.split.rows(side)
  model = vgg16.build(spec.model, len(weights.contract.classes))
  step = steps.compile_predict(model, images.feed)
  logits = loop.predict(
      step, weights.params, images.feed, rows, spec.evaluation.batch_size,
      f'scoring {side}')
  return predictions_lib.Predictions(
      image_ids=tuple(examples.image_ids[i] for i in rows),
      labels=examples.labels[rows],
      probabilities=np.asarray(jax.nn.softmax(jnp.asarray(logits))),
      class_names=examples.class_names,
      groups=tuple(examples.groups[i] for i in rows),
  )
