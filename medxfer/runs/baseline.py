"""A baseline on pixels: one fit, its test scores, no checkpoint."""

import pathlib
import time
from typing import Any

from medxfer import baselines
from medxfer import console
from medxfer import spec as specs
from medxfer.evaluation import summary as summaries
from medxfer.runs import calibrated
from medxfer.runs import convergence
from medxfer.runs import inputs as inputs_lib
from medxfer.runs import points
from medxfer.runs import scoring
from medxfer.runs import workdir


def run(
    path: pathlib.Path, spec: specs.RunSpec, inputs: inputs_lib.Inputs
) -> dict[str, Any]:
  """Trains and scores a tree or a forest.

  A run that was killed starts again: the fit is one call of scikit-learn, and
  what it has learned is never pickled.

  Args:
    path: the workdir, held by this process.
    spec: what to do.
    inputs: what it reads; no image validates.

  Returns:
    What its summary says of training and test, with the keys of a network.

  Raises:
    UsageError: the images would fill the memory.
  """
  examples, split = inputs.examples, inputs.split
  height, width = spec.data.image_size
  forest = spec.model.name == 'random_forest'
  console.line(
      f'{spec.model.name}: '
      f'{f"{spec.baseline.trees} trees, " if forest else ""}'
      f'{len(split.train):,} images, squeezed to {height}x{width} pixels: '
      f'{baselines.values(spec.data.image_size):,} {spec.baseline.pixels} '
      'values each'
  )
  pixels = inputs.decoded.pixels
  assert pixels is not None  # `inputs.read` refuses what memory cannot hold.
  started = time.monotonic()
  fitted = baselines.fit(
      spec,
      pixels[split.train],
      examples.labels[split.train],
      inputs_lib.class_weights(spec.training, inputs),
  )
  seconds = time.monotonic() - started
  grown = baselines.describe(fitted)
  folder = workdir.Workdir(path)
  folder.write_parameters(grown)
  console.line(
      f'grown in {seconds:.0f} s: '
      + ', '.join(' '.join(line.split()) for line in grown.splitlines())
  )
  test = scoring.table(
      examples, split.test, baselines.probabilities(fitted, pixels[split.test])
  )
  folder.write_predictions('test', test)
  return {
      **numbers(spec, inputs, {'test': test}.__getitem__),
      'best_epoch': None,
      'epochs_run': 0,
      'stopped_early': False,
      'train_seconds': seconds,
      'images_per_second': len(split.train) / seconds,
      'trainable_parameters': None,
      'frozen_parameters': None,
  }


def numbers(
    spec: specs.RunSpec, inputs: inputs_lib.Inputs, scored: scoring.Scored
) -> dict[str, Any]:
  """Returns the part of the summary that follows from predictions.

  Args:
    spec: how they are evaluated.
    inputs: what the run has read.
    scored: subset -> its predictions; 'test' is asked for.
  """
  del inputs
  scores = summaries.split_summary(
      scored('test'), resamples=spec.evaluation.resamples, seed=spec.seed
  )
  return {
      'val': None,
      'test': scores,
      calibrated.KEY: None,
      points.KEY: None,  # Nothing chooses a threshold.
      'training_notes': convergence.of_scores(scores, 'test'),
  }
