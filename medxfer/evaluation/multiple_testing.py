"""Corrections for multiple tests."""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
  """Returns p-values adjusted for their number, in the same order.

  Holm, 'A simple sequentially rejective multiple test procedure',
  Scandinavian Journal of Statistics 6(2), 1979.
  """
  order = sorted(range(len(p_values)), key=p_values.__getitem__)
  answer, largest = [0.0] * len(p_values), 0.0
  for rank, i in enumerate(order):
    largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[i]))
    answer[i] = largest
  return answer
