"""Whether a run's files hold the numbers that a report shows."""

from collections.abc import Iterable
from collections.abc import Mapping
import pathlib
from typing import Any

from medxfer import errors
from medxfer import files
from medxfer.data import splits
from medxfer.evaluation import measure
from medxfer.evaluation import metrics
from medxfer.evaluation import operating_points
from medxfer.evaluation import predictions as predictions_lib
from medxfer.runs import calibrated
from medxfer.runs import points
from medxfer.runs import subgroups
from medxfer.runs import workdir

PREDICTIONS = workdir.predictions_name('test')
_POINTS = ('accuracy', 'f1_micro', 'f1_macro', 'balanced_accuracy')
_AT_THRESHOLD = ('threshold', 'f1_macro', 'sensitivity', 'specificity')
_RATES = ('sensitivity', 'specificity', 'ppv', 'npv')
# Predictions are rounded to float32 before anything is computed.
_TOLERANCE = 1e-6
_CURVES = ('epoch', 'train_accuracy', 'val_accuracy')


def summary(
    path: pathlib.Path,
    read: Mapping[str, Any],
    predictions: predictions_lib.Predictions,
) -> None:
  """Checks every number that is shown, and that the table gives it again.

  Args:
    path: the file, for messages.
    read: what it holds.
    predictions: of the test subset.

  Raises:
    DataError: a number is missing or wrong.
  """
  if read.get('status') != 'finished':
    raise errors.DataError(f'{path}: its status is not "finished"')
  test = files.mapping(path, read.get('test'))
  if test.get('class_names') != list(predictions.class_names):
    raise errors.DataError(
        f'{path}: its classes are not those of {PREDICTIONS}'
    )
  ranges = files.mapping(path, test.get('intervals'))
  keys = [(key,) for key in _POINTS]
  keys += [('f1_per_class', name) for name in predictions.class_names]
  for key in keys:
    number(path, test, *key)
    _interval(path, ranges, key)
  _interval(path, ranges, ('auroc_macro',))
  for key in ('n', 'ece', 'brier', 'level'):
    number(path, test, key)
  if test.get('auroc_macro') is not None:
    number(path, test, 'auroc_macro')
  _leak(path, read)
  _additions(path, read)
  _evaluations(path, read)
  for key in (
      ('train_seconds',),
      *(('n', subset) for subset in ('train', 'test')),
  ):
    number(path, read, *key)
  point = test.get('at_threshold')
  for key in _AT_THRESHOLD if point is not None else ():
    found = files.mapping(path, point)
    if found.get(key) is not None:
      number(path, found, key)
      _interval(path, files.mapping(path, found.get('intervals') or {}), (key,))
  again = metrics.compute(predictions)
  for key in ('accuracy', 'f1_macro'):
    if abs(again[key] - test[key]) > _TOLERANCE:
      raise errors.DataError(
          f'{path}: its {key} is {test[key]:.4f}, but {PREDICTIONS} gives '
          f'{again[key]:.4f}: the files are of two runs'
      )


def images(
    path: pathlib.Path,
    rows: list[list[str]],
    predictions: predictions_lib.Predictions,
) -> dict[str, dict[str, int]]:
  """Counts images by class and subset; every predicted one must be counted.

  Args:
    path: of split.csv, for messages.
    rows: what it holds.
    predictions: of the test subset.

  Raises:
    DataError: a label is unknown, or not the one that was predicted against.
  """
  names = predictions.class_names
  counts: dict[str, dict[str, int]] = {
      name: {subset: 0 for subset in splits.SUBSETS} for name in names
  }
  labels = {}
  for image, label, _, subset in rows:
    if label not in counts:
      raise errors.DataError(
          f'{path}: image {image!r} is of class {label!r}, which '
          f'{PREDICTIONS} does not have'
      )
    if subset in splits.SUBSETS:
      counts[label][subset] += 1
    labels[image] = label
  for image, label in zip(predictions.image_ids, predictions.labels):
    if labels[image] != names[label]:
      raise errors.DataError(
          f'{path}: image {image!r} is of class {labels[image]!r}, but of '
          f'{names[label]!r} in {PREDICTIONS}'
      )
  return counts


