"""From a run's weights and images to its predictions, and to its numbers."""

from collections.abc import Callable
import dataclasses
import functools
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from medxfer import spec as specs
from medxfer.data import augment
from medxfer.data import examples as examples_lib
from medxfer.data import pixel_sources
from medxfer.evaluation import neighbours
from medxfer.evaluation import operating_point
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import recalibration
from medxfer.evaluation import summary as summaries
from medxfer.model import params as params_lib
from medxfer.model import vgg
from medxfer.runs import calibrated
from medxfer.runs import inputs as inputs_lib
from medxfer.runs import points
from medxfer.runs import workdir
from medxfer.training import devices
from medxfer.training import epoch_steps
from medxfer.training import feeds
from medxfer.training import loop
from medxfer.training import steps

# Subset, 'val' or 'test' -> its predictions.
Scored = Callable[[str], predictions_lib.Predictions]
Step = Callable[[params_lib.Params, Any, feeds.Batch], steps.Scores]


def data(spec: specs.RunSpec, inputs: inputs_lib.Inputs) -> epoch_steps.Data:
  """Returns a run's images, kept where `data.cache` says, as pixels."""
  source = pixel_sources.make(
      spec.data.cache, inputs.decoded, spec.data.image_size
  )
  source = dataclasses.replace(source, stored=devices.replicate(source.stored))
  return epoch_steps.Data(
      source=source,
      feed=feeds.pixels(source, spec.augment, spec.model.preprocessing),
      labels=inputs.examples.labels,
      split=inputs.split,
      class_names=inputs.examples.class_names,
  )


def compile_step(
    model: vgg.VGG, spec: specs.RunSpec, images: epoch_steps.Data
) -> Step:
  """Returns what `score` needs, compiled at its first call."""
  return steps.compile_score(model, images.feed, views(spec))


def score(
    step: Step,
    params: params_lib.Params,
    spec: specs.RunSpec,
    images: epoch_steps.Data,
    rows: np.ndarray,
    what: str,
) -> steps.Scores:
  """Scores images, each exactly once.

  Args:
    step: see `compile_step`.
    params: of the network.
    spec: of the run that trained it.
    images: the run's images.
    rows: int [n], those to score.
    what: they are called, such as 'test'.

  Returns:
    Logits and features of n images, on the host.
  """
  return loop.predict(
      step,
      params,
      images.feed,
      rows,
      spec,
      f'scoring {len(rows):,} {what} images',
  )


def predictions(
    examples: examples_lib.Examples, rows: np.ndarray, logits: npt.ArrayLike
) -> predictions_lib.Predictions:
  """Returns the predictions of images.

  Args:
    examples: the table of all images.
    rows: int [n], those that were scored.
    logits: float32 [n, k].
  """
  return table(examples, rows, np.asarray(jax.nn.softmax(jnp.asarray(logits))))


def views(spec: specs.RunSpec) -> int:
  """Returns over how many views of an image a run averages."""
  if not spec.evaluation.test_time_views:
    return 1
  return augment.view_count(spec.augment)


def read(
    path: pathlib.Path, inputs: inputs_lib.Inputs, subset: str
) -> predictions_lib.Predictions:
  """Reads the predictions of a run, with the groups of its images.

  Args:
    path: its workdir.
    inputs: what it has read.
    subset: 'val' or 'test'.

  Raises:
    DataError: they are missing or damaged.
  """
  groups = {name: group for name, _, group, _ in inputs.table()}
  return workdir.Workdir(path).predictions(subset, groups)


def table(
    examples: examples_lib.Examples, rows: np.ndarray, probabilities: np.ndarray
) -> predictions_lib.Predictions:
  """Puts scores beside the images that they belong to.

  Args:
    examples: the table of all images.
    rows: int [n], those that were scored.
    probabilities: float [n, k].
  """
  return predictions_lib.Predictions(
      image_ids=tuple(examples.image_ids[i] for i in rows),
      labels=examples.labels[rows],
      probabilities=probabilities,
      class_names=examples.class_names,
      groups=tuple(examples.groups[i] for i in rows),
  )


def reference(
    step: Step,
    params: params_lib.Params,
    spec: specs.RunSpec,
    images: epoch_steps.Data,
    val: steps.Scores,
) -> neighbours.Reference | None:
  """Returns what tells how unlike the training images others are.

  Args:
    step: see `compile_step`.
    params: of the network.
    spec: of the run.
    images: the run's images; some of those that train are drawn.
    val: of the validation images.
  """
  count = spec.evaluation.reference_images
  if not count:
    return None
  train = images.split.train
  drawn = np.random.default_rng(spec.seed).permutation(train)[:count]
  found = score(step, params, spec, images, np.sort(drawn), 'training')
  return neighbours.Reference.of(
      np.asarray(found.features), np.asarray(val.features)
  )


def numbers(
    spec: specs.RunSpec,
    inputs: inputs_lib.Inputs,
    scored: Scored,
    fitted: recalibration.Calibration,
) -> dict[str, Any]:
  """Returns the part of a network's summary that follows from predictions.

  Args:
    spec: how they are evaluated.
    inputs: what the run has read.
    scored: subset -> its predictions; 'val' and 'test' are asked for.
    fitted: the calibration of the predictions.
  """
  val, test = scored('val'), scored('test')
  positive = inputs_lib.positive(spec, inputs)
  chosen = operating_point.choose(val, positive.name) if positive else None
  summary = functools.partial(
      summaries.split_summary,
      resamples=spec.evaluation.resamples,
      seed=spec.seed,
  )
  return {
      'val': summary(val),
      'test': summary(test, threshold=chosen),
      **({'threshold': chosen} if chosen else {}),
      points.KEY: points.measures(
          spec.evaluation, val, test, positive.name if positive else None
      ),
      calibrated.KEY: calibrated.described(
          fitted,
          {'val': val, 'test': test},
          resamples=spec.evaluation.resamples,
          seed=spec.seed,
      ),
  }
