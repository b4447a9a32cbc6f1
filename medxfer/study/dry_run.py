"""What a study would do: each run's state, and about how long it takes."""

from collections.abc import Sequence
import dataclasses
import pathlib

from medxfer import baselines
from medxfer import cache
from medxfer import console
from medxfer import progress
from medxfer import spec as specs
from medxfer.runs import dry_run
from medxfer.runs import inputs as inputs_lib
from medxfer.study import plan
from medxfer.training import compiled


def run(
    study: plan.Study, path: pathlib.Path, runs: Sequence[plan.Planned]
) -> None:
  """Prints a line for each run, and the sum; trains and writes nothing.

  Args:
    study: the whole.
    path: its folder.
    runs: those that this process would do.

  Raises:
    UsageError: a workdir belongs to another specification.
    DataError: images are missing or damaged.
  """
  read: dict[tuple[specs.DataSpec, int], inputs_lib.Inputs] = {}
  lines, total = [], 0.0
  wide = max(len(planned.name) for planned in runs)
  for planned in runs:
    folder = path / plan.RUNS / planned.name
    state = dry_run.state_of(planned.spec, folder)
    estimate = ''
    if state != dry_run.FINISHED and planned.spec.model.name in baselines.NAMES:
      estimate = 'not estimated (trees)'
    elif state != dry_run.FINISHED:
      # Weights change no time, and a source may not have been trained yet.
      spec = _from_random(planned.spec)
      key = (spec.data, spec.seed)
      if key not in read:
        compiled.keep(cache.folder(spec.cache_dir))
        read[key] = inputs_lib.read(spec)
      took = dry_run.seconds(spec, read[key], folder)
      total += took
      estimate = f'about {progress.duration(took)}'
    lines.append(f'{planned.name:<{wide}}  {state:<28}  {estimate}'.rstrip())
  console.line(f'\n{study.title}, in {path}')
  for line in lines:
    console.line(line)
  console.line(
      f'left to do: about {progress.duration(total)}, estimated from the '
      'operations of each step and the speed of a scoring step on this '
      'machine, without start-up and compilation; early stopping may end runs '
      'sooner'
  )
  console.line('dry run: nothing was trained or written to the workdir')


def _from_random(spec: specs.RunSpec) -> specs.RunSpec:
  model = dataclasses.replace(
      spec.model, init_from='random', transferred='all', inherit='weights'
  )
  return dataclasses.replace(spec, model=model)
