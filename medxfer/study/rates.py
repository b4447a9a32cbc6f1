"""The learning rates that a study tries for each arm, and which one it takes.

A rate is a factor of the recipe's own. The runs of the first seed try all of
them; the best on validation images is that of every other seed. With one rate
for all arms, the arm that it suits best would look like the best arm.
"""

from collections.abc import Callable
from collections.abc import Mapping
import dataclasses
import math

MIDDLE = 1.0  # The recipe's own.
USUAL = (0.3, 1.0, 3.0)


def best(on_val: Mapping[float, float]) -> float:
  """Returns the best rate, of equals the one nearest to the recipe's own.

  Args:
    on_val: rate -> macro F1 on validation images; at least one.
  """
  return max(on_val, key=lambda rate: (on_val[rate], -abs(rate - MIDDLE)))


@dataclasses.dataclass(frozen=True)
class Search:
  """The search for the best rate of each arm.

  Attributes:
    rates: the factors that are tried, ascending.
    on_val: arm, part of the images, rate -> macro F1 on validation images of
      the run of the first seed, -inf if it failed, None if it is not finished.
  """

  rates: tuple[float, ...]
  on_val: Callable[[str, str, float], float | None]

  def found(self, arm: str, part: str) -> float | None:
    """Returns the best rate of an arm; None while it is not known."""
    if len(self.rates) == 1:
      return self.rates[0]
    known = {rate: self.on_val(arm, part, rate) for rate in self.rates}
    values = {rate: value for rate, value in known.items() if value is not None}
    if len(values) < len(known) or max(values.values()) == -math.inf:
      return None
    return best(values)

  def to_train(self, arm: str, part: str, is_first: bool) -> tuple[float, ...]:
    """Returns the rates at which an arm trains with a seed.

    Args:
      arm: its name.
      part: of the images.
      is_first: whether it is the first seed, which tries all rates.
    """
    if is_first:
      return self.rates
    rate = self.found(arm, part)
    return () if rate is None else (rate,)
