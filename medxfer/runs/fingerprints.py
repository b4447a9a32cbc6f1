"""Fingerprints of a run's inputs, compared whenever it resumes."""

from collections.abc import Mapping
from collections.abc import Sequence
import pathlib
import shlex

from medxfer import errors
from medxfer import spec as specs
from medxfer.data import unused_files
from medxfer.runs import inputs as inputs_lib
from medxfer.runs import workdir

_COLUMNS = ('image_id', 'label', 'group', 'split')
_NAMED = 3  # Images of a kind of change that are named.


def write(path: pathlib.Path, inputs: inputs_lib.Inputs) -> None:
  """Writes inputs.json, split.csv and, if a file was left out, skipped.csv.

  Args:
    path: the workdir.
    inputs: what the run reads.
  """
  rows = unused_files.rows(inputs.examples)
  workdir.Workdir(path).write_inputs(inputs.digests(), inputs.table(), rows)


def refuse_other(path: pathlib.Path, inputs: inputs_lib.Inputs) -> None:
  """Compares the images and weights with those that a run started with.

  Args:
    path: its workdir.
    inputs: what was read now.

  Raises:
    DataError: they differ; says in what.
  """
  folder, now = workdir.Workdir(path), inputs.digests()
  before = folder.fingerprints()
  if before is None:
    return
  # Runs of an earlier version compare what they have.
  lines = specs.difference(before, {key: now.get(key) for key in before})
  if lines:
    lines += _changes(_split(folder), inputs.table())
    raise errors.DataError(
        f'{path} was started with other images, another split of them or '
        'other weights; restore them, or give another --workdir, such as '
        f'--workdir={shlex.quote(f"{path}-2")}. Old -> new:'
        '\n  ' + '\n  '.join(lines)
    )


def _split(folder: workdir.Workdir) -> list[list[str]]:
  """Returns the split that a run started with; [] if it is damaged."""
  try:
    return folder.split()
  except (OSError, errors.DataError):
    return []


def _changes(
    before: Sequence[Sequence[str]], now: Sequence[Sequence[str]]
) -> list[str]:
  """Returns a line for each way in which two tables of images differ."""
  old, new = ({row[0]: row for row in rows} for rows in (before, now))
  if not old:
    return []
  found = {
      'are gone': {name: '' for name in old if name not in new},
      'are new': {name: '' for name in new if name not in old},
  }
  for i, column in enumerate(_COLUMNS[1:], start=1):
    found[f'have another {column}'] = {
        name: f' ({row[i]} -> {new[name][i]})'
        for name, row in old.items()
        if name in new and row[i] != new[name][i]
    }
  return [_line(what, images) for what, images in found.items() if images] or [
      'images, labels and split are the same: the pixels or the weights '
      'differ'
  ]


def _line(what: str, images: Mapping[str, str]) -> str:
  named = ', '.join(
      f'{name}{change}' for name, change in list(images.items())[:_NAMED]
  )
  more = ', ...' if len(images) > _NAMED else ''
  return f'{len(images):,} images {what}: {named}{more}'
