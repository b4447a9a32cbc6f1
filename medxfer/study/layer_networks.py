"""The networks that a layer study looks into, before and after training."""

from collections.abc import Callable
from collections.abc import Collection
import dataclasses
import functools
import pathlib
from typing import Any

import jax
import numpy as np

from medxfer import classifier
from medxfer import console
from medxfer import spec as specs
from medxfer.evaluation import paired
from medxfer.evaluation import predictions as predictions_lib
from medxfer.layerwise import features
from medxfer.layerwise import probes
from medxfer.layerwise import transferability
from medxfer.model import params as params_lib
from medxfer.model import vgg
from medxfer.model.architectures import Architecture
from medxfer.runs import fingerprints
from medxfer.runs import inputs as inputs_lib
from medxfer.runs import scoring
from medxfer.runs import tasks
from medxfer.study import layer_arms
from medxfer.training import epoch_steps
from medxfer.training import feeds
from medxfer.training import loop
from medxfer.training import steps

# Test images whose features are compared: time and memory go by the square.
_COMPARED = 2000


@dataclasses.dataclass(frozen=True, eq=False)
class Trained:
  """A run's network at both ends of its training, with its images.

  Attributes:
    spec: of the run.
    model: its network.
    start: its parameters before the first step.
    end: those of its best epoch.
    data: the images.
    inputs: what the run has read.
    predict: compiled `predict_step`.
    describe: the compiled step of `layerwise.features`.
  """

  spec: specs.RunSpec
  model: vgg.VGG
  start: params_lib.Params
  end: params_lib.Params
  data: epoch_steps.Data
  inputs: inputs_lib.Inputs
  predict: Callable[[params_lib.Params, Any, feeds.Batch], jax.Array]
  describe: Callable[..., dict[str, jax.Array]]

  @functools.cached_property
  def images(self) -> predictions_lib.Predictions:
    """The test images, as the trained network scores them."""
    return _scored(self, self.end)


@dataclasses.dataclass(frozen=True, eq=False)
class Described:
  """What the layers of one network hold.

  Attributes:
    readings: layer -> what a probe on it makes of the test images, int [m].
    diagnostics: 'log_me' and 'h_score' -> layer -> value of train images, or
      None where it is not defined.
    features: layer -> float32 [at most 2000, channels], of test images.
  """

  readings: dict[str, np.ndarray]
  diagnostics: dict[str, dict[str, float | None]]
  features: dict[str, np.ndarray]


def needed(architecture: Architecture) -> tuple[str, str]:
  """Returns the arms from random and ImageNet's weights: ends of the scale."""
  whole = layer_arms.Arm(
      layer_arms.TUNED, layer_arms.IMAGENET, len(architecture.convolutions)
  )
  return layer_arms.BASE, whole.name


def looked_into(arms: Collection[str], architecture: Architecture) -> list[str]:
  """Returns the arms that train all layers, from random weights first."""
  whole = [
      name
      for name in arms
      if (arm := layer_arms.Arm.parse(name, architecture))
      and arm.kind == layer_arms.TUNED
      and arm.count == len(architecture.convolutions)
      and arm.source != layer_arms.OWN
  ]
  return [layer_arms.BASE, *whole] if layer_arms.BASE in arms else whole


def names(arm: str, architecture: Architecture) -> tuple[str, str]:
  """Returns what an arm's network is called before and after training.

  Args:
    arm: one of `looked_into`.
    architecture: of the network.
  """
  parsed = layer_arms.Arm.parse(arm, architecture)
  if parsed is None or parsed.kind == layer_arms.BASE:
    return layer_arms.RANDOM, layer_arms.OWN
  source = parsed.source
  return source, f'{layer_arms.TUNED}_{source}'


def load(path: pathlib.Path) -> Trained:
  """Reads a finished run and its images.

  Args:
    path: its workdir; only read.

  Raises:
    DataError: the checkpoint is damaged, or images or weights are not those
      of the run.
  """
  trained = classifier.load(path)
  spec, model = trained.spec, trained.network.model
  inputs = inputs_lib.read(spec, path)
  fingerprints.refuse_other(path, inputs)
  data = scoring.data(spec, inputs)
  return Trained(
      spec,
      model,
      tasks.start_params(spec, inputs),
      trained.network.weights.params,
      data,
      inputs,
      steps.compile_predict(model, data.feed),
      features.compile_step(model, data.feed),
  )


def describe(
    trained: Trained, params: params_lib.Params, name: str
) -> Described:
  """Reads what each layer holds, in one pass over train and test images.

  Args:
    trained: the run whose images and pixels these are.
    params: of a network of its shape.
    name: what it is called.
  """
  data, split = trained.data, trained.data.split
  found = loop.predict(
      trained.describe,
      params,
      data.feed,
      np.concatenate([split.train, split.test]),
      trained.spec,
      'all layers',
  )
  labels, n = data.labels[split.train], len(split.train)
  compared = (
      n
      + np.random.default_rng(trained.spec.seed).permutation(len(split.test))[
          :_COMPARED
      ]
  )
  console.line(
      f'{name}: probes of {len(found)} layers, {n:,} images to train on, '
      f'{len(split.test):,} to test'
  )
  return Described(
      readings={
          name: probes.predict(x[:n], labels, x[n:])
          for name, x in found.items()
      },
      diagnostics={
          'log_me': {
              name: transferability.log_me(x[:n], labels)
              for name, x in found.items()
          },
          'h_score': {
              name: transferability.h_score(x[:n], labels)
              for name, x in found.items()
          },
      },
      features={name: x[compared] for name, x in found.items()},
  )


def put_back(trained: Trained) -> dict[str, dict[str, Any]]:
  """Puts one layer after the other back to what it was before training.

  Matsoukas et al., 'What makes transfer learning work for medical images'
  (arXiv 2203.01825), after Zhang et al., 'Are all layers created equal?'
  (arXiv 1902.01996): a layer that can go back need not have been trained.

  Returns:
    Layer -> 'difference', the macro F1 that is lost, and its 'interval'.
  """
  found = {}
  for name in trained.model.architecture.convolutions:
    other = _scored(
        trained, {**trained.end, name: trained.start[name]}, f'{name} put back'
    )
    found[name] = paired.compare(
        trained.images,
        other,
        seed=trained.spec.seed,
        resamples=trained.spec.evaluation.resamples,
    )['f1_macro']
  return found


def _scored(
    trained: Trained, params: params_lib.Params, title: str = 'scoring test'
) -> predictions_lib.Predictions:
  data = trained.data
  logits = loop.predict(
      trained.predict, params, data.feed, data.split.test, trained.spec, title
  )
  return scoring.predictions(trained.inputs.examples, data.split.test, logits)
