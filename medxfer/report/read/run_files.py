"""The smaller files of a workdir, read and checked."""

from collections.abc import Mapping
import csv
import io
import pathlib

from medxfer import errors
from medxfer import files
from medxfer.data import splits
from medxfer.evaluation import predictions as predictions_lib
from medxfer.report.read import checks

_SPLIT_HEADER = ['image_id', 'label', 'group', 'split']
_CURVES = ('epoch', 'train_accuracy', 'val_accuracy')


def split(path: pathlib.Path) -> list[list[str]]:
  """Returns the rows of split.csv without its header.

  Raises:
    DataError: the file is damaged.
  """
  try:
    text = path.read_text('utf-8')
    header, *rows = csv.reader(io.StringIO(text, newline=''), strict=True)
  except (ValueError, csv.Error) as error:
    raise errors.DataError(f'{path}: damaged, not CSV ({error})') from error
  if header != _SPLIT_HEADER:
    raise errors.DataError(
        f'{path}: the columns are {",".join(header)}, not '
        f'{",".join(_SPLIT_HEADER)}')
  for i, row in enumerate(rows):
    if len(row) != len(header) or row[3] not in (*splits.SIDES, splits.UNUSED):
      raise errors.DataError(
          f'{path}: row {i + 2} is {",".join(row)!r}, not an image with its '
          f'side, one of {", ".join((*splits.SIDES, splits.UNUSED))}')
  return rows


def images(
    path: pathlib.Path,
    rows: list[list[str]],
    predictions: predictions_lib.Predictions,
) -> dict[str, dict[str, int]]:
  """Counts images by class and side; every predicted one must be counted.

  Args:
    path: of split.csv, for messages.
    rows: what it holds.
    predictions: of the test side.

  Raises:
    DataError: a label is unknown, or not the one that was predicted against.
  """
  names = predictions.class_names
  counts = {name: dict.fromkeys(splits.SIDES, 0) for name in names}
  labels = {}
  for image, label, _, side in rows:
    if label not in counts:
      raise errors.DataError(
          f'{path}: image {image!r} is of class {label!r}, which '
          f'{checks.PREDICTIONS} does not have')
    if side in splits.SIDES:
      counts[label][side] += 1
    labels[image] = label
  for image, label in zip(predictions.image_ids, predictions.labels):
    if labels[image] != names[label]:
      raise errors.DataError(
          f'{path}: image {image!r} is of class {labels[image]!r}, but of '
          f'{names[label]!r} in {checks.PREDICTIONS}')
  return counts


def history(path: pathlib.Path) -> tuple[Mapping[str, float], ...]:
  """Reads metrics.jsonl; trees have none.

  Raises:
    DataError: the file is damaged.
  """
  if not path.exists():
    return ()
  epochs = []
  for i, line in enumerate(path.read_bytes().splitlines()):
    try:
      epoch = files.parse_json(line)
    except ValueError as error:
      raise errors.DataError(
          f'{path}: line {i + 1} is damaged, not JSON ({error})') from error
    epoch = checks.mapping(path, epoch)
    for key in _CURVES:
      checks.number(path, epoch, key)
    epochs.append(epoch)
  return tuple(epochs)


def left_out(path: pathlib.Path) -> tuple[tuple[str, str, bool], ...]:
  """Reads skipped.csv; a run that used every file has none.

  Its columns are image_id, reason and, not in older runs, what.

  Raises:
    DataError: the file is damaged.
  """
  if not path.exists():
    return ()
  try:
    text = path.read_text('utf-8')
    _, *rows = csv.reader(io.StringIO(text, newline=''), strict=True)
    return tuple((name, reason, what[:1] in ([], ['skipped']))
                 for name, reason, *what in rows)
  except (ValueError, csv.Error) as error:
    raise errors.DataError(f'{path}: damaged, not CSV ({error})') from error


def device(path: pathlib.Path) -> str:
  """Returns what computed a run; '' if its environment.json is gone.

  Raises:
    DataError: the file is damaged.
  """
  if not path.exists():
    return ''
  devices = checks.mapping(path, files.read_json(path)).get('devices', [])
  if not isinstance(devices, list):
    raise errors.DataError(f'{path}: devices is no list')
  return ', '.join(map(str, devices))
