"""Runs the runs of a study, one after the other."""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import pathlib
import time
from typing import Any

from medxfer import console
from medxfer import errors
from medxfer import files
from medxfer import spec as specs
from medxfer.evaluation import measure
from medxfer.evaluation import summary as summaries
from medxfer.runs import averages
from medxfer.runs import backbone
from medxfer.runs import folds
from medxfer.runs import resume
from medxfer.runs import workdir
from medxfer.study import child_process
from medxfer.study import plan


def execute(
    study: plan.Study, path: pathlib.Path, runs: Sequence[plan.Planned]
) -> dict[str, str]:
  """Does what is left to do of some of a study's runs.

  A finished run is not repeated, an interrupted one resumes, and one that
  fails does not stop the others; why it failed stands in failures/NAME.txt
  until it succeeds.

  Args:
    study: the whole.
    path: its folder; created if absent.
    runs: those that this process does.

  Returns:
    Run -> why it failed.

  Raises:
    UsageError: the folder holds something else.
    DataError: ImageNet's weights, or those of a run outside the study, are
      missing or do not fit.
  """
  # Hours before their turn comes; each source once.
  sources = {
      (run.spec.model.init_from, run.spec.model.weights): run.spec.model
      for run in runs
      if run.after is None and _summary(path / plan.RUNS / run.name) is None
  }
  for model in sources.values():
    backbone.check(model)
  write_study(study, path)
  failures: dict[str, str] = {}
  for number, run in enumerate(runs, start=1):
    console.line(f'\n[{number}/{len(runs)}] {run.name}')
    if run.after in failures:
      problem = f'not started, because {run.after} failed'
    else:
      problem = attempt(run.spec, path / plan.RUNS / run.name)
    keep_failure(path, run.name, problem)
    if problem:
      failures[run.name] = problem
  return failures


def keep_failure(path: pathlib.Path, name: str, problem: str) -> None:
  """Says and writes why a run failed; '' removes what an earlier one left."""
  note = path / plan.FAILURES / f'{name}.txt'
  if problem:
    console.line(f'failed: {problem}')
    note.parent.mkdir(exist_ok=True)
    files.write_text(note, problem + '\n')
  else:
    note.unlink(missing_ok=True)


def table(study: plan.Study, path: pathlib.Path) -> str:
  """Returns what the finished runs reached, one line per run."""
  width = max(len(run.name) for run in study.runs)
  lines = [f'{"run":<{width}}  accuracy  macro F1  minutes']
  for run in study.runs:
    summary = _summary(path / plan.RUNS / run.name)
    if summary is None:
      lines.append(f'{run.name:<{width}}  not finished')
      continue
    test = summary['test']
    lines.append(
        f'{run.name:<{width}}  {test["accuracy"]:8.3f}  '
        f'{test["f1_macro"]:8.3f}  {summary["train_seconds"] / 60:7.1f}'
    )
  for together in (_pooled, _averaged):
    try:
      lines += together(study, path)
    except errors.DataError as error:
      lines.append(f'not told together: {error}')
  return '\n'.join(lines)


def _pooled(study: plan.Study, path: pathlib.Path) -> Iterator[str]:
  """Yields what all folds of an arm and seed reach together."""
  alike: dict[str, list[plan.Planned]] = {}
  for run in study.runs:
    arm, fold, _ = run.name.partition('-fold')
    if fold:
      alike.setdefault(arm, []).append(run)
  for arm, runs in alike.items():
    places = [workdir.Workdir(path / plan.RUNS / run.name) for run in runs]
    if not all(place.is_finished for place in places):
      continue
    test = folds.summary(
        [place.summary() for place in places],
        [place.predictions('test') for place in places],
        runs[0].spec,
    )['test']
    yield (
        f'{arm}, {len(runs)} folds, each of the {test["n"]:,} images scored '
        f'once: {_shown(test)}'
    )


def _averaged(study: plan.Study, path: pathlib.Path) -> Iterator[str]:
  """Yields what the seeds of an arm reach together, on the same test images."""
  alike: dict[str, list[pathlib.Path]] = {}
  for run in study.compared:
    folder = path / plan.RUNS / run.name
    if run.name.endswith(f'-seed{run.spec.seed}') and (
        workdir.Workdir(folder).is_finished
    ):
      alike.setdefault(run.spec.arm, []).append(folder)
  for arm, folders in alike.items():
    if len(folders) < 2:
      continue
    found = averages.read(folders)
    if found.counts.min() < found.runs:
      continue
    test = summaries.split_summary(found.test)
    yield f'{arm}, average of {found.runs} seeds: {_shown(test)}'


def _shown(test: Mapping[str, Any]) -> str:
  return ', '.join(
      f'{title} {measure.Measure.among(test, key).text()}'
      for key, title in (('accuracy', 'accuracy'), ('f1_macro', 'macro F1'))
  )


def write_study(study: plan.Study, path: pathlib.Path) -> None:
  """Says what the folder holds, unless it says something else already."""
  target = path / plan.STUDY
  if target.exists():
    name = files.read_json(target).get('name')
    if name != study.name:
      raise errors.UsageError(
          f'{path} holds the study {name!r}, not {study.name!r}; give another '
          '--workdir'
      )
  elif path.exists() and (not path.is_dir() or any(path.iterdir())):
    raise errors.UsageError(
        f'{path}: neither empty nor a study; give another --workdir'
    )
  path.mkdir(parents=True, exist_ok=True)
  files.write_json(
      target,
      {
          'name': study.name,
          'title': study.title,
          'runs': {run.name: run.spec.to_json() for run in study.runs},
      },
  )


def attempt(
    spec: specs.RunSpec, path: pathlib.Path, seconds: float | None = None
) -> str:
  """Runs one run in a process of its own; see `child_process.run`."""
  if _summary(path) is not None:
    try:
      resume.refuse_other_spec(path, spec)
      if resume.work(path, spec) == resume.Work.NOTHING:
        resume.say_finished(path, spec)
        return ''
    except errors.MedxferError as error:
      return str(error)
  started = time.monotonic()
  problem = child_process.run(spec, path, seconds)
  if problem:
    return problem
  console.line(f'took {(time.monotonic() - started) / 60:.1f} minutes')
  return ''


def _summary(path: pathlib.Path) -> Mapping[str, Any] | None:
  try:
    return workdir.Workdir(path).summary()
  except (errors.DataError, OSError):
    return None
