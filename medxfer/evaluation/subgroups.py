"""Scores of subgroups: by sex, age, site, clinic, or any column of a table.

Each subgroup is compared with all other images. As many comparisons are made
as there are subgroups, and their intervals are widened so that all of them
together cover in 95 % (Bonferroni). A subgroup with other fractions of the
classes is easier or harder for that reason alone: the sensitivity of each class
is there to look at.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from medxfer.evaluation import intervals
from medxfer.evaluation import measure
from medxfer.evaluation import metrics
from medxfer.evaluation import predictions as predictions_lib

FEWEST = 20  # Images of a subgroup; with fewer nothing is said of it.
MOST = 30  # Subgroups of a column.
UNKNOWN = 'not known'
_NOTHING = frozenset(('', 'unknown', 'nan', 'na', 'n/a', 'none', 'null', '?'))
_AGES = (30, 50, 70)
_LEVEL = 0.95


def of_values(name: str, values: Sequence[str]) -> list[str]:
  """Returns the subgroup of each image.

  Args:
    name: of the column; numbers of one that is called 'age' are put into
      bands of years, other numbers into quarters of the images.
    values: of the column, an image each.

  Returns:
    n names; `UNKNOWN` where there is no value. Text stays as it is.
  """
  known = [value.strip().casefold() not in _NOTHING for value in values]
  numbers = [_number(v) if there else None for v, there in zip(values, known)]
  given = [number for number in numbers if number is not None]
  if len(given) < sum(known) or len(set(given)) <= len(_AGES) + 1:
    return [
        value.strip() if there else UNKNOWN
        for value, there in zip(values, known)
    ]
  edges = (
      _AGES
      if name.casefold() == 'age'
      else tuple(np.unique(np.quantile(given, (0.25, 0.5, 0.75))).tolist())
  )
  return [
      UNKNOWN if number is None else _band(number, edges) for number in numbers
  ]


def measures(
    predictions: predictions_lib.Predictions,
    columns: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
  """Returns the scores of the subgroups of each column, ready for JSON.

  Args:
    predictions: n > 0 scored images.
    columns: name -> n values.

  Returns:
    `columns` {name: [{`subgroup`, `n`, `accuracy`, `f1_macro`, `sensitivity`
    {class: value}, `intervals` of these, and `gap`: {`value`, `interval`} of
    the accuracy to that of all other images}]}, most images first; of one
    with fewer than `FEWEST` images, or of all images, all but `subgroup` and
    `n` are None. `left_out` {name: reason} of columns with too many.
    `compared`: the number of gaps.
  """
  found, left_out = {}, {}
  for name, values in columns.items():
    members = np.array(of_values(name, values), dtype=object)
    count = len(set(members))
    if count > MOST:
      left_out[name] = f'{count:,} different values, more than {MOST}'
    elif count > 1:
      found[name] = members
  sizes = {
      name: {one: int(np.sum(members == one)) for one in sorted(set(members))}
      for name, members in found.items()
  }
  told = lambda n: FEWEST <= n <= len(predictions.labels) - FEWEST
  compared = sum(told(n) for each in sizes.values() for n in each.values())
  return {
      'columns': {
          name: [
              _measured(predictions, members == one, compared)
              | {'subgroup': one, 'n': sizes[name][one]}
              if told(sizes[name][one])
              else _NOT_TOLD | {'subgroup': one, 'n': sizes[name][one]}
              for one in sorted(sizes[name], key=lambda p: -sizes[name][p])
          ]
          for name, members in found.items()
      },
      'left_out': left_out,
      'compared': compared,
  }


_NOT_TOLD = dict.fromkeys(
    ('accuracy', 'f1_macro', 'sensitivity', 'intervals', 'gap')
)


def _measured(
    predictions: predictions_lib.Predictions, inside: np.ndarray, compared: int
) -> dict[str, Any]:
  mine = predictions.take(np.flatnonzero(inside))
  rest = predictions.take(np.flatnonzero(~inside))
  scores = metrics.compute(mine)
  ends = intervals.of_decisions(mine, mine.predicted, level=_LEVEL)
  wide = 1 - (1 - _LEVEL) / compared
  accuracy = [
      measure.Measure(
          float((one.predicted == one.labels).mean()),
          intervals.of_decisions(one, one.predicted, level=wide)['accuracy'],
      )
      for one in (mine, rest)
  ]
  return {
      'accuracy': scores['accuracy'],
      'f1_macro': scores['f1_macro'],
      'sensitivity': scores['recall_per_class'],
      'intervals': {
          'accuracy': ends['accuracy'],
          'f1_macro': ends['f1_macro'],
          'sensitivity': ends['recall_per_class'],
      },
      'gap': measure.difference(*accuracy),
  }


def _number(text: str) -> float | None:
  try:
    number = float(text)
  except ValueError:
    return None
  return number if np.isfinite(number) else None


def _band(number: float, edges: Sequence[float]) -> str:
  place = int(np.searchsorted(edges, number, side='right'))
  if place == 0:
    return f'below {edges[0]:g}'
  if place == len(edges):
    return f'{edges[-1]:g} and above'
  return f'{edges[place - 1]:g} to below {edges[place]:g}'
