"""Runs every arm of a study, one after the other.

    medxfer study table_7_1[:PRESET,...] [--workdir=DIR] [--shard=I/N] \\
        [--config.study.seeds=0,1,2] [--config.KEY=VALUE ...]
    python -m medxfer.study --config=configs/table_7_1.py   (in a checkout)

DIR is runs/NAME[-PRESET...] if it is left out, such as runs/table_7_1-cpu.
The same command does what is left: finished runs are not repeated,
interrupted ones resume, and one that fails does not stop the others. Any key of
a run is set for all of them, as in --config.training.epochs=3. Shards may run
at the same time on the same folder.

`configs/advice.py` trains what its --budget allows, and ends in the answer to
which layers to fine-tune; what it found stands in DIR/advice.json.

The networks of `configs/layers.py` are then looked into, layer by layer, by
the shard that ends last; what is found stands in DIR/layers.json. Each has the
learning rate that is its best on validation images of the first seed.
"""

import pathlib
import shlex
import sys

from absl import flags
from ml_collections import config_flags

from medxfer import default_workdir
from medxfer import errors
from medxfer import launcher
from medxfer.study import plan
from medxfer.study import shards
from medxfer.study.advice import clock
from medxfer.study.advice import grid
from medxfer.training import strategy

_USUAL = '60m'
_CONFIG = config_flags.DEFINE_config_file(
    'config',
    None,
    'NAME[:PRESET,...], such as table_7_1:cpu; may also be '
    'given as the first word, without --config=.',
)
_WORKDIR = flags.DEFINE_string(
    'workdir',
    None,
    'Folder of the study; its runs lie in runs/. Left out: runs/NAME.',
)
_DRY_RUN = flags.DEFINE_boolean(
    'dry_run',
    False,
    'Print what is left to do and about how long it takes, and train nothing.',
)
_SHARD = flags.DEFINE_string(
    'shard', '1/1', 'I/N: do the I-th of N parts of the runs.'
)
_BUDGET = flags.DEFINE_string(
    'budget',
    None,
    'Of an advice: the time that it may take, such as 45m or 2h; left out: '
    f'{_USUAL}.',
)
# Key of a run -> this command's flag for it; see `launcher.run`.
CALLS = {
    'seed': '--config.study.seeds',
    'model.init_from': '--config.study.source_run',
}


def details() -> str:
  """Returns the rest of the help: recipes, arms, presets and keys."""
  from medxfer.recipes import reference

  return reference.of_studies()


def main(argv: list[str]) -> None:
  """Reads the flags, then runs what is left to do."""
  launcher.require(argv, _CONFIG)
  index, count = shards.parse(_SHARD.value)
  path = default_workdir.of_command(launcher.path(_WORKDIR), _CONFIG)
  if _CONFIG.value.get('study', {}).get('name', '').startswith(grid.PREFIX):
    _advise(path, (index, count))
    return
  if _BUDGET.value:
    raise errors.UsageError(
        f'--budget={_BUDGET.value}: this study trains all its runs; a budget '
        'is of --config=configs/advice.py'
    )
  for run in plan.from_config(_CONFIG.value, path).runs:
    strategy.check(run.spec)
  # TensorFlow and JAX take seconds to load: refuse first, load then.

  from medxfer.study import disk
  from medxfer.study import dry_run
  from medxfer.study import execute
  from medxfer.study import layer_measures
  from medxfer.study import rounds

  whole = plan.from_config(_CONFIG.value, path, rounds.assumed(path))
  mine = shards.runs_of(whole, index, count)
  layer_measures.check(whole)
  disk.announce([run.spec for run in whole.runs], (), path)
  if _DRY_RUN.value:
    dry_run.run(whole, path, mine)
    return
  chains = {run.chain for run in mine}
  study, failures = rounds.run(_CONFIG.value, path, chains)
  layer_measures.measure(study, path)
  print(
      f'\n{study.title}\n{execute.table(study, path)}\n\n'
      f'python -m medxfer report --workdir={shlex.quote(f"{path}")}'
  )
  failed = study.missing(failures)
  if failed:
    raise errors.DataError(
        f'{len(failed)} of {len(study.runs)} runs failed: '
        f'{", ".join(failed)}; {path / plan.FAILURES} says why, and the '
        'same command tries them again'
    )


def _advise(path: pathlib.Path, shard: tuple[int, int]) -> None:
  """Trains what the budget allows, and says what to fine-tune."""
  budget = clock.parse(_BUDGET.value or _USUAL)
  for spec in grid.first_specs(_CONFIG.value):
    strategy.check(spec)
  # TensorFlow and JAX take seconds to load: refuse first, load then.

  from medxfer.study.advice import run
  from medxfer.study.advice import state

  study = state.Study(_CONFIG.value, path, budget, shard)
  if _DRY_RUN.value:
    run.dry_run(study)
    return
  found = run.run(study)
  lines = '\n'.join(found['sentences'])
  print(
      f'\n{study.grid.title}\n{lines}\n\n'
      f'python -m medxfer report --workdir={shlex.quote(f"{path}")}'
  )


if __name__ == '__main__':
  launcher.run(sys.modules[__name__])
