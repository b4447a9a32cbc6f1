"""Which runs of an advice study come next, by what is known so far.

In this order, cheap arms first in each:

1. all images, at the recipe's own rate: cheap arms (most of the network is
   frozen and computed once), then everything trained, and the control;
2. the other rates of the cheap arms;
3. all images, other arms, but for single blocks and pairs of them;
4. their other rates, but for arms that are dropped (see `choice`), and where
   the lowest or highest rate is the best, one beyond it;
5. fewer images: the simple rules, the control and the leader, each at the rate
   that was best with more images: the learning curve;
6. all images: more seeds, at the best rate, of arms that are not dropped;
7. all images: single blocks and pairs of them, which cost about as much as
   training everything, then their rates and seeds;
8. fewer images, most first: the other arms, then rates, then seeds.

The control and the simple rules are never dropped: what ImageNet brings and
what a rule costs is told with fair rates and all seeds.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses

from medxfer.study import rates as rates_lib
from medxfer.study.advice import choice as choices
from medxfer.study.advice import grid as grids
from medxfer.training import strategy

# Of the work of the dearest arm, what a cheap one takes at most.
_CHEAP = 0.4

Choose = Callable[[int], choices.Choice | None]


def left(
    grid: grids.Grid,
    done: set[grids.Cell],
    choose: Choose,
    cost: Callable[[grids.Cell], float],
) -> list[grids.Cell]:
  """Returns what is worth training by what is known, the next first.

  Args:
    grid: everything that may be trained.
    done: what needs no run any more: finished, or failed.
    choose: number of images -> the choice so far.
    cost: of a run, in any unit.
  """
  found: dict[grids.Cell, None] = {}
  for part in _Planner(grid, choose, cost).rounds():
    wanted = [cell for cell in part if cell not in done]
    # The sort is stable: equals keep the order of the recipe.
    found |= dict.fromkeys(sorted(wanted, key=cost))
  return list(found)


@dataclasses.dataclass(frozen=True, eq=False)
class _Planner:
  """What `left` knows; arguments as there."""

  grid: grids.Grid
  choose: Choose
  cost: Callable[[grids.Cell], float]

  def rounds(self) -> Iterator[list[grids.Cell]]:
    """Yields the runs of each round; one may be in several."""
    whole, *smaller = reversed(self.grid.sizes)
    cheap = self.cheap()
    first = list(dict.fromkeys([*cheap, *self.kept()]))
    rest = [arm for arm in self.grid.arms if arm not in first]
    early = [*first, *(arm for arm in rest if not self.is_of_blocks(arm))]
    middle = (rates_lib.MIDDLE,)
    yield self.at(whole, first, middle)
    yield self.at(whole, cheap, self.grid.rates)
    yield self.at(whole, early, middle)
    yield self.at(whole, self.alive(whole, early), self.grid.rates)
    yield self.beyond(whole, early)
    known = self.choose(whole)
    leaders = [known.advised.arm, known.leader.arm] if known else []
    for size in smaller:
      yield self.at(size, list(dict.fromkeys([*first, *leaders])))
    yield self.seeds(whole, early)
    yield self.at(whole, rest, middle)
    for size in (whole, *smaller):
      yield self.at(size, self.grid.arms)
      yield self.at(size, self.alive(size), self.grid.rates)
      yield self.beyond(size)
      yield self.seeds(size)

  def cheap(self) -> list[str]:
    """Returns the arms of which most of the work is done once."""
    seed, size = self.grid.seeds[0], self.grid.sizes[-1]
    costs = {
        arm: self.cost(grids.Cell(size, arm, rates_lib.MIDDLE, seed))
        for arm in self.grid.arms
    }
    most = max(costs.values())
    return [arm for arm, one in costs.items() if one < _CHEAP * most]

  def kept(self) -> list[str]:
    """Returns the arms that are never dropped."""
    never = (*grids.RULES, grids.CONTROL)
    return [arm for arm in self.grid.arms if arm in never]

  def is_of_blocks(self, arm: str) -> bool:
    """Whether an arm trains some blocks in one stage, and not all."""
    spec = self.grid.spec(
        grids.Cell(0, arm, rates_lib.MIDDLE, self.grid.seeds[0])
    )
    resolved = strategy.resolve(spec)
    return not set(resolved.architecture.convolutions) <= set(resolved.trained)

  def at(
      self, size: int, arms: Sequence[str], rates: Sequence[float] | None = None
  ) -> list[grids.Cell]:
    """Returns runs of the first seed; at the rate of more images if None."""
    return [
        grids.Cell(size, arm, rate, self.grid.seeds[0])
        for arm in arms
        for rate in rates or (self.inherited(arm, size),)
    ]

  def inherited(self, arm: str, size: int) -> float:
    """Returns the rate that was best with more images, or the recipe's own."""
    larger = [s for s in self.grid.sizes if size and (s > size or not s)]
    for other in larger:
      found = self.choose(other)
      if found and arm in found.standings:
        return found.standings[arm].rate
    return rates_lib.MIDDLE

  def alive(self, size: int, among: Sequence[str] | None = None) -> list[str]:
    """Returns the arms that are not dropped, of all or of some."""
    found, kept = self.choose(size), self.kept()
    return [
        arm
        for arm in among or self.grid.arms
        if arm in kept
        or (found and arm in found.standings and not found.is_dropped(arm))
    ]

  def seeds(
      self, size: int, among: Sequence[str] | None = None
  ) -> list[grids.Cell]:
    """Returns more seeds of arms that are not dropped, at their best rate."""
    found = self.choose(size)
    return [
        grids.Cell(size, arm, found.standings[arm].rate, seed)
        for seed in self.grid.seeds[1:]
        for arm in self.alive(size, among)
        if found and arm in found.standings
    ]

  def beyond(
      self, size: int, among: Sequence[str] | None = None
  ) -> list[grids.Cell]:
    """Returns a rate further, of arms whose best is the last that was tried."""
    found, further = self.choose(size), self.grid.further
    standings = found.standings if found else {}
    return [
        grids.Cell(size, arm, further[standings[arm].rate], self.grid.seeds[0])
        for arm in self.alive(size, among)
        if arm in standings
        and set(self.grid.rates) <= set(standings[arm].tried)
        and standings[arm].rate in further
    ]
