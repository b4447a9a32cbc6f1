"""What a command does in a workdir that already holds a run."""

from collections.abc import Sequence
import enum
import pathlib
import shlex
from typing import Any

from medxfer import baselines
from medxfer import console
from medxfer import errors
from medxfer import spec as specs
from medxfer.runs import workdir
from medxfer.training import checkpoints as checkpoints_lib
from medxfer.training import loop

# Keys that name places; digests compare what lies there.
_PLACES = ('data.dir', 'data.groups', 'model.init_from', 'model.weights')
# Keys of `evaluation` that change what is scored, or its numbers.
_SCORED_BY = (
    'batch_size',
    'calibration',
    'test_time_views',
    'reference_images',
)
_LENGTH = ('training.epochs', 'training.patience')
# What may differ between two starts of one run: places, what the recipe is
# called, how long the run is and how it is scored.
_MAY_DIFFER = (
    *_PLACES,
    'data.cache',
    'cache_dir',
    'arm',
    'modifiers',
    *_LENGTH,
    'evaluation.resamples',
    'evaluation.positive',
    'evaluation.subgroups',
    'evaluation.at',
    'evaluation.prevalence',
    *(f'evaluation.{key}' for key in _SCORED_BY),
)


class Work(enum.IntEnum):
  """What is left to do, the least first."""

  NOTHING = 0
  COMPARE = 1  # Nothing, if the inputs, which lie elsewhere now, are the same.
  COUNT = 2  # The numbers again, from the predictions that are there.
  SCORE = 3  # The predictions as well.
  TRAIN = 4


def refuse_other_spec(path: pathlib.Path, spec: specs.RunSpec) -> None:
  """Compares a workdir's configuration with the one that is asked for.

  Raises:
    UsageError: they differ in more than names and places, or the folder
      holds files but is no workdir.
    DataError: its configuration is damaged, or of a newer version.
  """
  folder = workdir.Workdir(path)
  if not folder.is_begun:
    strangers = sorted(
        p.name for p in path.iterdir() if not p.name.startswith('.')
    )
    if strangers:
      raise errors.UsageError(
          f'{path}: holds {strangers[0]} but no config.json, so it is no '
          'workdir of medxfer; give an empty or new --workdir'
      )
    return
  # Read, because a key that is younger than the run has a default there.
  refuse_difference(path, folder.spec().to_json(), spec)


def refuse_difference(
    path: pathlib.Path,
    old: dict[str, Any],
    spec: specs.RunSpec,
    *,
    as_long: bool = False,
) -> None:
  """Compares the specification of a run with the one that is asked for.

  Args:
    path: its workdir.
    old: its specification, as JSON.
    spec: what is asked for.
    as_long: whether it has to be as long, too.

  Raises:
    UsageError: they differ in more than names and places.
  """
  free = [key for key in _MAY_DIFFER if not (as_long and key in _LENGTH)]
  lines = [
      line
      for line in specs.difference(old, spec.to_json())
      if line.split(':')[0] not in free
  ]
  if lines:
    raise errors.UsageError(
        f'{path} belongs to another run: give another --workdir, such as '
        f'--workdir={shlex.quote(f"{path}-2")}, or the old values, each by '
        '--config.KEY=VALUE. Old -> new:\n  ' + '\n  '.join(lines)
    )


