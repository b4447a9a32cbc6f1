"""Several pairs of columns compared, with p-values for all of them at once."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import functools
import itertools

from medxfer.report.read import settings as settings_lib
from medxfer.report.stats import contrasts
from medxfer.report.stats import matched_pairs

_Pair = tuple[settings_lib.Column, settings_lib.Column]
_Twins = tuple[matched_pairs.Place, matched_pairs.Place, contrasts.Contrast]


@functools.lru_cache(maxsize=64)
def compare_pairs(
    found: tuple[_Pair, ...],
) -> Mapping[_Pair, contrasts.Contrast]:
  """Returns (first, second) -> first minus second.

  Args:
    found: the pairs; p-values are adjusted for their number. A pair with a
      network from which no conclusion is drawn has none, and does not count.
  """
  compared = [
      dataclasses.replace(contrast, p_value=None)
      if a.notes or b.notes
      else contrast
      for (a, b), contrast in zip(
          found, itertools.starmap(contrasts.contrast, found)
      )
  ]
  return dict(zip(found, contrasts.corrected(compared)))


def compare(
    columns: Iterable[settings_lib.Column],
) -> Mapping[_Pair, contrasts.Contrast]:
  """Compares every two of some columns on their test images, in their order."""
  return compare_pairs(tuple(itertools.combinations(columns, 2)))


def between(
    a: settings_lib.Column,
    b: settings_lib.Column,
    columns: Iterable[settings_lib.Column],
) -> contrasts.Contrast:
  """Returns a minus b, as one of the comparisons among some columns."""
  found = compare(columns)
  return found[a, b] if (a, b) in found else found[b, a].reversed()


def of_twins(
    found: Sequence[tuple[matched_pairs.Place, matched_pairs.Place]],
) -> Sequence[_Twins]:
  """Compares columns that are alike but for one thing.

  Args:
    found: all such pairs of a report.
  """
  compared = compare_pairs(tuple((a.column, b.column) for a, b in found))
  return [(a, b, compared[a.column, b.column]) for a, b in found]
