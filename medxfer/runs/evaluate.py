"""Scores a split again, from the checkpoint of a run."""

from collections.abc import Sequence
import dataclasses
import pathlib
from typing import Any

from medxfer import classifier
from medxfer import console
from medxfer import errors
from medxfer import files
from medxfer.evaluation import summary as summaries
from medxfer.runs import averages
from medxfer.runs import fingerprints
from medxfer.runs import inputs as inputs_lib
from medxfer.runs import scoring
from medxfer.runs import without_copies
from medxfer.runs import workdir


def evaluate(
    paths: Sequence[pathlib.Path],
    subset: str,
    *,
    output: pathlib.Path | None = None,
    data_dir: str | None = None,
) -> dict[str, Any]:
  """Recomputes the metrics of one subset of a run's split.

  Of several runs, the predictions that they have written are averaged.

  Args:
    paths: the workdir of a run, or those of several; only read.
    subset: 'train', 'val' or 'test'.
    output: folder for the predictions and the summary, or None to print.
    data_dir: where the images are, if not where the run read them.

  Returns:
    What `summary.split_summary` says of the subset, also at the threshold that
    a finished run of two classes has chosen.

  Raises:
    DataError: the folder is no workdir, its checkpoint is damaged, or the
      images are not those of the run.
    UsageError: the run is a baseline, which keeps no weights; or the subset
      of several is not 'test'.
  """
  if len(paths) > 1:
    return _average(paths, subset, output, data_dir)
  return _again(paths[0], subset, output, data_dir)


def _again(
    path: pathlib.Path,
    subset: str,
    output: pathlib.Path | None,
    data_dir: str | None,
) -> dict[str, Any]:
  """Returns the metrics of the images of a run, scored once more."""
  trained = classifier.load(path)
  spec = trained.spec
  if data_dir:
    spec = dataclasses.replace(
        spec, data=dataclasses.replace(spec.data, dir=data_dir)
    )
  inputs = inputs_lib.read(spec, path)
  fingerprints.refuse_other(path, inputs)
  network, images = trained.network, scoring.data(spec, inputs)
  rows = images.split.rows(subset)
  step = scoring.compile_step(network.model, spec, images)
  found = scoring.score(step, network.params, spec, images, rows, subset)
  scored = scoring.predictions(inputs.examples, rows, found.logits)
  threshold = _threshold(path, subset)
  summary = summaries.split_summary(
      scored,
      resamples=spec.evaluation.resamples,
      seed=spec.seed,
      threshold=threshold,
  )
  console.line(f'{subset}, {network.weights.contract.source}:')
  console.line(summaries.table(summary))
  without = None
  if subset == 'test':
    without = without_copies.summary(spec, inputs, scored, threshold)
    without_copies.announce(inputs.leak, without)
  if output:
    output.mkdir(parents=True, exist_ok=True)
    workdir.Workdir(output).write_predictions(subset, scored)
    files.write_json(output / f'summary_{subset}.json', summary)
    if without:
      files.write_json(
          output / f'summary_{subset}_without_copies.json', without
      )
  return summary


def _average(
    paths: Sequence[pathlib.Path],
    subset: str,
    output: pathlib.Path | None,
    data_dir: str | None,
) -> dict[str, Any]:
  """Returns the metrics of the averaged predictions of several runs."""
  if subset != 'test' or data_dir:
    raise errors.UsageError(
        'several runs are averaged on the test images as they have scored '
        'them, or on images from elsewhere: leave --subset out'
    )
  found = averages.read(paths)
  spec = workdir.Workdir(paths[0]).spec()
  summary = summaries.split_summary(
      found.test,
      resamples=spec.evaluation.resamples,
      seed=spec.seed,
      threshold=found.threshold,
  )
  console.line(f'test, average of {len(paths)} runs{averages.said(found)}:')
  console.line(summaries.table(summary))
  if output:
    output.mkdir(parents=True, exist_ok=True)
    workdir.Workdir(output).write_predictions(subset, found.test)
    files.write_json(output / f'summary_{subset}.json', summary)
  return summary


def _threshold(path: pathlib.Path, subset: str) -> dict[str, Any] | None:
  """Returns the threshold of a run; none for the images that chose it."""
  folder = workdir.Workdir(path)
  if subset == 'val' or not folder.is_finished:
    return None
  return folder.summary().get('threshold')
