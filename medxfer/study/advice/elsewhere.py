"""Whether the advice holds on images from elsewhere."""

from collections.abc import Mapping
from collections.abc import Sequence
import pathlib
from typing import Any

from medxfer import classifier
from medxfer import errors
from medxfer.evaluation import across_seeds
from medxfer.evaluation import measure
from medxfer.evaluation import paired
from medxfer.evaluation import predictions as predictions_lib
from medxfer.external import results
from medxfer.external import validation
from medxfer.runs import workdir
from medxfer.study import plan
from medxfer.study.advice import choice as choices
from medxfer.study.advice import grid as grids

_GROUPS = 'groups.csv'
_METRICS = ('f1_macro', 'auroc_macro')


def groups(source: pathlib.Path) -> pathlib.Path | None:
  """Returns the table of groups that lies beside the classes, or None."""
  file = source / _GROUPS
  return file if file.is_file() else None


def arms(choice: choices.Choice) -> list[str]:
  """Returns the strategies that are worth scoring there."""
  runner_up = choice.runner_up
  names = [
      choice.advised.arm,
      *([runner_up.arm] if runner_up else []),
      *grids.RULES,
      grids.CONTROL,
  ]
  return [arm for arm in dict.fromkeys(names) if arm in choice.standings]


def score(
    choice: choices.Choice, path: pathlib.Path, source: pathlib.Path
) -> dict[str, Any]:
  """Scores networks that saw all training images on images from elsewhere.

  Args:
    choice: among the strategies with all training images.
    path: the study's folder.
    source: a folder or table of labelled images, see `external.labelled`; a
      file `groups.csv` in a folder names its groups.

  Returns:
    `name`, `n`, `advised` and `arms`: strategy -> `f1_macro` and
    `auroc_macro` (over the seeds) and `to_advised` (the difference of the
    macro F1, None of the advised one).

  Raises:
    DataError: the images cannot be read, or no network is kept.
    UsageError: as of `external.validation`.
  """
  tables: dict[str, dict[int, predictions_lib.Predictions]] = {}
  scores: dict[str, list[Mapping[str, Any]]] = {}
  name = results.check_name(source.resolve().stem)
  for arm in arms(choice):
    for run in choice.standings[arm].runs:
      folder = path / plan.RUNS / run.cell.name
      if not workdir.Workdir(folder).checkpoints.is_dir():
        continue  # Somebody removed it: its record is all there is.
      found = _scored(folder, name, source)
      scores.setdefault(arm, []).append(found['scores'])
      tables.setdefault(arm, {})[run.cell.seed] = results.predictions(
          folder, name
      )
  advised = choice.advised.arm
  if advised not in tables:
    raise errors.DataError(
        f'{path / plan.RUNS}: the networks of {advised} are not kept, so '
        'nothing can be said of images from elsewhere'
    )
  return {
      'name': name,
      'n': len(next(iter(tables[advised].values())).image_ids),
      'advised': advised,
      'arms': {
          arm: {
              **{key: _over_seeds(scores[arm], key) for key in _METRICS},
              'to_advised': _difference(tables[arm], tables[advised])
              if arm != advised
              else None,
          }
          for arm in tables
      },
  }


def _scored(
    folder: pathlib.Path, name: str, source: pathlib.Path
) -> Mapping[str, Any]:
  """Returns the results of one network there, kept or made."""
  for found in results.read(folder):
    if found['name'] == name:
      return found
  return validation.validate(
      classifier.load(folder), source, name=name, groups=groups(source)
  )


def _over_seeds(found: Sequence[Mapping[str, Any]], key: str) -> dict[str, Any]:
  known = [
      one
      for one in (measure.Measure.among(scores, key) for scores in found)
      if one.value is not None
  ]
  if not known:
    return {'value': None, 'interval': None, 'seeds': 0, 'sd': None}
  return across_seeds.estimate(
      [one.value for one in known if one.value is not None],
      [one.interval for one in known],
  )


def _difference(
    mine: Mapping[int, predictions_lib.Predictions],
    advised: Mapping[int, predictions_lib.Predictions],
) -> dict[str, Any] | None:
  pairs = [(mine[seed], advised[seed]) for seed in mine if seed in advised]
  return paired.compare_seeds(pairs)['f1_macro'] if pairs else None
