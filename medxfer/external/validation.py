"""Scores a finished run on labelled images from elsewhere, and keeps that.

The result lies in RUN/external/NAME/: `external.json` (scores, and how they
compare with the run's own test images), `predictions.csv`, `images.csv` (label,
group and further columns of each image), and `skipped.csv` (what was not used,
and why).
"""

from collections.abc import Mapping
import pathlib
from typing import Any

import numpy as np

from medxfer import cache
from medxfer import classifier
from medxfer import console
from medxfer import errors
from medxfer import predictor
from medxfer.data import copies as copies_lib
from medxfer.data import copies_policy
from medxfer.data import decoded as decoded_lib
from medxfer.data import unused_files
from medxfer.evaluation import external_validation
from medxfer.evaluation import neighbours
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import recalibration
from medxfer.evaluation import summary as summaries
from medxfer.external import labelled
from medxfer.external import pixels
from medxfer.external import results
from medxfer.external import seen
from medxfer.external import words
from medxfer.runs import averages
from medxfer.runs import calibrated
from medxfer.runs import class_weights
from medxfer.runs import scoring
from medxfer.runs import subgroups
from medxfer.runs import workdir


def validate(
    trained: predictor.Predictor,
    source: pathlib.Path,
    *,
    name: str = '',
    save: bool = True,
    output: pathlib.Path | None = None,
    **options: Any,
) -> dict[str, Any]:
  """Scores labelled images that the run has never seen.

  Args:
    trained: the network of a finished run, or the average of several.
    source: see `labelled.read`, as for **options.
    name: of the place; by default that of the folder or table.
    save: whether RUN/external/NAME/ is written; an average has no such folder.
    output: a folder for the same files of an average.
    **options: of `labelled.read`.

  Returns:
    `name`, `source`, `n`, `groups` (their number, or None where nobody says),
    `classes` (images of each), `absent_classes`, `seen` {`looked`, `why`,
    `copies`}, `skipped`, `left_out`, `notes`, `scores` (see
    `evaluation.summary`), `comparison` (see `evaluation.external_validation`),
    `unlike_training` {`limit`, `share`} (of images with a percentile above
    the limit; None if the run cannot tell), `subgroups`, `runs` (their
    workdirs), and `summary_digest` of a single run.

  Raises:
    DataError: the run is not finished, all images are its own, or as of
      `labelled.read`, which raises UsageError as well.
  """
  paths = [one.path for one in trained.members]
  here = averages.read(paths)  # A run that is not finished, before any image.
  name = results.check_name(name or source.resolve().stem)
  decoded, about = _unseen(trained, _decoded(trained, source, options), source)
  examples = decoded.examples
  scores = trained.scores(decoded.pixels)
  scored = scoring.table(
      examples, np.arange(len(examples)), scores.probabilities
  )
  found = {
      'name': name,
      'source': str(source.resolve()),
      **about,
      subgroups.KEY: subgroups.of_images(
          examples, tuple(examples.columns), scored
      ),
      **_numbers(trained, here, scored),
      'unlike_training': _unlike(scores.unlike_training),
      'runs': [str(path) for path in paths],
      'summary_digest': workdir.Workdir(paths[0]).summary_digest(),
  }
  _tell(found)
  if save and not paths[1:]:
    output = results.folder(paths[0], name)
  if output:
    results.write(output, found, scored, examples)
    console.line(f'written: {output}')
  return found


def _unlike(percentiles: np.ndarray | None) -> dict[str, float] | None:
  if percentiles is None:
    return None
  return {
      'limit': neighbours.UNLIKE,
      'share': float((percentiles > neighbours.UNLIKE).mean()),
  }


def _decoded(
    trained: predictor.Predictor,
    source: pathlib.Path,
    options: Mapping[str, Any],
) -> decoded_lib.Decoded:
  """Reads the images as the run read its own."""
  examples = labelled.read(source, trained.class_names, **options)
  for note in examples.notes:
    console.line(f'note: {note}')
  decoded = pixels.read(
      trained,
      examples,
      on_bad_image=options.get('on_bad_image', 'fail'),
      is_own=False,
  )
  for line in unused_files.all_said(decoded.examples):
    console.line(line)
  return decoded


def _unseen(
    trained: predictor.Predictor,
    decoded: decoded_lib.Decoded,
    source: pathlib.Path,
) -> tuple[decoded_lib.Decoded, dict[str, Any]]:
  """Takes out images of the run itself; other copies become one group."""
  rows, why = seen.rows(trained, decoded)
  if len(rows) == len(decoded.examples):
    raise errors.DataError(
        f'{source}: all of these are images of the run itself, or copies of '
        'them; for its test images leave --data_dir out, or, if the images '
        'were moved there, add --subset=test'
    )
  # Without any copy, an array that is mapped from disk stays one.
  if len(rows):
    decoded = decoded.without(
        {
            decoded.examples.image_ids[i]: 'a copy of an image of the run'
            for i in rows
        }
    )
  where = cache.folder(trained.spec.cache_dir)
  copies = copies_lib.find(decoded, where)
  decoded = copies_policy.grouped(decoded, copies.rows())
  examples = decoded.examples
  counts = np.bincount(examples.labels, minlength=len(examples.class_names))
  classes = dict(zip(examples.class_names, counts.tolist()))
  return decoded, {
      'n': len(examples),
      'groups': len(set(examples.groups)) if examples.groups_known else None,
      'skipped': len(examples.skipped),
      'left_out': unused_files.counts(examples.left_out),
      'notes': list(examples.notes),
      'classes': classes,
      'absent_classes': [one for one, count in classes.items() if not count],
      'seen': {'looked': not why, 'why': why, 'copies': len(rows)},
  }


def _numbers(
    trained: predictor.Predictor,
    here: averages.Scored,
    scored: predictions_lib.Predictions,
) -> dict[str, Any]:
  spec = trained.spec
  places = external_validation.of_shared_classes(here.test, scored)
  if not len(places.here.image_ids):
    raise errors.DataError(
        f'{trained.members[0].path}: none of its test images is of a class '
        'that these images have'
    )
  draws = {'resamples': spec.evaluation.resamples, 'seed': spec.seed}
  fractions = np.mean(list(map(_training_fractions, trained.members)), axis=0)
  comparison = external_validation.compare(places, fractions, **draws)
  scores = summaries.split_summary(scored, threshold=here.threshold, **draws)
  return {'scores': scores, 'comparison': comparison}


def _training_fractions(trained: classifier.Classifier) -> np.ndarray:
  """Returns the fractions of the classes as the loss has weighed them."""
  names, folder = trained.class_names, workdir.Workdir(trained.path)
  subset, weights = 'train', trained.spec.training.class_weights
  fitted = calibrated.of_summary(folder.summary(), names)
  if fitted.method == recalibration.BIAS_CORRECTED:
    # Its biases make the probabilities those of the validation images.
    subset, weights = 'val', 'none'
  labels = [names.index(row[1]) for row in folder.split() if row[3] == subset]
  return class_weights.fractions(
      weights, names, np.bincount(labels, minlength=len(names))
  )


def _tell(found: dict[str, Any]) -> None:
  console.line(f'{found["name"]}, elsewhere:')
  console.line(summaries.table(found['scores']))
  console.line(words.headline(found))
  for sentence in (
      *words.explained(found),
      *words.cautions(found),
      *subgroups.sentences(found[subgroups.KEY]),
  ):
    console.line(f'* {sentence}')
