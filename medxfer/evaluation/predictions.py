"""The predictions table: what every metric is recomputed from.

One row per image: its id, its true class, the predicted class and one
probability a class. Groups (lesion, patient) stand in `split.csv` and are
attached with `with_groups`.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import csv
import dataclasses
import io
import pathlib
import re

import numpy as np

from medxfer import errors
from medxfer import files

_FIXED = ('image_id', 'label', 'prediction')
_PREFIX = 'p_'
# A softmax in bfloat16 sums to one within about this much.
_SUM_TOLERANCE = 1e-3
_NUMBER = re.compile(r'[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?')
_SURROGATE = re.compile('[\ud800-\udfff]')
_AGAIN = 'write the table again with the evaluation'


@dataclasses.dataclass(frozen=True, eq=False)
class Predictions:
  """The scored images of one split.

  Probabilities are rounded to float32 on entry, because that is what the
  table holds: numbers from memory and from the file are then equal.

  Attributes:
    image_ids: one id an image, n of them, each once.
    labels: int64 [n], true classes as indices into `class_names`.
    probabilities: float64 [n, k] with float32 values, rows sum to 1.
    class_names: k names.
    groups: n group names (lesion or patient), or empty.

  Raises:
    ValueError: shapes do not fit, a label is no class, or a class is twice.
  """

  image_ids: tuple[str, ...]
  labels: np.ndarray
  probabilities: np.ndarray
  class_names: tuple[str, ...]
  groups: tuple[str, ...] = ()

  def __post_init__(self):
    labels = np.array(self.labels)
    # float64 would hide a label of 1.5; an empty list arrives as float64.
    if labels.size and not np.issubdtype(labels.dtype, np.integer):
      raise ValueError(f'labels are integers, not {labels.dtype}')
    labels = labels.astype(np.int64)
    # What is too large becomes infinite, and is refused with its row.
    with np.errstate(over='ignore'):
      probabilities = np.array(self.probabilities, np.float32)
    n, k = len(self.image_ids), len(self.class_names)
    if labels.shape != (n,) or probabilities.shape != (n, k):
      raise ValueError(
          f'{n} image ids and {k} classes need labels [{n}] and probabilities'
          f' [{n}, {k}], not {labels.shape} and {probabilities.shape}'
      )
    if self.groups and len(self.groups) != n:
      raise ValueError(f'{n} images but {len(self.groups)} groups')
    if n and not (labels.min() >= 0 and labels.max() < k):
      raise ValueError(f'labels lie in 0 to {k - 1}')
    if len(set(self.class_names)) != k:
      raise ValueError(f'class names differ, not {self.class_names}')
    probabilities = probabilities.astype(np.float64)
    for field, array in ('labels', labels), ('probabilities', probabilities):
      array.flags.writeable = False
      object.__setattr__(self, field, array)
    for field in ('image_ids', 'class_names', 'groups'):
      object.__setattr__(self, field, tuple(getattr(self, field)))

  @property
  def predicted(self) -> np.ndarray:
    """int64 [n]: the most probable class; of equals, the first."""
    return self.probabilities.argmax(axis=1)

  def take(self, rows: Sequence[int] | np.ndarray) -> 'Predictions':
    """Returns the images at `rows`, in that order."""
    pick = lambda values: tuple(values[i] for i in rows)
    return dataclasses.replace(
        self,
        image_ids=pick(self.image_ids),
        labels=self.labels[rows],
        probabilities=self.probabilities[rows],
        groups=pick(self.groups) if self.groups else (),
    )


def with_groups(
    predictions: Predictions, groups: Mapping[str, str]
) -> Predictions:
  """Attaches the group of every image.

  Args:
    predictions: n scored images.
    groups: image id -> group, for at least these images.

  Returns:
    The same predictions with n groups.

  Raises:
    errors.DataError: an image has no group.
  """
  missing = [name for name in predictions.image_ids if name not in groups]
  if missing:
    raise errors.DataError(
        f'{len(missing)} of {len(predictions.image_ids)} predicted images have'
        f' no group, the first is {missing[0]!r}; give the split.csv of the'
        ' same run'
    )
  return dataclasses.replace(
      predictions, groups=tuple(groups[name] for name in predictions.image_ids)
  )


def write(path: pathlib.Path | str, predictions: Predictions) -> None:
  """Writes the table; it is there whole or not at all.

  Cells are data: a name that a spreadsheet would take for a formula is kept
  as it is. Quoting and line ends follow RFC 4180, the text is UTF-8.

  Args:
    path: the CSV file, replaced if it exists; its folder exists.
    predictions: at least one image; groups are not written.

  Raises:
    errors.DataError: the table could not be read back (a probability that is
      not finite, an id twice, ...), or the file cannot be written.
  """
  path = pathlib.Path(path)
  _check_header(path, _header(predictions.class_names))
  _check(path, predictions, range(2, len(predictions.image_ids) + 2))
  try:
    with files.replacing(path) as temporary:
      with temporary.open('w', encoding='utf-8', newline='') as stream:
        rows = csv.writer(stream)
        rows.writerow(_header(predictions.class_names))
        rows.writerows(_rows(predictions))
  except (OSError, UnicodeEncodeError) as error:
    raise errors.DataError(
        f'{path}: the table cannot be written ({error}); name a file in a'
        ' folder that exists and has room, and rename images and classes'
        ' that are not Unicode text'
    ) from error


def read(path: pathlib.Path | str) -> Predictions:
  """Reads a table that `write` wrote, or one with the same columns.

  Args:
    path: the CSV file; the order of its `p_` columns is that of the classes.

  Returns:
    The predictions, without groups.

  Raises:
    errors.DataError: anything in the table that a metric could stumble on,
      with the file and the line.
  """
  path = pathlib.Path(path)
  lines, rows = _parse(path)
  header, rows, lines = rows[0], rows[1:], lines[1:]
  _check_header(path, header)
  class_names = tuple(name[len(_PREFIX) :] for name in header[len(_FIXED) :])
  stated = np.empty((2, len(rows)), np.int64)
  probabilities = np.empty((len(rows), len(class_names)))
  for i, (line, row) in enumerate(zip(lines, rows)):
    if len(row) != len(header):
      reason = f'{len(row)} cells under {len(header)} columns'
      raise _error(path, line, reason)
    for j, column in enumerate(_FIXED[1:]):
      if row[j + 1] not in class_names:
        reason = f'{column} {row[j + 1]!r} is none of {class_names}'
        raise _error(path, line, reason)
      stated[j, i] = class_names.index(row[j + 1])
    for column, text in zip(header[3:], row[3:]):
      if not _NUMBER.fullmatch(text):
        raise _error(path, line, f'{column} is {text!r}, not a finite number')
    probabilities[i] = [float(text) for text in row[3:]]
  predictions = Predictions(
      tuple(row[0] for row in rows), stated[0], probabilities, class_names
  )
  _check(path, predictions, lines)
  for i in np.flatnonzero(predictions.predicted != stated[1]):
    called, best = class_names[stated[1, i]], predictions.predicted[i]
    reason = (
        f'prediction {called!r}, but the largest probability is that of '
        f'{class_names[best]!r}'
    )
    raise _error(path, lines[i], reason)
  return predictions


def _error(
    path: pathlib.Path, line: int, reason: str, way_out: str = _AGAIN
) -> errors.DataError:
  return errors.DataError(f'{path}, line {line}: {reason}; {way_out}')


def _header(class_names: Sequence[str]) -> list[str]:
  return [*_FIXED, *(_PREFIX + name for name in class_names)]


def _rows(predictions: Predictions) -> Iterator[list[str]]:
  names = predictions.class_names
  # The shortest text that gives the same float32 back.
  texts = predictions.probabilities.astype(np.float32)
  for image, label, predicted, row in zip(
      predictions.image_ids, predictions.labels, predictions.predicted, texts
  ):
    yield [image, names[label], names[predicted], *(str(p) for p in row)]


def _parse(path: pathlib.Path) -> tuple[list[int], list[list[str]]]:
  """Returns the line numbers and the cells of all rows, header first."""
  try:
    data = path.read_bytes()
    # Spreadsheets put a byte order mark in front.
    text = data.decode('utf-8-sig')
  except OSError as error:
    raise errors.DataError(
        f'{path}: the predictions table cannot be read'
        f' ({error.strerror or error}); evaluate the run first'
    ) from error
  except UnicodeDecodeError as error:
    raise errors.DataError(
        f'{path}: the table is not UTF-8 text ({error.reason} at byte'
        f' {error.start}); save it as UTF-8'
    ) from error
  if not data:
    raise errors.DataError(f'{path}: the table is empty; {_AGAIN}')
  # A number that lost its last digits still looks like a number.
  if not data.endswith((b'\n', b'\r')):
    last = len(data.splitlines())
    raise _error(path, last, 'cut off, the last line has no end')
  reader = csv.reader(io.StringIO(text, newline=''), strict=True)
  try:
    numbered = [(reader.line_num, row) for row in reader]
  except csv.Error as error:
    raise _error(path, reader.line_num, f'not valid CSV ({error})') from error
  return [line for line, _ in numbered], [row for _, row in numbered]


def _check_header(path: pathlib.Path, header: Sequence[str]) -> None:
  way_out = f'the columns are {",".join(_FIXED)},{_PREFIX}<class>...'
  for column in _FIXED:
    if column not in header:
      raise _error(path, 1, f'the column {column!r} is missing', way_out)
  rest = list(header[len(_FIXED) :])
  named = all(re.match(_PREFIX + '.', name, re.DOTALL) for name in rest)
  if tuple(header[: len(_FIXED)]) != _FIXED or not rest or not named:
    raise _error(path, 1, f'the header is {",".join(header)}', way_out)
  for name in rest:
    if rest.count(name) > 1:
      raise _error(path, 1, f'the column {name!r} is there twice', way_out)


def _check(
    path: pathlib.Path, predictions: Predictions, lines: Sequence[int]
) -> None:
  """Refuses what neither the written nor the read table may hold."""
  if not predictions.image_ids:
    raise errors.DataError(
        f'{path}: the table holds no image; evaluate a split that has some'
    )
  seen: dict[str, int] = {}
  for line, image in zip(lines, predictions.image_ids):
    if not image or _SURROGATE.search(image):
      reason = f'image_id {image!r} is empty or not Unicode text'
      raise _error(path, line, reason, 'rename the image')
    if image in seen:
      reason = f'image_id {image!r} was already on line {seen[image]}'
      raise _error(path, line, reason, 'keep one of them')
    seen[image] = line
  values = predictions.probabilities
  inside = np.all((values >= 0) & (values <= 1), axis=1)
  sums = np.where(inside, values.sum(axis=1), np.nan)
  for i in np.flatnonzero(~(np.abs(sums - 1) <= _SUM_TOLERANCE)).tolist():
    row = ', '.join(f'{value:g}' for value in values[i])
    reason = f'sum to {sums[i]:.6g}' if bool(inside[i]) else 'leave [0, 1]'
    raise _error(
        path,
        lines[i],
        f'the probabilities {row} of image {predictions.image_ids[i]!r}'
        f' {reason}',
        f'lower the learning rate if training diverged, or {_AGAIN}',
    )
