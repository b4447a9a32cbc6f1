"""The files of an external validation: RUN/external/NAME/.

They are read without JAX, so that a report takes seconds.
"""

from collections.abc import Iterator
from collections.abc import Mapping
import pathlib
import re
from typing import Any

from medxfer import errors
from medxfer import files
from medxfer.data import examples as examples_lib
from medxfer.data import unused_files
from medxfer.evaluation import measure
from medxfer.evaluation import predictions as predictions_lib
from medxfer.external import words
from medxfer.runs import workdir

_FOLDER = 'external'
_RESULT = 'external.json'
_PREDICTIONS = 'predictions.csv'
_IMAGES = 'images.csv'
_FIXED = ('image_id', 'label', 'group')
_NAME = re.compile(r'[\w.+-]+')


def check_name(name: str) -> str:
  """Returns the name of a place if a folder can have it.

  Raises:
    UsageError: it cannot.
  """
  if not _NAME.fullmatch(name) or name.startswith('.'):
    raise errors.UsageError(
        f'{name!r} is no name for a folder of results; give --name=NAME of '
        'letters, digits, dots, - and _'
    )
  return name


def folder(path: pathlib.Path, name: str) -> pathlib.Path:
  """Returns where the results of a place are.

  Args:
    path: the run's workdir.
    name: of the place.
  """
  return path / _FOLDER / name


def write(
    target: pathlib.Path,
    found: Mapping[str, Any],
    scored: predictions_lib.Predictions,
    examples: examples_lib.Examples,
) -> None:
  """Writes the results of a place, over older ones; external.json is last.

  Args:
    target: their folder.
    found: what `validation.validate` returns.
    scored: the predictions.
    examples: the table of the same images.

  Raises:
    DataError: the folder cannot be written.
  """
  try:
    target.mkdir(parents=True, exist_ok=True)
    (target / _RESULT).unlink(missing_ok=True)
  except OSError as error:
    raise errors.DataError(
        f'{target} cannot be written ({error.strerror}); allow writing it'
    ) from error
  predictions_lib.write(target / _PREDICTIONS, scored)
  columns = [name for name in examples.columns if name not in _FIXED]
  files.write_table(
      target / _IMAGES,
      [*_FIXED, *columns],
      zip(
          examples.image_ids,
          [examples.class_names[label] for label in examples.labels],
          examples.groups,
          *(examples.columns[name] for name in columns),
      ),
  )
  files.write_table(
      target / workdir.SKIPPED,
      workdir.SKIPPED_HEADER,
      unused_files.rows(examples),
  )
  files.write_json(target / _RESULT, found)


def predictions(path: pathlib.Path, name: str) -> predictions_lib.Predictions:
  """Returns the scored images of a place, with their groups.

  Args:
    path: the run's workdir.
    name: of the place.

  Raises:
    DataError: a file is missing or damaged.
  """
  target = folder(path, name)
  scored = predictions_lib.read(target / _PREDICTIONS)
  header, rows = files.read_table(target / _IMAGES)
  if tuple(header[: len(_FIXED)]) != _FIXED:
    raise errors.DataError(
        f'{target / _IMAGES}: damaged; validate the run again with medxfer '
        f'evaluate --workdir={path} --data_dir=DIR --name={name}'
    )
  return predictions_lib.with_groups(scored, {row[0]: row[2] for row in rows})


def read(path: pathlib.Path) -> Iterator[dict[str, Any]]:
  """Yields the results of all places of a run, by name.

  Those of a state of the run that has been trained on or scored anew since are
  left out.

  Args:
    path: the run's workdir.

  Raises:
    DataError: a file is damaged.
  """
  digest = workdir.Workdir(path).summary_digest()
  for file in sorted((path / _FOLDER).glob(f'*/{_RESULT}')):
    found = files.read_json(file)
    try:
      if found['summary_digest'] == digest:
        _check(found)
        yield found
    except (
        AttributeError,
        KeyError,
        IndexError,
        TypeError,
        ValueError,
    ) as error:
      raise errors.DataError(
          f'{file}: damaged ({error}); validate the run again with medxfer '
          f'evaluate --workdir={path} --data_dir=DIR --name={file.parent.name}'
      ) from error


def _check(found: Mapping[str, Any]) -> None:
  """Raises what `read` catches where something that is shown is wrong."""
  comparison = found['comparison']
  shown = [
      comparison['metrics'][name][side]
      for name in ('auroc_macro', 'accuracy', 'ece')
      for side in ('here', 'there', 'difference')
  ]
  shown += [
      comparison['adjusted'][name][key]
      for name in ('known', 'estimated')
      for key in ('accuracy', 'ece')
      if comparison['adjusted']
  ]
  shown += [comparison['threshold']] if comparison['threshold'] else []
  for one in shown:
    measure.Measure.read(**one)
  # What cannot be put into words cannot be shown.
  list(words.explained(found))
  list(words.cautions(found))
  words.headline(found)
