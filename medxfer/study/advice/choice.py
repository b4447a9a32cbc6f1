"""Which strategy the validation images choose for a number of images.

Each arm is taken at the learning rate that is best on the validation images of
the first seed, and scored by the mean over its seeds. The leader is the arm
with the highest score. An arm is dropped if fewer than one in a hundred sets
of resampled validation images (and seeds) put it level with the leader.

The advice is the cheapest arm that the validation images cannot tell from the
leader (the 95 % interval of the difference holds zero) and that loses at most
`grid.MARGIN` to it: the leader of several equals is a matter of chance, its
price is not. An arm that loses more without being clearly worse is not advised,
because its expected loss is larger than what it saves.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import functools
from typing import Any

import numpy as np

from medxfer.evaluation import paired
from medxfer.evaluation import selection_stability
from medxfer.study import rates as rates_lib
from medxfer.study.advice import grid as grids
from medxfer.study.advice import results as results_lib

_DOUBT = 0.01


@dataclasses.dataclass(frozen=True, eq=False)
class Standing:
  """An arm at its best learning rate.

  Attributes:
    arm: its name.
    rate: the factor of the learning rate that validation chose.
    tried: the factors that were tried.
    runs: at that rate, one per seed, ascending.
  """

  arm: str
  rate: float
  tried: tuple[float, ...]
  runs: tuple[results_lib.Result, ...]

  @property
  def seeds(self) -> tuple[int, ...]:
    """The seeds of its runs."""
    return tuple(run.cell.seed for run in self.runs)

  @property
  def on_val(self) -> float:
    """Mean macro F1 on validation images."""
    return float(np.mean([run.on_val for run in self.runs]))

  @property
  def on_test(self) -> float:
    """Mean macro F1 on test images."""
    return float(np.mean([run.on_test for run in self.runs]))

  @functools.cached_property
  def val_draws(self) -> np.ndarray:
    """The mean over seeds on resampled validation images and seeds."""
    return selection_stability.over_seeds(
        np.stack([run.val_draws for run in self.runs]), seed=0
    )

  @functools.cached_property
  def test_draws(self) -> np.ndarray:
    """The mean over seeds on resampled test images and seeds."""
    return selection_stability.over_seeds(
        np.stack([run.test_draws for run in self.runs]), seed=0
    )

  def common(self, other: 'Standing') -> list[tuple[Any, Any]]:
    """Returns the runs of both of each seed that both have."""
    theirs = {run.cell.seed: run for run in other.runs}
    return [
        (run, theirs[run.cell.seed])
        for run in self.runs
        if run.cell.seed in theirs
    ]

  def minus(self, other: 'Standing', subset: str) -> dict[str, Any]:
    """Returns the difference of the macro F1 to another arm, see `paired`.

    Without a seed that both have, it has no interval.
    """
    if not self.common(other):
      key = f'on_{subset}'
      apart = getattr(self, key) - getattr(other, key)
      return {'difference': apart, 'interval': None}
    pairs = [
        (getattr(a, subset), getattr(b, subset)) for a, b in self.common(other)
    ]
    return _compared(tuple(pairs))


@functools.lru_cache(maxsize=1024)
def _compared(pairs: tuple[Any, ...]) -> dict[str, Any]:
  return paired.compare_seeds(pairs, resamples=results_lib.RESAMPLES)[
      'f1_macro'
  ]


@dataclasses.dataclass(frozen=True, eq=False)
class Choice:
  """The strategies for one number of images.

  Attributes:
    standings: arm -> its standing, best on validation first; the control is
      among them.
    costs: arm -> operations of its training.
  """

  standings: Mapping[str, Standing]
  costs: Mapping[str, float]

  @functools.cached_property
  def candidates(self) -> tuple[Standing, ...]:
    """Arms that start from pretrained weights, best first."""
    return tuple(s for arm, s in self.standings.items() if arm != grids.CONTROL)

  @property
  def leader(self) -> Standing:
    """The best on validation."""
    return self.candidates[0]

  @functools.cached_property
  def shares(self) -> dict[str, float]:
    """Candidate -> fraction of resamples that put it first."""
    found = selection_stability.chosen(
        np.stack([s.val_draws for s in self.candidates])
    )
    return {s.arm: float(one) for s, one in zip(self.candidates, found)}

  def is_dropped(self, arm: str) -> bool:
    """Whether an arm is worse than the leader beyond doubt."""
    standing = self.standings[arm]
    if standing is self.leader or standing.on_val >= self.leader.on_val:
      return False
    level = standing.val_draws >= self.leader.val_draws
    return bool(level.mean() < _DOUBT)

  @functools.cached_property
  def level(self) -> tuple[Standing, ...]:
    """The leader, and candidates that validation cannot tell from it."""
    return tuple(
        s
        for s in self.candidates
        if s is self.leader or not _is_clear(s.minus(self.leader, 'val'))
    )

  @functools.cached_property
  def advised(self) -> Standing:
    """The cheapest of those that are level and lose no more than the margin."""
    near = [
        s for s in self.level if self.leader.on_val - s.on_val <= grids.MARGIN
    ]
    return min(near, key=lambda s: self.costs[s.arm])

  @property
  def runner_up(self) -> Standing | None:
    """The best on validation besides the advised."""
    return next((s for s in self.candidates if s is not self.advised), None)

  @property
  def best_on_test(self) -> Standing:
    """The best on test, known only afterwards."""
    return max(self.candidates, key=lambda s: s.on_test)


def choose(
    runs: Sequence[results_lib.Result], costs: Mapping[str, float]
) -> Choice | None:
  """Ranks the arms for one number of images; None without a candidate.

  Args:
    runs: the finished runs of this number.
    costs: arm -> operations of its training.
  """
  found = [_standing(arm, runs) for arm in {run.cell.arm for run in runs}]
  ranked = sorted(
      (standing for standing in found if standing),
      key=lambda s: (-s.on_val, costs[s.arm]),
  )
  if not any(s.arm != grids.CONTROL for s in ranked):
    return None
  return Choice({s.arm: s for s in ranked}, costs)


def _standing(arm: str, runs: Sequence[results_lib.Result]) -> Standing | None:
  """Returns an arm at the rate that its first seed chooses."""
  mine = [run for run in runs if run.cell.arm == arm]
  first = min(run.cell.seed for run in mine)
  search = [run for run in mine if run.cell.seed == first]
  rate = rates_lib.best({run.cell.rate: run.on_val for run in search})
  return Standing(
      arm=arm,
      rate=rate,
      tried=tuple(sorted(run.cell.rate for run in search)),
      runs=tuple(
          sorted(
              (run for run in mine if run.cell.rate == rate),
              key=lambda run: run.cell.seed,
          )
      ),
  )


def _is_clear(difference: Mapping[str, Any]) -> bool:
  """Whether an interval leaves zero out."""
  interval = difference['interval']
  return interval is not None and not interval[0] <= 0 <= interval[1]
