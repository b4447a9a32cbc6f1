"""What an advice study has found, in numbers: the content of `advice.json`."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import math
from typing import Any

import numpy as np

from medxfer.evaluation import across_seeds
from medxfer.evaluation import intervals
from medxfer.evaluation import learning_curve
from medxfer.study.advice import choice as choices
from medxfer.study.advice import grid as grids
from medxfer.study.advice import results as results_lib

_FORMAT = 1


def of(
    grid: grids.Grid,
    results: results_lib.Results,
    choose: Callable[[int], choices.Choice | None],
    left: Sequence[grids.Cell],
    took: Mapping[str, float],
) -> dict[str, Any]:
  """Returns the numbers of a study, ready for JSON.

  Args:
    grid: of the study.
    results: its finished runs.
    choose: number of images -> choice.
    left: runs that were not made for want of time.
    took: cell's name -> seconds.

  Returns:
    `sizes`: one entry per number of training images, most first, see `_size`;
    `curves`: arm -> its learning curve; `rules`: mean regret of the advice and
    of each simple rule; `left`: names of runs.
  """
  found = {size: choose(size) for size in reversed(grid.sizes)}
  known = {size: one for size, one in found.items() if one}
  sizes = [_size(size, one, results, took) for size, one in known.items()]
  return {
      'format': _FORMAT,
      'study': grid.name,
      'spec': grid.spec(next(grid.cells())).to_json(),
      'runs': len(results),
      'title': grid.title,
      'images': dataclasses.asdict(grid.images),
      'rates': list(grid.rates),
      'seeds': list(grid.seeds),
      'margin': grids.MARGIN,
      'sizes': sizes,
      'curves': {arm: curve for arm, curve in _curves(grid, known)},
      'rules': _rules(sizes),
      'left': [cell.name for cell in left],
      'minutes': math.fsum(took.values()) / 60,
  }


def _size(
    size: int,
    choice: choices.Choice,
    results: results_lib.Results,
    took: Mapping[str, float],
) -> dict[str, Any]:
  """Returns what is known for one number of training images."""
  advised, best = choice.advised, choice.best_on_test
  control = choice.standings.get(grids.CONTROL)
  runs = results.at(size).values()
  return {
      'asked': size,
      'train_images': round(np.mean([run.entry.train_images for run in runs])),
      'arms': {
          arm: _arm(standing, choice, took)
          for arm, standing in choice.standings.items()
      },
      'leader': choice.leader.arm,
      'advised': advised.arm,
      'level': [standing.arm for standing in choice.level],
      'share': choice.shares[advised.arm],
      'shares': choice.shares,
      'best_on_test': best.arm,
      'runner_up': choice.runner_up.arm if choice.runner_up else None,
      'pretraining': advised.minus(control, 'test') if control else None,
  }


def _arm(
    standing: choices.Standing,
    choice: choices.Choice,
    took: Mapping[str, float],
) -> dict[str, Any]:
  """Returns what is known of an arm."""
  runs, best = standing.runs, choice.best_on_test
  seconds = [run.entry.train_seconds for run in runs]
  epochs = [run.entry.epochs for run in runs]
  to_best = standing.minus(best, 'test') if standing is not best else None
  return {
      'rate': standing.rate,
      'tried': list(standing.tried),
      'seeds': list(standing.seeds),
      'validation': standing.on_val,
      'validation_interval': over_seeds(runs, 'val')['interval'],
      'test': over_seeds(runs),
      'regret': _regret(to_best),
      'to_advised': standing.minus(choice.advised, 'test')
      if standing is not choice.advised
      else None,
      'dropped': standing.arm != grids.CONTROL
      and choice.is_dropped(standing.arm),
      'planted': _planted(runs),
      'operations': choice.costs[standing.arm],
      'minutes_per_epoch': sum(seconds) / sum(epochs) / 60,
      'minutes': float(
          np.mean([took.get(run.cell.name, np.nan) for run in runs]) / 60
      )
      if all(run.cell.name in took for run in runs)
      else None,
  }


def _planted(runs: Sequence[results_lib.Result]) -> dict[str, Any] | None:
  """Returns how far an arm falls for a planted mark, over the seeds."""
  found = [run.entry.planted for run in runs]
  known = [one for one in found if one]
  if not known or len(known) < len(found):
    return None
  return {
      'class': known[0]['class'],
      'n': known[0]['n'],
      **{
          key: float(np.mean([one[key] for one in known]))
          for key in ('before', 'after')
      },
      **across_seeds.estimate(
          [one['difference'] for one in known],
          [one['interval'] for one in known],
          bounds=(-1.0, 1.0),
      ),
  }


def over_seeds(
    runs: Sequence[results_lib.Result], subset: str = 'test'
) -> dict[str, Any]:
  """Returns the macro F1 of runs of several seeds, with an interval.

  Args:
    runs: of one arm, a seed each.
    subset: 'test' or 'val'.
  """
  tables = [run.entry.tables[subset] for run in runs]
  return across_seeds.estimate(
      [results_lib.f1_macro(table) for table in tables],
      [
          intervals.of_decisions(table, table.predicted)['f1_macro']
          for table in tables
      ],
  )


def _regret(to_best: Mapping[str, Any] | None) -> dict[str, Any]:
  """Returns how much an arm loses to the best on test; the best loses 0."""
  if to_best is None:
    return {'value': 0.0, 'interval': None}
  ends = to_best['interval']
  return {
      'value': -to_best['difference'],
      'interval': [-ends[1], -ends[0]] if ends else None,
  }


def _curves(
    grid: grids.Grid, known: Mapping[int, choices.Choice]
) -> Iterator[tuple[str, dict[str, Any]]]:
  """Yields each arm's macro F1 by number of images, fewest first."""
  for arm in grid.arms:
    points = [
        choice.standings[arm]
        for choice in reversed(list(known.values()))
        if arm in choice.standings
    ]
    if not points:
      continue
    sizes = [
        round(np.mean([run.entry.train_images for run in point.runs]))
        for point in points
    ]
    law = learning_curve.fit(
        sizes,
        [point.on_test for point in points],
        np.stack([point.test_draws for point in points]),
    )
    yield arm, {
        'points': [
            {'train_images': size, **over_seeds(point.runs)}
            for size, point in zip(sizes, points)
        ],
        'power_law': {**dataclasses.asdict(law), 'interval': list(law.interval)}
        if law
        else None,
    }


def _rules(sizes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
  """Returns the mean regret of the advice and of each rule over the sizes."""
  regrets: dict[str, list[float]] = {}
  for size in sizes:
    arms = size['arms']
    if not set(grids.RULES) <= set(arms):
      continue
    for rule, arm in (('advice', size['advised']), *zip(*[grids.RULES] * 2)):
      regrets.setdefault(rule, []).append(arms[arm]['regret']['value'])
  return {
      rule: {
          'mean': float(np.mean(found)),
          'most': max(found),
          'by_size': found,
      }
      for rule, found in regrets.items()
  }
