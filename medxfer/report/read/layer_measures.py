"""What was measured of the layers of a study, read from layers.json."""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import functools
import pathlib
from typing import Any

import numpy as np

from medxfer import errors
from medxfer import files
from medxfer.report.read import estimates

# Layer -> value; None where it is not defined.
ByLayer = Mapping[str, estimates.Estimate | None]


@dataclasses.dataclass(frozen=True, eq=False)
class Measured:
  """What `medxfer.study.layer_measures` has found, over all seeds.

  Attributes:
    probes: network -> macro F1 of a probe on each layer.
    index: source -> index of each layer.
    agreement: source -> 'frozen' (the score with frozen layers) or 'freezing'
      (that less the score where they are fine-tuned) -> (its rank correlation
      with the index, or None; of how many cuts); lowest seed.
    similarity: two networks -> CKA of each layer.
    moved: network -> relative change of each layer in training.
    put_back: network -> macro F1 that is lost if a layer is put back.
    diagnostics: 'log_me' or 'h_score' -> network -> value of each layer.
  """

  probes: Mapping[str, ByLayer]
  index: Mapping[str, ByLayer]
  agreement: Mapping[str, Mapping[str, tuple[float | None, int]]]
  similarity: Mapping[tuple[str, str], ByLayer]
  moved: Mapping[str, ByLayer]
  put_back: Mapping[str, ByLayer]
  diagnostics: Mapping[str, Mapping[str, ByLayer]]


def read(path: pathlib.Path, layers: Sequence[str]) -> Measured | None:
  """Returns what was measured of a study; None if nothing was yet.

  Args:
    path: layers.json of the study.
    layers: the convolutions of its network.

  Raises:
    DataError: the file is damaged.
  """
  if not path.exists():
    return None
  try:
    seeds = [
        found
        for _, found in sorted(
            files.read_json(path)['seeds'].items(),
            key=lambda item: int(item[0]),
        )
    ]
    return _over_seeds(seeds, layers)
  except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
    raise errors.DataError(
        f'{path}: damaged ({type(error).__name__}: {error}); delete it, and '
        'the command of the study writes it again'
    ) from error


def _over_seeds(
    seeds: list[Mapping[str, Any]], layers: Sequence[str]
) -> Measured:
  first = seeds[0]
  by_layer = functools.partial(_by_layer, layers)
  bare = functools.partial(_bare, layers)
  return Measured(
      probes={
          name: by_layer([seed['probes'][name] for seed in seeds], 'f1_macro')
          for name in first['probes']
      },
      index={
          name: by_layer(
              [seed['index'][name]['layers'] for seed in seeds], 'index'
          )
          for name in first['index']
      },
      agreement={
          name: {
              key: (
                  found['agreement'][key]['spearman'],
                  found['agreement'][key]['cuts'],
              )
              for key in ('frozen', 'freezing')
          }
          for name, found in first['index'].items()
      },
      similarity={
          (pair['a'], pair['b']): bare(
              [seed['similarity'][i]['cka'] for seed in seeds]
          )
          for i, pair in enumerate(first['similarity'])
      },
      moved={
          name: bare([seed['moved'][name] for seed in seeds])
          for name in first['moved']
      },
      put_back={
          name: by_layer(
              [seed['put_back'][name] for seed in seeds], 'difference'
          )
          for name in first['put_back']
      },
      diagnostics={
          key: {
              name: bare([seed['diagnostics'][name][key] for seed in seeds])
              for name in first['diagnostics']
          }
          for key in ('log_me', 'h_score')
      },
  )


def _by_layer(
    layers: Sequence[str], seeds: list[Mapping[str, Any]], key: str
) -> ByLayer:
  bounds = None if key == 'difference' else (0.0, 1.0)
  return {
      layer: _estimate(
          [seed[layer][key] for seed in seeds],
          [seed[layer]['interval'] for seed in seeds],
          bounds,
      )
      for layer in layers
  }


def _bare(layers: Sequence[str], seeds: list[Mapping[str, Any]]) -> ByLayer:
  return {
      layer: _estimate(
          [seed[layer] for seed in seeds], [None] * len(seeds), None
      )
      for layer in layers
  }


def _estimate(
    values: list[float | None],
    ranges: list[list[float] | None],
    bounds: tuple[float, float] | None,
) -> estimates.Estimate | None:
  numbers = [float(value) for value in values if value is not None]
  if len(numbers) < len(values):
    return None
  if not np.isfinite(numbers).all():
    raise ValueError(f'{numbers} are not finite')
  pairs = [ends and tuple(map(float, ends)) for ends in ranges]
  if any(ends and len(ends) != 2 for ends in pairs):
    raise ValueError(f'{ranges} are no intervals')
  return estimates.over_seeds(numbers, pairs, bounds=bounds)
