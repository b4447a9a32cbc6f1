"""Scores a split again, from the checkpoint of a run."""

import dataclasses
import pathlib
from typing import Any

from medxfer import console
from medxfer import files
from medxfer.evaluation import summary as summaries
from medxfer.runs import fingerprints
from medxfer.runs import inputs as inputs_lib
from medxfer.runs import scoring
from medxfer.runs import without_copies
from medxfer.runs import workdir


def evaluate(
    path: pathlib.Path,
    side: str,
    *,
    output: pathlib.Path | None = None,
    data_dir: str | None = None,
) -> dict[str, Any]:
  """Recomputes the metrics of one side of a run's split.

  Args:
    path: the run's workdir; only read.
    side: 'train', 'val' or 'test'.
    output: folder for the predictions and the summary, or None to print.
    data_dir: where the images are, if not where the run read them.

  Returns:
    What `summary.split_summary` says of the side, also at the threshold that
    a finished run of two classes has chosen.

  Raises:
    DataError: the folder is no workdir, its checkpoint is damaged, or the
      images are not those of the run.
    UsageError: the run is a baseline, which keeps no weights.
  """
  spec, weights = scoring.load(path)
  if data_dir:
    spec = dataclasses.replace(
        spec, data=dataclasses.replace(spec.data, dir=data_dir))
  inputs = inputs_lib.read(spec, path)
  fingerprints.refuse_other(path, inputs)
  images = scoring.data(spec, inputs)
  scored = scoring.score(spec, weights, images, inputs.examples, side)
  summary = summaries.split_summary(
      scored, resamples=spec.evaluation.resamples, seed=spec.seed,
      threshold=_threshold(path, side))
  console.line(f'{side}, {weights.contract.source}:')
  console.line(summaries.table(summary))
  without = None
  if side == 'test':
    without = without_copies.summary(
        spec, inputs, scored, _threshold(path, side))
    without_copies.announce(inputs.leak, without)
  if output:
    output.mkdir(parents=True, exist_ok=True)
    workdir.Workdir(output).write_predictions(side, scored)
    files.write_json(output / f'summary_{side}.json', summary)
    if without:
      files.write_json(output / f'summary_{side}_without_copies.json', without)
  return summary


def _threshold(path: pathlib.Path, side: str) -> dict[str, Any] | None:
  """Returns the threshold of a run; none for the images that chose it."""
  folder = workdir.Workdir(path)
  if side == 'val' or not folder.is_finished:
    return None
  return folder.summary().get('threshold')
