"""A layer study, read: its runs by arm, and what was measured of its layers."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import functools
import pathlib
from typing import Any

import numpy as np

from medxfer import errors
from medxfer import files
from medxfer.data import registry
from medxfer.model import architectures
from medxfer.report.read import estimates
from medxfer.report.read import finished_run
from medxfer.report.read import settings as settings_lib
from medxfer.study import layer_arms
from medxfer.study import plan

_NETWORKS = {
    layer_arms.IMAGENET: 'ImageNet',
    layer_arms.OWN: 'own, from random',
    layer_arms.RANDOM: 'random',
    'other': 'another run',
}
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


@dataclasses.dataclass(frozen=True, eq=False)
class LayerStudy:
  """The finished runs of a study of layers.

  Attributes:
    name: its folder below the one that was searched.
    columns: arm -> its runs.
    measured: None before they were looked into.
  """

  name: str
  columns: Mapping[layer_arms.Arm, settings_lib.Column]
  measured: Measured | None

  @property
  def first(self) -> finished_run.Run:
    """A run, for what all have in common."""
    return next(iter(self.columns.values())).first

  @property
  def architecture(self) -> architectures.Architecture:
    """That of all its networks."""
    found = self.first.architecture
    assert found is not None  # No tree is an arm; see `arrange`.
    return found

  @property
  def whole(self) -> int:
    """How many convolutions its networks have."""
    return len(self.architecture.convolutions)

  def curve(self, kind: str, source: str) -> dict[int, settings_lib.Column]:
    """Returns the columns of a curve by number of convolutions."""
    return {
        arm.count: column
        for arm, column in sorted(
            self.columns.items(), key=lambda item: item[0].count
        )
        if (arm.kind, arm.source) == (kind, source)
    }

  def column(
      self, kind: str, source: str = '', count: int = 0
  ) -> settings_lib.Column | None:
    """Returns the runs of an arm, or None."""
    return self.columns.get(layer_arms.Arm(kind, source, count))

  @property
  def sound(self) -> 'LayerStudy':
    """The same without the networks whose training has notes.

    What was measured compares networks before and after their training: it is
    left out where one of those has notes.
    """
    columns = {arm: c for arm, c in self.columns.items() if not c.notes}
    looked_into = [
        arm
        for arm in self.columns
        if arm == layer_arms.Arm(layer_arms.BASE)
        or (arm.kind, arm.count) == (layer_arms.TUNED, self.whole)
    ]
    is_sound = all(arm in columns for arm in looked_into)
    return dataclasses.replace(
        self, columns=columns, measured=self.measured if is_sound else None
    )

  @property
  def sources(self) -> tuple[str, ...]:
    """Where transferred layers come from, ImageNet first, random last."""
    found = {
        arm.source
        for arm in self.columns
        if arm.kind in (layer_arms.FROZEN, layer_arms.TUNED)
    }
    order = (layer_arms.IMAGENET, layer_arms.OWN, layer_arms.RANDOM)
    return (
        *(s for s in order[:2] if s in found),
        *sorted(found.difference(order)),
        *(s for s in order[2:] if s in found),
    )

  @property
  def other(self) -> str:
    """The source that is another medical task, or ''."""
    named = (layer_arms.IMAGENET, layer_arms.OWN, layer_arms.RANDOM)
    return next((s for s in self.sources if s not in named), '')


def called(network: str) -> str:
  """Returns what a network is called."""
  kind, _, source = network.partition('_')
  if kind == layer_arms.TUNED and source:
    return f'{called(source)}, fine-tuned'
  known = registry.by_recipe().get(network)
  return known.title if known else _NETWORKS.get(network, network)


def find(root: pathlib.Path) -> list[pathlib.Path]:
  """Returns the folders of layer studies below a folder, or that it is."""
  found = []
  for path in sorted(root.rglob(plan.STUDY)):
    try:
      name = files.read_json(path)['name']
    except (errors.DataError, KeyError, TypeError):
      continue  # `collect` says that it is damaged.
    if isinstance(name, str) and name.startswith(layer_arms.PREFIX):
      found.append(path.parent)
  return found


def arrange(
    path: pathlib.Path, name: str, runs: Iterable[finished_run.Run]
) -> LayerStudy | None:
  """Returns a study of its finished runs; None without any.

  Args:
    path: its folder.
    name: what the report calls it.
    runs: those below it; that of its source is left out.

  Raises:
    DataError: what was measured is damaged.
  """
  alike: dict[layer_arms.Arm, list[finished_run.Run]] = {}
  for run in runs:
    arm = run.architecture and layer_arms.Arm.parse(
        run.spec.arm, run.architecture
    )
    if arm:
      alike.setdefault(arm, []).append(run)
  if not alike:
    return None
  columns = {
      arm: settings_lib.Column(
          arm.name,
          arm.name,
          '',
          tuple(sorted(same, key=lambda run: run.spec.seed)),
          None,
      )
      for arm, same in alike.items()
  }
  study = LayerStudy(name, columns, None)
  return dataclasses.replace(
      study,
      measured=_measured(
          path / layer_arms.MEASURED, study.architecture.convolutions
      ),
  )


def _measured(path: pathlib.Path, layers: Sequence[str]) -> Measured | None:
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
