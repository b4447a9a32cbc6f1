"""The files of a run's folder: `Workdir` alone reads and writes them.

It loads neither JAX nor TensorFlow, so that a report takes seconds.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import hashlib
import json
import pathlib
import re
import shutil
from typing import Any

import medxfer
from medxfer import errors
from medxfer import files
from medxfer import spec as specs
from medxfer.data import splits
from medxfer.evaluation import neighbours
from medxfer.evaluation import predictions as predictions_lib

# As `training.checkpoints` names it; importing that would load JAX.
CHECKPOINTS = 'checkpoints'
_CONFIG = 'config.json'
_CONTINUED = 'continued.json'
_ENVIRONMENT = 'environment.json'
_FINGERPRINTS = 'inputs.json'
_HISTORY = 'metrics.jsonl'
_PARAMETERS = 'parameters.txt'
_PROFILE = 'profile'
SKIPPED = 'skipped.csv'
SKIPPED_HEADER = ('image_id', 'reason', 'what')
_SPLIT = 'split.csv'
_REFERENCE = 'reference.safetensors'
_SUMMARY = 'summary.json'
_SPLIT_HEADER = ['image_id', 'label', 'group', 'split']


def predictions_name(subset: str) -> str:
  """Returns the name of the predictions table of 'val' or 'test'."""
  return f'predictions_{subset}.csv'


def is_begun(names: Collection[str]) -> bool:
  """Whether a folder with files of these names is a run's workdir."""
  return _CONFIG in names or _SUMMARY in names


