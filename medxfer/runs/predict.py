"""Classifies image files with the weights of a run."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
import contextlib
import csv
import functools
import os
import pathlib
import sys

import numpy as np

from medxfer import ensemble
from medxfer import errors
from medxfer import files
from medxfer import predictor
from medxfer.data import file_kinds
from medxfer.data import listing
from medxfer.data import unused_files
from medxfer.evaluation import neighbours
from medxfer.explain import gradcam
from medxfer.runs import explain as explain_lib
from medxfer.runs import value_ranges
from medxfer.runs import workdir

UNLIKE_TRAINING = 'unlike_training'


def predict(
    paths: Sequence[pathlib.Path],
    sources: Sequence[pathlib.Path],
    *,
    output: pathlib.Path | None,
    on_bad_image: str = 'fail',
    explain: pathlib.Path | None = None,
    explain_layer: str | None = None,
) -> None:
  """Writes or prints a table, one row per image.

  Its columns are `image`, `prediction`, `p_<class>` of each class, and
  `unlike_training` (see `neighbours.Reference.percentiles`), empty where the
  run keeps no features of its training images.

  Args:
    paths: the workdir of a run, or those of several, which are averaged.
    sources: images, and folders that stand for the images below them.
    output: CSV file, or None for the standard output.
    on_bad_image: 'fail', or 'skip' to report and leave out what is
      unreadable.
    explain: folder for a Grad-CAM of every prediction, absent or empty; None
      to draw nothing.
    explain_layer: the convolution that Grad-CAM looks at; None for the
      deepest one that the size of the images allows.

  Raises:
    DataError: an image or the checkpoint cannot be read.
    UsageError: a name does not exist, `output` or `explain` cannot be
      written, or the run is a baseline, which keeps no weights.
  """
  if output:
    files.check_target(output, overwrite=True)
  if explain:
    files.check_free(explain)
  for path in paths:
    workdir.Workdir(path).spec()  # A folder that is no run, before any image.
  names = image_files(sources, on_bad_image)
  trained = ensemble.load(*paths)
  if explain_layer:
    gradcam.check(trained.architecture, explain_layer)
  header = (
      'image',
      'prediction',
      *(f'p_{name}' for name in trained.class_names),
      UNLIKE_TRAINING,
  )
  with (
      explain_lib.drawing(explain, trained, explain_layer)
      if explain
      else contextlib.nullcontext()
  ) as draw:
    rows = list(_rows(trained, names, on_bad_image, draw))
  if output:
    files.write_table(output, header, rows)
  else:
    csv.writer(sys.stdout, lineterminator='\n').writerows([header, *rows])
  _warn([row[-1] for row in rows])


def _warn(unlike: Sequence[float | None]) -> None:
  """Says how many images are unlike those that the network knows."""
  if None in unlike:
    print(
        f'note: {UNLIKE_TRAINING} is empty: the run keeps no features of its '
        'training images; the command that made it, with '
        '--config.evaluation.reference_images=2000, computes them without '
        'training again',
        file=sys.stderr,
    )
    return
  count = sum(value > neighbours.UNLIKE for value in unlike if value)
  if count:
    print(
        f'warning: unlike the training images: {count:,} of {len(unlike):,} '
        f'({UNLIKE_TRAINING} above {neighbours.UNLIKE:g}: farther from them '
        f'than {neighbours.UNLIKE:g} % of the validation images); do not trust '
        'these predictions',
        file=sys.stderr,
    )


def image_files(
    sources: Sequence[pathlib.Path], on_bad_image: str | None = None
) -> list[pathlib.Path]:
  """Returns the images that files and folders name, folders sorted.

  What lies in the folders and is not an image, and what holds several pictures,
  is counted on the standard error.

  Args:
    sources: images, and folders that stand for the images below them.
    on_bad_image: 'fail' or 'skip'; None for a command that cannot skip.

  Raises:
    DataError: something has the suffix of an image or is named, but certainly
      is not an image, and is not to be skipped.
    UsageError: a source does not exist, or a folder holds no image.
  """
  found, left_out, pages = [], {}, {}
  for source in sources:
    there = _below(source) if source.is_dir() else _named(source)
    for name, path in there.images.items():
      if name in there.bad:
        _leave_out(there.bad[name], on_bad_image)
        continue
      found.append(path)
      if name in there.pages:
        pages[str(path)] = there.pages[name]
    left_out |= {
        str(source / name): reason for name, reason in there.left_out.items()
    }
  for text in (unused_files.said(left_out), unused_files.pages_said(pages)):
    if text:
      print(text, file=sys.stderr)
  return found


def _below(folder: pathlib.Path) -> listing.Listing:
  there = listing.below(folder)
  if not there.images:
    also = f' ({unused_files.said(there.left_out)})' if there.left_out else ''
    raise errors.UsageError(f'{folder}: no image below it{also}')
  return there


def _named(path: pathlib.Path) -> listing.Listing:
  """Returns a file that a person names, hidden or not, as an image."""
  if not os.path.lexists(path):
    raise errors.UsageError(f'{path}: no such file or folder')
  reason, count = listing.look(path)
  # A shell passes the output of another command as a pipe.
  bad = reason and not (reason == file_kinds.NO_FILE and path.is_fifo())
  return listing.Listing(
      {path.name: path},
      {},
      bad={path.name: listing.clause(path, reason)} if bad else {},
      pages={path.name: count} if count > 1 else {},
  )


def _leave_out(reason: str, on_bad_image: str | None) -> None:
  if on_bad_image == 'skip':
    print(f'left out: {unused_files.shown(reason)}', file=sys.stderr)
    return
  way_out = (
      'leave such images out with --on_bad_image=skip'
      if on_bad_image
      else 'take it out of the images'
  )
  raise errors.DataError(f'{reason}; {way_out}')


def _rows(
    trained: predictor.Predictor,
    names: Sequence[pathlib.Path],
    on_bad_image: str,
    draw: explain_lib.Draw | None,
) -> Iterator[tuple]:
  classes, size = trained.class_names, trained.network.batch_size
  warn = value_ranges.warner(trained.grey_range)

  def read(name: pathlib.Path) -> np.ndarray:
    return trained.pixels_of(name, f'{name}', functools.partial(warn, name))

  for first in range(0, len(names), size):
    good, pixels = _read(names[first : first + size], read, on_bad_image)
    if not good:
      continue
    probabilities, unlike = trained.network.scores(pixels)
    if draw:
      draw(good, pixels, probabilities)
    for i, (name, p) in enumerate(zip(good, probabilities)):
      yield (
          files.name_of(name),
          classes[p.argmax()],
          *(float(value) for value in p),
          None if unlike is None else round(float(unlike[i]), 1),
      )


def _read(
    names: Sequence[pathlib.Path],
    read: Callable[[pathlib.Path], np.ndarray],
    on_bad_image: str,
) -> tuple[list[pathlib.Path], np.ndarray]:
  good, pixels = [], []
  for name in names:
    try:
      pixels.append(read(name))
      good.append(name)
    except errors.DataError as error:
      _leave_out(str(error), on_bad_image)
  return good, np.stack(pixels) if pixels else np.empty(0)
