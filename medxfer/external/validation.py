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
from medxfer.data import copies as copies_lib
from medxfer.data import copies_policy
from medxfer.data import decoded as decoded_lib
from medxfer.data import unused_files
from medxfer.evaluation import external_validation
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import recalibration
from medxfer.evaluation import summary as summaries
from medxfer.external import labelled
from medxfer.external import pixels
from medxfer.external import results
from medxfer.external import seen
from medxfer.external import words
from medxfer.runs import calibrated
from medxfer.runs import class_weights
from medxfer.runs import scoring
from medxfer.runs import subgroups
from medxfer.runs import workdir


def validate(
    trained: classifier.Classifier,
    source: pathlib.Path,
    *,
    name: str = '',
    save: bool = True,
    **options: Any,
) -> dict[str, Any]:
  """Scores labelled images that the run has never seen.

  Args:
    trained: the network of a finished run.
    source: see `labelled.read`, as for **options.
    name: of the place; by default that of the folder or table.
    save: whether RUN/external/NAME/ is written.
    **options: of `labelled.read`.

  Returns:
    `name`, `source`, `n`, `groups` (their number, or None where nobody says),
    `classes` (images of each), `absent_classes`, `seen` {`looked`, `why`,
    `copies`}, `skipped`, `left_out`, `notes`, `scores` (see
    `evaluation.summary`), `comparison` (see `evaluation.external_validation`),
    `subgroups`, and `summary_digest` of the run.

  Raises:
    DataError: the run is not finished, all images are its own, or as of
      `labelled.read`, which raises UsageError as well.
  """
  folder = workdir.Workdir(trained.path)
  if not folder.is_finished:
    raise errors.DataError(
        f'{trained.path}: not finished, so that there is no test to compare '
        'with; the command that began it resumes it'
    )
  name = results.check_name(name or source.resolve().stem)
  decoded, about = _unseen(trained, _decoded(trained, source, options), source)
  examples = decoded.examples
  scored = scoring.table(
      examples, np.arange(len(examples)), trained.predict_proba(decoded.pixels)
  )
  found = {
      'name': name,
      'source': str(source.resolve()),
      'n': len(examples),
      'groups': len(set(examples.groups)) if examples.groups_known else None,
      **about,
      'skipped': len(examples.skipped),
      'left_out': unused_files.counts(examples.left_out),
      'notes': list(examples.notes),
      subgroups.KEY: subgroups.of_images(
          examples, tuple(examples.columns), scored
      ),
      **_numbers(trained, scored),
      'summary_digest': folder.summary_digest(),
  }
  _tell(found)
  if save:
    place = results.write(trained.path, found, scored, examples)
    console.line(f'written: {place}')
  return found


def _decoded(
    trained: classifier.Classifier,
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
    trained: classifier.Classifier,
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
      'classes': classes,
      'absent_classes': [one for one, count in classes.items() if not count],
      'seen': {'looked': not why, 'why': why, 'copies': len(rows)},
  }


def _numbers(
    trained: classifier.Classifier, scored: predictions_lib.Predictions
) -> dict[str, Any]:
  spec, folder = trained.spec, workdir.Workdir(trained.path)
  places = external_validation.of_shared_classes(
      folder.predictions('test'), scored
  )
  if not len(places.here.image_ids):
    raise errors.DataError(
        f'{trained.path}: none of its test images is of a class that these '
        'images have'
    )
  draws = {'resamples': spec.evaluation.resamples, 'seed': spec.seed}
  comparison = external_validation.compare(
      places, _training_fractions(trained), **draws
  )
  scores = summaries.split_summary(
      scored, threshold=folder.summary().get('threshold'), **draws
  )
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