def work(path: pathlib.Path, spec: specs.RunSpec) -> Work:
  """Returns what is left to do in a workdir for a specification.

  Args:
    path: the workdir; its run is no other, see `refuse_other_spec`.
    spec: what is asked for.

  Raises:
    UsageError: it asks for fewer epochs than are done, or for other stages.
    DataError: it asks for more epochs, or for other scores, and there is no
      checkpoint for that.
  """
  folder = workdir.Workdir(path)
  if not folder.is_begun:
    return Work.TRAIN
  before, finished = folder.spec(), folder.is_finished
  if spec.model.name not in baselines.NAMES and (
      before.training != spec.training
  ):
    records = history(path)
    _refuse_other_stages(path, before.training, spec.training)
    _refuse_fewer(path, records, spec.training)
    if finished and not records:
      raise errors.DataError(
          f'{path}: no checkpoint of this finished run is left to resume from; '
          f'give --config.training.epochs={before.training.epochs} as before, '
          'or another --workdir'
      )
    if finished and not loop.is_over(records, spec.training):
      return Work.TRAIN
  if not finished:
    return Work.TRAIN
  if before.evaluation == spec.evaluation:
    changed = {
        line.split(':')[0]
        for line in specs.difference(before.to_json(), spec.to_json())
    }
    return Work.COMPARE if changed & set(_PLACES) else Work.NOTHING
  subsets = ('test',) if spec.model.name in baselines.NAMES else ('val', 'test')
  changed = [
      key
      for key in _SCORED_BY
      if getattr(before.evaluation, key) != getattr(spec.evaluation, key)
  ]
  if (
      spec.model.name in baselines.NAMES
      or not changed
      and all(folder.has_predictions(subset) for subset in subsets)
  ):
    return Work.COUNT
  if not history(path):
    _refuse_to_score(path, before, changed)
  return Work.SCORE


def _refuse_to_score(
    path: pathlib.Path, before: specs.RunSpec, changed: Sequence[str]
) -> None:
  """Says that no network is left; or the run would train once more."""
  ways = [
      f'--config.evaluation.{key}={getattr(before.evaluation, key)}'
      for key in changed
  ]
  raise errors.DataError(
      f'{path}: no checkpoint of this finished run is left to score images '
      f'with; give {" ".join([*ways, "as before, or "]) if ways else ""}'
      'another --workdir'
  )


def history(path: pathlib.Path) -> Sequence[loop.Record]:
  """Returns one record per epoch that is done, as the checkpoints have them."""
  if not workdir.Workdir(path).checkpoints.is_dir():
    return ()
  return checkpoints_lib.Checkpoints(path, read_only=True).history()


def _refuse_other_stages(
    path: pathlib.Path, before: specs.TrainingSpec, now: specs.TrainingSpec
) -> None:
  """Refuses what would have ended its stages at other epochs."""
  asked = [
      f'--config.training.{key}={getattr(before, key)}'
      for key in ('epochs', 'patience')
      if getattr(before, key) != getattr(now, key)
  ]
  if before.stages.strip() and asked:
    raise errors.UsageError(
        f'{path}: its stages would have ended at other epochs; give '
        f'{" ".join(asked)} as before, or another --workdir'
    )


def _refuse_fewer(
    path: pathlib.Path,
    records: Sequence[loop.Record],
    training: specs.TrainingSpec,
) -> None:
  """Refuses a plan by which a run would have ended before it did."""
  done = len(records)
  end = next(
      (
          epoch
          for epoch in range(1, done)
          if loop.is_over(records[:epoch], training)
      ),
      done,
  )
  if training.epochs < done:
    raise errors.UsageError(
        f'{path}: {done} epochs of this run are done, '
        f'training.epochs={training.epochs} asks for fewer; give '
        f'--config.training.epochs={done} or more, or another --workdir'
    )
  if end < done:
    raise errors.UsageError(
        f'{path}: with training.patience={training.patience} this run would '
        f'have ended after epoch {end}, and {done} are done; give the '
        'patience that it had, or another --workdir'
    )


def say_finished(path: pathlib.Path, spec: specs.RunSpec) -> None:
  """Prints that nothing is left to do, and why no epoch is."""
  console.line(f'{path} is finished')
  if spec.model.name in baselines.NAMES:
    return
  summary = workdir.Workdir(path).summary()
  done = summary['epochs_run']
  if done < spec.training.epochs and spec.training.stages.strip():
    console.line(
        f'note: it ended after epoch {done} of {spec.training.epochs}, because '
        f'in a stage {spec.training.patience} epochs brought none better'
    )
  elif done < spec.training.epochs:
    console.line(
        f'note: it ended after epoch {done} of {spec.training.epochs}, because '
        f'{spec.training.patience} epochs brought none better than epoch '
        f'{summary["best_epoch"]}; '
        f'--config.training.patience={2 * spec.training.patience} waits '
        'longer, 0 never stops'
    )
