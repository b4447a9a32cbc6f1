"""A layer study, read: its runs by arm, and what was measured of its layers."""

from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
import pathlib

from medxfer.data import registry
from medxfer.model import architectures
from medxfer.report.read import finished_run
from medxfer.report.read import layer_measures
from medxfer.report.read import settings as settings_lib
from medxfer.study import layer_arms
from medxfer.study import plan
from medxfer.study import rates as rates_lib

_NETWORKS = {
    layer_arms.IMAGENET: 'ImageNet',
    layer_arms.OWN: 'own, from random',
    layer_arms.RANDOM: 'random',
    'other': 'another run',
}


@dataclasses.dataclass(frozen=True, eq=False)
class LayerStudy:
  """The finished runs of a study of layers.

  Attributes:
    name: its folder below the one that was searched.
    columns: arm -> its runs.
    measured: None before they were looked into.
    rates: how many learning rates were tried for an arm; each column has the
      best on validation images of the first seed.
  """

  name: str
  columns: Mapping[layer_arms.Arm, settings_lib.Column]
  measured: layer_measures.Measured | None
  rates: int = 1

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
  def single_blocks(self) -> dict[int, settings_lib.Column]:
    """Returns number of the one block that trains -> runs from ImageNet."""
    found = self.curve(layer_arms.BLOCK, layer_arms.IMAGENET)
    *_, last = self.architecture.blocks.values()
    column = self.column(layer_arms.LAST, layer_arms.IMAGENET, len(last))
    if found and column:
      found[len(self.architecture.blocks)] = column
    return found

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
          tuple(sorted(_at_best_rate(same), key=lambda run: run.spec.seed)),
          None,
      )
      for arm, same in alike.items()
  }
  rates = max(
      len({plan.rate_of(run.name) for run in same}) for same in alike.values()
  )
  study = LayerStudy(name, columns, None, rates)
  return dataclasses.replace(
      study,
      measured=layer_measures.read(
          path / layer_arms.MEASURED, study.architecture.convolutions
      ),
  )


def _at_best_rate(runs: list[finished_run.Run]) -> list[finished_run.Run]:
  """Returns an arm's runs at the rate that its first seed has as the best."""
  if len({plan.rate_of(run.name) for run in runs}) == 1:
    return runs
  first = min(run.spec.seed for run in runs)
  best = rates_lib.best(
      {
          plan.rate_of(run.name): run.summary['val']['f1_macro']
          for run in runs
          if run.spec.seed == first
      }
  )
  return [run for run in runs if plan.rate_of(run.name) == best]
