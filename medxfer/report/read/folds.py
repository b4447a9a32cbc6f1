"""Runs of all folds of a split, pooled to one."""

from collections.abc import Iterable
import dataclasses

from medxfer import errors
from medxfer.report.read import finished_run
from medxfer.runs import folds


def pool(
    runs: Iterable[finished_run.Run],
) -> tuple[list[finished_run.Run], dict[str, str]]:
  """Replaces the runs of all folds of one specification and seed by one.

  Args:
    runs: finished runs.

  Returns:
    The runs, pooled ones at the place of their first fold; and those that were
    left out -> why: some of their folds are missing. The first fold alone is
    a run like others.
  """
  alike: dict[tuple, dict[int, finished_run.Run]] = {}
  for run in runs:
    key = run.dataset, run.identity, run.spec.seed
    alike.setdefault(key, {})[run.spec.data.fold] = run
  found, left_out = [], {}
  for by_fold in alike.values():
    count = next(iter(by_fold.values())).spec.data.folds
    if len(by_fold) == count:
      try:
        found.append(_pooled([by_fold[fold] for fold in range(count)]))
        continue
      except errors.DataError as error:
        reason = str(error)
    else:
      missing = [f'{k}' for k in range(count) if k not in by_fold]
      reason = f'of {count} folds there is no fold {", ".join(missing)}'
    for fold, run in by_fold.items():
      if fold == 0:
        found.append(run)
      else:
        left_out[run.name] = reason
  return found, left_out


def _pooled(runs: list[finished_run.Run]) -> finished_run.Run:
  """Returns one run with the predictions of all; the first fold's files."""
  first = runs[0]
  tests = [run.predictions for run in runs]
  whole = folds.pooled(tests)
  return dataclasses.replace(
      first,
      name=f'{first.name} and {len(runs) - 1} more folds',
      summary=folds.summary([run.summary for run in runs], tests, first.spec),
      predictions=whole,
      images={
          name: {'train': 0, 'val': 0, 'test': int((whole.labels == k).sum())}
          for k, name in enumerate(whole.class_names)
      },
      folds=tuple(runs),
  )