@dataclasses.dataclass(frozen=True)
class Workdir:
  """A run's folder.

  What reads a file raises `errors.DataError` if it is missing or damaged.
  What writes one replaces it whole.

  Attributes:
    path: the folder.
  """

  path: pathlib.Path

  @property
  def is_begun(self) -> bool:
    """Whether a run has started here."""
    return (self.path / _CONFIG).exists()

  @property
  def is_finished(self) -> bool:
    """Whether its run is finished: the summary is written last."""
    return (self.path / _SUMMARY).exists()

  @property
  def checkpoints(self) -> pathlib.Path:
    """The folder of its checkpoints (see `training.checkpoints`)."""
    return self.path / CHECKPOINTS

  @property
  def profile(self) -> pathlib.Path:
    """The folder of a trace of some steps."""
    return self.path / _PROFILE

  def spec(self) -> specs.RunSpec:
    """Returns the specification of the run.

    Raises:
      DataError: the folder is no workdir, its configuration is damaged, or a
        newer version of medxfer wrote it.
    """
    self._refuse_newer()
    try:
      return specs.from_config(files.read_json(self.path / _CONFIG))
    except errors.UsageError as error:
      raise errors.DataError(
          f'{self.path / _CONFIG}: not a configuration of this version of '
          f'medxfer ({error})'
      ) from error

  def write_start(
      self, spec: specs.RunSpec, environment: Mapping[str, Any]
  ) -> None:
    """Writes what is about to be done, and on what machine."""
    files.write_json(self.path / _CONFIG, spec.to_json())
    files.write_json(self.path / _ENVIRONMENT, environment)

  def summary(self) -> dict[str, Any]:
    """Returns the numbers of a finished run."""
    return files.read_json(self.path / _SUMMARY)

  def summary_digest(self) -> str | None:
    """Returns the SHA-256 of the summary's file; None without one."""
    if not self.is_finished:
      return None
    return hashlib.sha256((self.path / _SUMMARY).read_bytes()).hexdigest()

  def write_summary(self, summary: Mapping[str, Any]) -> None:
    """Writes the numbers: from now on the run is finished."""
    files.write_json(self.path / _SUMMARY, summary)

  def remove_summary(self) -> None:
    """Makes a finished run an unfinished one."""
    (self.path / _SUMMARY).unlink(missing_ok=True)

  def history(self) -> tuple[Mapping[str, Any], ...]:
    """Returns one object per epoch; trees have none."""
    file = self.path / _HISTORY
    if not file.exists():
      return ()
    epochs = []
    for i, line in enumerate(file.read_bytes().splitlines()):
      try:
        epoch = files.parse_json(line)
      except ValueError as error:
        raise errors.DataError(
            f'{file}: line {i + 1} is damaged, not JSON ({error})'
        ) from error
      epochs.append(files.mapping(file, epoch))
    return tuple(epochs)

  def write_history(self, history: Iterable[Mapping[str, Any]]) -> None:
    """Writes one object per epoch."""
    files.write_text(
        self.path / _HISTORY,
        ''.join(json.dumps(record) + '\n' for record in history),
    )

  def split(self) -> list[list[str]]:
    """Returns (image id, label, group, subset or 'unused') of every image."""
    file = self.path / _SPLIT
    if not file.exists():
      raise errors.DataError(
          f'{self.path}: no {_SPLIT}, which holds the groups; restore it'
      )
    header, rows = files.read_table(file)
    if header != _SPLIT_HEADER:
      raise errors.DataError(
          f'{file}: the columns are {",".join(header)}, not '
          f'{",".join(_SPLIT_HEADER)}'
      )
    allowed = (*splits.SUBSETS, splits.UNUSED)
    for i, row in enumerate(rows):
      if len(row) != len(header) or row[3] not in allowed:
        raise errors.DataError(
            f'{file}: row {i + 2} is {",".join(row)!r}, not an image with its '
            f'subset, one of {", ".join(allowed)}'
        )
    return rows

  def left_out(self) -> tuple[tuple[str, str, bool], ...]:
    """Returns (image or file, why it was not used, whether it is an image)."""
    if not (self.path / SKIPPED).exists():
      return ()
    _, rows = files.read_table(self.path / SKIPPED)
    try:  # Older runs lack the third column.
      return tuple(
          (name, reason, what[:1] in ([], ['skipped']))
          for name, reason, *what in rows
      )
    except ValueError as error:
      raise errors.DataError(
          f'{self.path / SKIPPED}: damaged, not CSV ({error})'
      ) from error

  def fingerprints(self) -> dict[str, Any] | None:
    """Returns digests of the inputs and more; None for an older run."""
    if not (self.path / _FINGERPRINTS).exists():
      return None
    return files.read_json(self.path / _FINGERPRINTS)

  def write_inputs(
      self,
      fingerprints: Mapping[str, Any],
      split: Iterable[Sequence[str]],
      left_out: Collection[Sequence[str]],
  ) -> None:
    """Writes what the run reads.

    Args:
      fingerprints: what `fingerprints` returns later.
      split: what `split` returns later.
      left_out: (image or file, reason, 'skipped' if it is an image of the
        data set or 'left_out'); without any, there is no such file.
    """
    files.write_json(self.path / _FINGERPRINTS, fingerprints)
    files.write_table(self.path / _SPLIT, _SPLIT_HEADER, split)
    if left_out:
      files.write_table(self.path / SKIPPED, SKIPPED_HEADER, left_out)

  def has_predictions(self, subset: str) -> bool:
    """Whether there is a table of 'val' or 'test'."""
    return (self.path / predictions_name(subset)).exists()

  def predictions(
      self, subset: str, groups: Mapping[str, str] | None = None
  ) -> predictions_lib.Predictions:
    """Returns the scored images of 'val' or 'test'.

    Args:
      subset: which.
      groups: image id -> group; None: as the split table says.
    """
    if not self.has_predictions(subset):
      raise errors.DataError(
          f'{self.path}: no {predictions_name(subset)}: python -m medxfer '
          'evaluate writes the predictions again'
      )
    scored = predictions_lib.read(self.path / predictions_name(subset))
    if groups is None:
      groups = {row[0]: row[2] for row in self.split() if row[3] == subset}
    return predictions_lib.with_groups(scored, groups)

  def write_predictions(
      self, subset: str, table: predictions_lib.Predictions
  ) -> None:
    """Writes the scored images of a subset."""
    predictions_lib.write(self.path / predictions_name(subset), table)

  def take_scores(self, other: 'Workdir') -> None:
    """Copies what a folder, where the run was scored again, has of it."""
    if tables := list(other.path.glob(predictions_name('*'))):
      self.write_reference(other.reference())
    for table in tables:
      with files.replacing(self.path / table.name) as temporary:
        shutil.copyfile(table, temporary)

  def reference(self) -> neighbours.Reference | None:
    """Returns what tells how unlike its images others are, if it is kept."""
    file = self.path / _REFERENCE
    return neighbours.read(file) if file.exists() else None

  def write_reference(self, found: neighbours.Reference | None) -> None:
    """Writes what `reference` returns later; None removes it."""
    neighbours.write(self.path / _REFERENCE, found)

  def devices(self) -> str:
    """Returns what computed the run; '' if that is not recorded."""
    found = self._environment().get('devices', [])
    if not isinstance(found, list):
      raise errors.DataError(f'{self.path / _ENVIRONMENT}: devices is no list')
    return ', '.join(map(str, found))

  def continued(self) -> list[dict[str, Any]]:
    """Returns how more epochs made it another run than planned at once."""
    if not (self.path / _CONTINUED).exists():
      return []
    return files.read_json(self.path / _CONTINUED)['continued']

  def write_continued(self, notes: Sequence[Mapping[str, Any]]) -> None:
    """Writes what `continued` returns later."""
    if notes or (self.path / _CONTINUED).exists():
      files.write_json(self.path / _CONTINUED, {'continued': notes})

  def write_parameters(self, table: str) -> None:
    """Writes what trains, for people."""
    files.write_text(self.path / _PARAMETERS, table)

  def _environment(self) -> dict[str, Any]:
    if not (self.path / _ENVIRONMENT).exists():
      return {}
    return files.read_json(self.path / _ENVIRONMENT)

  def _refuse_newer(self) -> None:
    try:
      wrote = self._environment()['versions']['medxfer']
    except (errors.DataError, KeyError, TypeError):
      return  # An older run, or one without its environment.
    if _release(wrote) > _release(medxfer.__version__):
      raise errors.DataError(
          f'{self.path} was written by medxfer {wrote}, this is '
          f'{medxfer.__version__}; update medxfer (pip install -U medxfer)'
      )


def _release(version: Any) -> tuple[int, ...]:
  """Returns the numbers of '1.2.3'; () of what is no version."""
  found = re.match(r'\d+(\.\d+)*', str(version))
  return tuple(map(int, found[0].split('.'))) if found else ()
