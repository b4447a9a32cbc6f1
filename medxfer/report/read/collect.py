"""Which runs lie below a folder, and which of them can be reported."""

from collections.abc import Iterator
import dataclasses
import os
import pathlib

from medxfer import errors
from medxfer import files
from medxfer.report.read import advice_studies
from medxfer.report.read import finished_run
from medxfer.report.read import folds
from medxfer.report.read import layer_studies
from medxfer.runs import workdir
from medxfer.study import layer_arms
from medxfer.study import plan
from medxfer.study.advice import grid


@dataclasses.dataclass(frozen=True)
class LeftOut:
  """A folder that looks like a run and cannot be reported."""

  name: str
  reason: str


@dataclasses.dataclass(frozen=True, eq=False)
class Collection:
  """What a report is made of.

  Attributes:
    root: the folder that was searched.
    runs: the finished runs, by name, but for those of the studies.
    left_out: the others, by name.
    studies: those of layers.
    advices: those of strategies; their runs are in no table of `runs`.
  """

  root: pathlib.Path
  runs: tuple[finished_run.Run, ...]
  left_out: tuple[LeftOut, ...]
  studies: tuple[layer_studies.LayerStudy, ...] = ()
  advices: tuple[advice_studies.AdviceStudy, ...] = ()

  @property
  def all_runs(self) -> tuple[finished_run.Run, ...]:
    """The finished runs, with those of the studies."""
    return (
        *self.runs,
        *(
            run
            for study in self.studies
            for column in study.columns.values()
            for run in column.runs
        ),
    )

  @property
  def count(self) -> int:
    """How many finished runs the report says something of."""
    return len(self.all_runs) + sum(study.runs for study in self.advices)


def collect(root: pathlib.Path) -> Collection:
  """Reads every run below a folder; what cannot be read is left out.

  Args:
    root: a workdir, a study, or any folder above some.

  Returns:
    The runs; of two with one specification and seed, the first by name.

  Raises:
    UsageError: there is no such folder.
    DataError: no run below it can be reported.
  """
  if not root.is_dir():
    raise errors.UsageError(f'{root}: no such folder; give another --workdir')
  advices, left_out = _advices(root)
  runs, seen = [], {}
  grouped = {home: [] for home in _studies(root, layer_arms.PREFIX)}
  for path in _workdirs(root):
    name = _name(path, root)
    run = _read(path, name)
    if isinstance(run, LeftOut):
      left_out.append(run)
      continue
    if path.parent.parent in grouped:
      grouped[path.parent.parent].append(run)
      continue
    first = seen.setdefault(
        (run.dataset, run.identity, run.spec.seed, run.spec.data.fold), name
    )
    if first == name:
      runs.append(run)
    else:
      left_out.append(
          LeftOut(name, f'repeats {first}: same specification, same seed')
      )
  runs, incomplete = folds.pool(runs)
  left_out += [LeftOut(name, why) for name, why in incomplete.items()]
  left_out += _not_begun(root)
  studies = []
  for path, members in grouped.items():
    try:
      studies.append(layer_studies.arrange(path, _name(path, root), members))
    except errors.DataError as error:
      left_out.append(
          LeftOut(
              _name(path, root), finished_run.without_folder(str(error), path)
          )
      )
  studies = [study for study in studies if study]
  if not runs and not studies and not advices:
    reasons = ''.join(f'\n  {item.name}: {item.reason}' for item in left_out)
    raise errors.DataError(
        f'{root}: no finished run below it; train one with '
        f'python -m medxfer.main{reasons and ". Left out:" + reasons}'
    )
  return Collection(root, tuple(runs), tuple(left_out), tuple(studies), advices)


def _studies(root: pathlib.Path, prefix: str) -> list[pathlib.Path]:
  """Returns the folders of one kind of study below a folder, or that it is."""
  found = []
  for path in sorted(root.rglob(plan.STUDY)):
    try:
      name = files.read_json(path)['name']
    except (errors.DataError, KeyError, TypeError):
      continue  # `_not_begun` says that it is damaged.
    if isinstance(name, str) and name.startswith(prefix):
      found.append(path.parent)
  return found


def _advices(
    root: pathlib.Path,
) -> tuple[tuple[advice_studies.AdviceStudy, ...], list[LeftOut]]:
  """Returns the advice studies, and those that say nothing yet."""
  found, left_out = [], []
  for path in _studies(root, grid.PREFIX):
    name = _name(path, root)
    try:
      found.append(advice_studies.read(path, name))
    except errors.DataError as error:
      left_out.append(LeftOut(name, f'{error}'))
  return tuple(found), left_out


def _read(path: pathlib.Path, name: str) -> finished_run.Run | LeftOut:
  """Returns a run, or why it cannot be reported."""
  try:
    return finished_run.read(path, name)
  except errors.DataError as error:
    reason = _failure(path) or finished_run.without_folder(str(error), path)
    return LeftOut(name, reason)
  except RecursionError:
    return LeftOut(name, 'a file of it is nested too deeply')
  except OSError as error:
    return LeftOut(name, f'cannot be read ({error.strerror})')


def _workdirs(root: pathlib.Path) -> Iterator[pathlib.Path]:
  """Yields the folders that a run began, in the order of their names."""
  advice = set(_studies(root, grid.PREFIX))
  for folder, below, names in os.walk(root):
    if pathlib.Path(folder) in advice:
      # Its record has what they decided, its advice what they say.
      below[:] = [name for name in below if name != plan.RUNS]
    if workdir.is_begun(names):
      below.clear()
      yield pathlib.Path(folder)
    below[:] = sorted(
        name
        for name in below
        # A run wrote its checkpoints for itself; nothing below is a run.
        if name != workdir.CHECKPOINTS and not name.startswith('.')
    )


def _not_begun(root: pathlib.Path) -> Iterator[LeftOut]:
  """Yields the runs that a study plans and that have no workdir yet."""
  for path in sorted(root.rglob(plan.STUDY)):
    try:
      planned = list(files.read_json(path)['runs'])
    except (errors.DataError, KeyError, TypeError):
      yield LeftOut(_name(path, root), 'damaged: no plan of a study')
      continue
    for name in planned:
      folder = path.parent / plan.RUNS / name
      if not workdir.Workdir(folder).is_begun:
        yield LeftOut(_name(folder, root), _failure(folder) or 'not begun')


def _failure(path: pathlib.Path) -> str:
  """Returns why a study's run failed, or ''."""
  note = path.parent.parent / plan.FAILURES / f'{path.name}.txt'
  if path.parent.name != plan.RUNS or not note.is_file():
    return ''
  return f'failed: {note.read_text(encoding="utf-8").strip()}'


def _name(path: pathlib.Path, root: pathlib.Path) -> str:
  if path == root:
    return root.resolve().name
  return path.relative_to(root).as_posix()
