"""Runs an advice study until its budget is spent or all is known."""

from typing import Any

from medxfer import console
from medxfer import errors
from medxfer import progress
from medxfer.runs import backbone
from medxfer.study import disk
from medxfer.study import execute
from medxfer.study import plan
from medxfer.study.advice import sentence
from medxfer.study.advice import state


def run(study: state.Study) -> dict[str, Any]:
  """Trains what the budget allows, and returns the advice.

  Raises:
    UsageError: the budget does not hold a single run, or the folder holds
      something else.
    DataError: weights are missing, or no run was finished.
  """
  backbone.check(study.grid.spec(next(study.grid.cells())).model)
  _refuse_small(study)
  execute.write_study(
      plan.Study(study.grid.name, study.grid.title, ()), study.path
  )
  _say_disk(study)
  while (cell := study.next()) and not study.is_hopeless():
    console.line(f'\n{_state(study)}\nnow: {cell.name}')
    study.attempt(cell)
    found = study.choose(0)
    if found:
      console.line(sentence.so_far(study.grid, found))
  if not study.results:
    why = '; '.join(dict.fromkeys(study.failed.values()))
    raise errors.DataError(
        f'{study.path}: no run was finished: {why or "the budget is spent"}'
    )
  console.line(f'\n{_state(study)}')
  return study.write(study.after())


def _say_disk(study: state.Study) -> None:
  """Says what may be kept; networks that saw fewer images are not."""
  cells = [*study.results, *study.left()]
  disk.announce(
      [study.grid.spec(cell) for cell in cells if not cell.size],
      [study.grid.spec(cell) for cell in cells if cell.size],
      study.path,
  )


def dry_run(study: state.Study) -> None:
  """Prints what is planned by what is known, and about how long it takes."""
  _say_disk(study)
  console.line(f'{study.grid.title}, in {study.path}\n{_state(study)}')
  for cell in study.mine(study.left()):
    console.line(
        f'{cell.name}  about {progress.duration(study.seconds([cell]))}'
    )
  console.line(
      'runs that validation images make superfluous will be left out; dry run: '
      'nothing was trained or written'
  )


def _refuse_small(study: state.Study) -> None:
  """Refuses a budget that is too small for a first run."""
  cells = study.mine(study.left())
  if study.results or not cells or study.next():
    return
  needed = min(study.seconds([cell]) for cell in cells)
  raise errors.UsageError(
      f'--budget: {progress.duration(max(study.clock.left, 0.0))} are left, '
      f'and one run takes about {progress.duration(needed)}; give '
      f'--budget={int((needed / 0.7 + study.clock.spent) // 60) + 1}m or more'
  )


def _state(study: state.Study) -> str:
  """Returns how far a study is."""
  cells = study.left()
  clock = study.clock
  return (
      f'[{len(study.results)} runs are finished, up to {len(cells)} more would '
      f'take about {progress.duration(study.seconds(cells))}; '
      f'{progress.duration(clock.spent)} of {progress.duration(clock.budget)} '
      'are spent]'
  )