def history(path: pathlib.Path, epochs: Iterable[Mapping[str, Any]]) -> None:
  """Checks that every epoch has what curves are drawn of.

  Args:
    path: of metrics.jsonl, for messages.
    epochs: what it holds.

  Raises:
    DataError: a number is missing.
  """
  for epoch in epochs:
    for key in _CURVES:
      number(path, epoch, key)


def _leak(path: pathlib.Path, read: Mapping[str, Any]) -> None:
  """Checks what the test subset shares with the train subset."""
  for key in ('share', 'copies', 'duplicates'):  # Older runs lack copies.
    if files.mapping(path, read.get('leak')).get(key) is not None:
      number(path, read, 'leak', key)
  rest = read.get('test_without_copies')
  if rest is not None:
    for key in ('n', 'accuracy', 'f1_macro'):
      number(path, rest, key)
    for key in ('accuracy', 'f1_macro'):
      _interval(path, files.mapping(path, rest.get('intervals')), (key,))


def _additions(path: pathlib.Path, read: Mapping[str, Any]) -> None:
  """Checks what older runs lack."""
  notes = read.get('training_notes')
  if notes is not None and not (
      isinstance(notes, list)
      and all(
          isinstance(files.mapping(path, note).get('text'), str)
          for note in notes
      )
  ):
    raise errors.DataError(f'{path}: training_notes is no list of notes')
  classes = files.mapping(path, read['test'].get('per_class') or {})
  for name, rates in classes.items():
    for key in _RATES:
      if files.mapping(path, rates).get(key) is not None:
        number(path, rates, key)
      _interval(path, files.mapping(path, rates.get('intervals') or {}), (key,))
  if classes and set(classes) != set(read['test']['class_names']):
    raise errors.DataError(f'{path}: per_class is of other classes')
  if read['test'].get('ece_debiased') is not None:
    number(path, read['test'], 'ece_debiased')
  for key in ('ece', 'ece_debiased', 'brier'):
    _interval(path, files.mapping(path, read['test']['intervals']), (key,))
  for place, key in (
      ('threshold', 'positive'),
      ('positive', 'class'),
      ('positive', 'why'),
  ):
    found = read.get(place)
    if found is not None and not isinstance(
        files.mapping(path, found).get(key), str
    ):
      raise errors.DataError(f'{path}: {place}.{key} is no name')


def _evaluations(path: pathlib.Path, read: Mapping[str, Any]) -> None:
  """Checks calibration, operating points and subgroups, where they are."""
  calibrated.of_summary(read, read['test']['class_names'])
  try:
    if read.get(calibrated.KEY):
      before = read[calibrated.KEY]['before']['test']
      measure.Measure.read(before['ece'], before['ece_interval'])
      measure.Measure.read(before['ece_debiased'], None)
    for point in read.get(points.KEY) or ():
      for key in operating_points.MEASURES if point['threshold'] else ():
        measure.Measure.among(point, key)
    list(points.sentences(read.get(points.KEY)))
    for each in (read.get(subgroups.KEY) or {'columns': {}})[
        'columns'
    ].values():
      for one in filter(lambda row: row['gap'], each):
        measure.Measure.read(**one['gap'])
        for key in ('accuracy', 'f1_macro'):
          measure.Measure.among(one, key)
        for name in read['test']['class_names']:
          measure.Measure.read(
              one['sensitivity'][name], one['intervals']['sensitivity'][name]
          )
    list(subgroups.sentences(read.get(subgroups.KEY)))
  except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
    raise errors.DataError(
        f'{path}: a calibration, an operating point or a subgroup is damaged '
        f'({error})'
    ) from error


def _interval(
    path: pathlib.Path, ranges: Mapping[str, Any], keys: tuple[str, ...]
) -> None:
  value = ranges
  for key in keys:
    value = files.mapping(path, value).get(key)
  if value is None:
    return
  if not (
      isinstance(value, list)
      and len(value) == 2
      and all(map(measure.is_number, value))
      and value[0] <= value[1]
  ):
    raise errors.DataError(
        f'{path}: the interval of {".".join(keys)} is {value!r}'
    )


def number(path: pathlib.Path, tree: Any, *keys: str) -> float:
  """Returns the finite number at the end of a path of keys.

  Raises:
    DataError: there is none.
  """
  value = tree
  for key in keys:
    value = files.mapping(path, value).get(key)
  if value is None or not measure.is_number(value):
    raise errors.DataError(
        f'{path}: {".".join(keys)} is {value!r}, not a finite number'
    )
  return value
