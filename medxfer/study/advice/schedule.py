"""Which runs of an advice study come next, by what is known so far.

In this order, cheap arms first in each:

1. all images, at the recipe's own rate: cheap arms (most of the network is
   frozen and computed once), then everything trained, and the control;
2. the other rates of the cheap arms;
3. all images, other arms, but for single blocks and pairs of them;
4. their other rates, but for arms that are dropped (see `choice`);
5. fewer images: the simple rules, the control and the leader, each at the rate
   that was best with more images: the learning curve;
6. all images: more seeds, at the best rate, of arms that are not dropped;
7. all images: single blocks and pairs of them, then rates, then seeds: they
   cost about as much as training everything;
8. fewer images: the other arms, then rates, then seeds.

The control and the simple rules are never dropped: what ImageNet brings and
what a rule costs is told with fair rates and all seeds.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

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
  for part in _rounds(grid, choose, cost):
    wanted = [cell for cell in part if cell not in done]
    # The sort is stable: equals keep the order of the recipe.
    found |= dict.fromkeys(sorted(wanted, key=cost))
  return list(found)


def _rounds(
    grid: grids.Grid, choose: Choose, cost: Callable[[grids.Cell], float]
) -> Iterator[list[grids.Cell]]:
  """Yields the runs of each round; one may be in several."""
  seed, whole, *smaller = grid.seeds[0], *reversed(grid.sizes)
  costs = {
      arm: cost(grids.Cell(whole, arm, grids.MIDDLE, seed)) for arm in grid.arms
  }
  cheap = [a for a, one in costs.items() if one < _CHEAP * max(costs.values())]
  kept = [a for a in grid.arms if a in (*grids.RULES, grids.CONTROL)]
  first = list(dict.fromkeys([*cheap, *kept]))
  rest = [arm for arm in grid.arms if arm not in first]
  soon = [arm for arm in rest if not _is_of_blocks(grid, arm)]

  def at(
      size: int, arms: list[str], rates: tuple[float, ...] | None = None
  ) -> list[grids.Cell]:
    """Returns runs of the first seed; at the rate of more images if None."""
    return [
        grids.Cell(size, arm, rate, seed)
        for arm in arms
        for rate in rates or (_rate(grid, choose, arm, size),)
    ]

  def alive(size: int, among: Sequence[str] = grid.arms) -> list[str]:
    found = choose(size)
    return [
        arm
        for arm in among
        if arm in kept
        or found
        and arm in found.standings
        and not found.is_dropped(arm)
    ]

  def seeds(size: int, among: Sequence[str] = grid.arms) -> list[grids.Cell]:
    found = choose(size)
    return [
        grids.Cell(size, arm, found.standings[arm].rate, other)
        for other in grid.seeds[1:]
        for arm in alive(size, among)
        if found and arm in found.standings
    ]

  yield at(whole, first, (grids.MIDDLE,))
  yield at(whole, cheap, grid.rates)
  yield at(whole, soon, (grids.MIDDLE,))
  yield at(whole, alive(whole, (*first, *soon)), grid.rates)
  leader = choose(whole)
  curve = [*first, *([leader.advised.arm, leader.leader.arm] if leader else [])]
  for size in smaller:
    yield at(size, list(dict.fromkeys(curve)))
  yield seeds(whole, (*first, *soon))
  yield at(whole, rest, (grids.MIDDLE,))
  yield at(whole, alive(whole), grid.rates)
  yield seeds(whole)
  for size in smaller:
    yield at(size, [arm for arm in grid.arms])
    yield at(size, alive(size), grid.rates)
    yield seeds(size)


def _is_of_blocks(grid: grids.Grid, arm: str) -> bool:
  """Whether an arm trains some blocks in one stage, and not all."""
  spec = grid.spec(grids.Cell(0, arm, grids.MIDDLE, grid.seeds[0]))
  trained = strategy.resolve(spec).trained
  convolutions = strategy.resolve(spec).architecture.convolutions
  return not set(convolutions) <= set(trained)


def _rate(grid: grids.Grid, choose: Choose, arm: str, size: int) -> float:
  """Returns the rate that was best with more images, or the recipe's own."""
  larger = [s for s in grid.sizes if not s or size and s > size]
  for other in larger:
    found = choose(other) if other != size else None
    if found and arm in found.standings:
      return found.standings[arm].rate
  return grids.MIDDLE
