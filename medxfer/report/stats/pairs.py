"""Several pairs of columns compared, with p-values for all of them at once."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import functools
import itertools

from medxfer.report.read import settings as settings_lib
from medxfer.report.stats import estimates
from medxfer.report.stats import matched_pairs

_Pair = tuple[settings_lib.Column, settings_lib.Column]


@functools.lru_cache(maxsize=64)
def contrasts(found: tuple[_Pair, ...]) -> Mapping[_Pair, estimates.Contrast]:
  """Returns (first, second) -> first minus second.

  Args:
    found: the pairs; p-values are adjusted for their number. A pair with a
      network from which no conclusion is drawn has none, and does not count.
  """
  compared = [
      dataclasses.replace(contrast, p_value=None) if a.notes or b.notes
      else contrast
      for (a, b), contrast in zip(found, itertools.starmap(
          estimates.contrast, found))]
  return dict(zip(found, estimates.corrected(compared)))


def compare(
    columns: Iterable[settings_lib.Column],
) -> Mapping[_Pair, estimates.Contrast]:
  """Compares every two of some columns on their test images, in their order."""
  return contrasts(tuple(itertools.combinations(columns, 2)))


def between(
    a: settings_lib.Column,
    b: settings_lib.Column,
    columns: Iterable[settings_lib.Column],
) -> estimates.Contrast:
  """Returns a minus b, as one of the comparisons among some columns."""
  found = compare(columns)
  return found[a, b] if (a, b) in found else found[b, a].reversed()


def of_twins(
    found: Sequence[tuple[matched_pairs.Place, matched_pairs.Place]],
) -> Sequence[tuple[matched_pairs.Place, matched_pairs.Place, estimates.Contrast]]:
  """Compares columns that are alike but for one thing.

  Args:
    found: all such pairs of a report.
  """
  compared = contrasts(tuple((a.column, b.column) for a, b in found))
  return [(a, b, compared[a.column, b.column]) for a, b in found]
