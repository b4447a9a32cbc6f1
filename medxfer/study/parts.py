"""Runs of one arm and seed that differ in their images: folds, or sources."""

from collections.abc import Mapping
import re
from typing import Any

from medxfer import errors
from medxfer import spec as specs
from medxfer.data import datasets
from medxfer.data import source_splits

_ALL = 'all'
_UNFIT = re.compile(r'[^\w.+-]+')  # For the name of a folder.
_FEWEST = 3  # Folds: one tests, one validates, one trains.


def of_study(
    study: Mapping[str, Any], keys: Mapping[str, Any]
) -> list[tuple[str, dict[str, Any]]]:
  """Returns what ends a run's name, and the keys of `data` that it changes.

  Args:
    study: the keys of `study`.
    keys: those of one of its runs, from which the data set is read where
      `study.sources` asks for all of them.

  Raises:
    UsageError: folds and sources are both asked for, or are not to be had.
    DataError: the data set is missing or wrong.
  """
  folds, sources = study.get('folds', 0), study.get('sources', '')
  if folds and sources:
    raise errors.UsageError(
        f'study.folds={folds!r} and study.sources={sources!r} are not allowed '
        'together: give one of them'
    )
  if folds:
    if not isinstance(folds, int) or folds < _FEWEST:
      raise errors.UsageError(
          f'study.folds={folds!r} is not allowed: give {_FEWEST} or more, or 0'
      )
    return [
        (f'-fold{fold}', {'folds': folds, 'fold': fold})
        for fold in range(folds)
    ]
  if sources:
    return [
        (
            '-' + _UNFIT.sub('_', name),
            {'split': source_splits.KIND, 'test_source': name},
        )
        for name in _sources(sources, keys)
    ]
  return [('', {})]


def _sources(text: str, keys: Mapping[str, Any]) -> list[str]:
  data = {**keys['data'], 'split': 'auto', 'test_source': ''}
  known = source_splits.names(
      datasets.read(specs.from_config({**keys, 'data': data}).data)
  )
  asked = [name.strip() for name in text.split(',')]
  wanted = list(known) if asked == [_ALL] else asked
  if len(known) < 2 or not set(wanted) <= known.keys():
    raise errors.UsageError(
        f'study.sources={text!r} is not allowed: the data set has '
        + (f'the sources {", ".join(known)}' if known else 'no sources')
        + (', and one alone leaves nothing to learn from' * (len(known) == 1))
    )
  if len(set(wanted)) < len(wanted):
    raise errors.UsageError(
        f'study.sources={text!r} is not allowed: name each source once'
    )
  return wanted
