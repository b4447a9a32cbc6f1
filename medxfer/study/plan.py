"""From a study's configuration to the runs that it consists of."""

from collections.abc import Callable
from collections.abc import Container
from collections.abc import Mapping
import dataclasses
import itertools
import pathlib
import re
from typing import Any

from medxfer import errors
from medxfer import spec as specs
from medxfer.study import parts
from medxfer.study import rates as rates_lib
from medxfer.study import study_keys

STUDY = 'study.json'
RUNS = 'runs'
FAILURES = 'failures'
_SOURCE = 'source'
# Before the name of an arm whose run of the same seed another starts from.
_ARM = 'arm:'
_RATE = re.compile(r'-rate([^-]+(?:e-\d+)?)-seed\d+')

# Name of a run -> its macro F1 on validation images, -inf if it failed, None
# if it is not finished.
OnVal = Callable[[str], float | None]


@dataclasses.dataclass(frozen=True)
class Planned:
  """One run of a study.

  Attributes:
    name: of its folder, ARM[-rateFACTOR]-seedSEED, with -foldK or -SOURCE.
    spec: what it does.
    after: name of the run that must be finished before, or None.
    chain: what runs have in common that one process does; '' for those of
      `after` or, without it, the run alone.
  """

  name: str
  spec: specs.RunSpec
  after: str | None = None
  chain: str = ''

  @staticmethod
  def named(
      arm: str, seed: int, part: str = '', rate: float | None = None
  ) -> str:
    """Returns the name of an arm's run.

    Args:
      arm: its name.
      seed: of the run.
      part: what tells its number of images, fold or source.
      rate: the factor of the learning rate, where several are tried.
    """
    factor = '' if rate is None else f'-rate{rate:g}'
    return f'{arm}{factor}-seed{seed}{part}'


@dataclasses.dataclass(frozen=True)
class Study:
  """A table of runs.

  Attributes:
    name: of the study.
    title: one line for its readers.
    runs: in order; a run comes after the one that it needs.
    beaten: names of those whose learning rate is not the best of their arm,
      or that cannot be compared yet.
    waiting: names of runs whose learning rate is not known yet.
  """

  name: str
  title: str
  runs: tuple[Planned, ...]
  beaten: frozenset[str] = frozenset()
  waiting: tuple[str, ...] = ()

  @property
  def compared(self) -> tuple[Planned, ...]:
    """The runs that stand for their arms: each at its best rate."""
    return tuple(run for run in self.runs if run.name not in self.beaten)

  def missing(self, names: Container[str]) -> list[str]:
    """Returns which of some runs an arm cannot be told without.

    A learning rate at which an arm diverges is no loss if it has another.
    """
    told = {run.spec.arm for run in self.compared}
    return [
        run.name
        for run in self.runs
        if run.name in names
        and (run.name not in self.beaten or run.spec.arm not in told)
    ]


def rate_of(name: str) -> float:
  """Returns the factor of the learning rate of a run by its name."""
  match = _RATE.search(name)
  return float(match[1]) if match else rates_lib.MIDDLE


def from_config(
    config: Mapping[str, Any],
    path: pathlib.Path,
    on_val: OnVal = lambda name: None,
) -> Study:
  """Plans the runs that a configuration asks for (see `recipes/studies.py`).

  Where several learning rates are tried, those of the first seed come first,
  and others are planned once these are finished.

  Args:
    config: as `medxfer.recipes.studies.compose` returns it.
    path: the study's folder, below which its runs lie.
    on_val: what finished runs have reached.

  Raises:
    UsageError: a key has a value that is not allowed.
  """
  shared = dict(config.items())
  study = shared.pop('study', None)
  if study is None:
    raise errors.UsageError(
        'this configuration describes one run: give it to `python -m '
        'medxfer.main`, or give --config=configs/table_7_1.py'
    )
  seeds = study_keys.seeds(study['seeds'])
  search = rates_lib.Search(
      study_keys.rates(study.get('rates', rates_lib.MIDDLE)),
      lambda arm, part, rate: on_val(Planned.named(arm, seeds[0], part, rate)),
  )
  planner = _Planner(shared, study, path, search)
  for seed, arm, (tested, data), size in itertools.product(
      seeds,
      study_keys.arms(study),
      _parts(study, shared),
      study_keys.sizes(study.get('sizes', '')),
  ):
    part = (f'-n{size}' if size else '') + tested
    if size:
      data = data | {'train_images': size}
    planner.add(arm, seed, part, data, is_first=seed == seeds[0])
  return Study(
      study['name'],
      study['title'],
      tuple(planner.runs.values()),
      frozenset(planner.beaten),
      tuple(planner.waiting),
  )


class _Planner:
  """Collects the runs of a study; attributes as those of `Study`."""

  def __init__(
      self,
      shared: Mapping[str, Any],
      study: Mapping[str, Any],
      path: pathlib.Path,
      search: rates_lib.Search,
  ):
    self._shared, self._study = shared, study
    self._path, self._search = path, search
    self.runs: dict[str, Planned] = {}
    self.beaten: set[str] = set()
    self.waiting: list[str] = []

  def add(
      self, arm: str, seed: int, part: str, data: Mapping, is_first: bool
  ) -> None:
    """Adds the runs of an arm with a seed on a part of the images."""
    keys = merged(self._shared, self._study['changes'][arm])
    keys = merged(keys, {'seed': seed, 'data': data})
    start = _start(self._study, arm, keys['model']['init_from'])
    rates = self._search.to_train(arm, part, is_first)
    if start and start != _SOURCE and self._search.found(start, part) is None:
      rates = ()
    if not rates:
      self.waiting.append(self._named(arm, seed, part))
    for rate in rates:
      self._add(arm, seed, part, keys, start, rate)

  def _add(
      self,
      arm: str,
      seed: int,
      part: str,
      keys: Mapping[str, Any],
      start: str | None,
      rate: float,
  ) -> None:
    """Adds a run, and before it the source's, if it starts from that."""
    after = None
    if start == _SOURCE:
      after = Planned.named(_SOURCE, seed)
      source = merged(self._study['source'], {'seed': seed})
      if after not in self.runs:
        self.runs[after] = Planned(
            after, specs.from_config(source), chain=self._chain(start, after)
        )
    elif start:
      after = self._named(start, seed, part, self._search.found(start, part))
    changes: dict[str, Any] = {
        'optimizer': {
            'learning_rate': keys['optimizer']['learning_rate'] * rate
        }
    }
    if after:
      changes['model'] = {'init_from': str(self._path / RUNS / after)}
    elif not keys['model']['init_from']:
      changes['model'] = {'init_from': _source_run(self._study, arm)}
    name = self._named(arm, seed, part, rate)
    self.runs[name] = Planned(
        name,
        specs.from_config(merged(keys, changes)),
        after,
        self._chain(start or arm, after or name),
    )
    if rate != self._search.found(arm, part):
      self.beaten.add(name)

  def _named(
      self, arm: str, seed: int, part: str, rate: float | None = None
  ) -> str:
    several = len(self._search.rates) > 1
    return Planned.named(arm, seed, part, rate if several else None)

  def _chain(self, arm: str, run: str) -> str:
    """Returns the chain of an arm: its rates and seeds hang together."""
    return arm if len(self._search.rates) > 1 else run


def _parts(
    study: Mapping[str, Any], shared: Mapping[str, Any]
) -> list[tuple[str, dict[str, Any]]]:
  # Any of the arms names the same images.
  keys = merged(shared, study['changes'][study_keys.arms(study)[-1]])
  return parts.of_study(study, merged(keys, {'seed': 0}))


def _source_run(study: Mapping[str, Any], arm: str) -> str:
  if not study['source_run']:
    raise errors.UsageError(
        f'the arm {arm} starts from another run: name it with '
        '--config.study.source_run=WORKDIR'
    )
  return study['source_run']


def _start(study: Mapping[str, Any], arm: str, init_from: str) -> str | None:
  """Returns the arm of this study, or its source, that an arm starts from."""
  if init_from.startswith(_ARM):
    first = init_from.removeprefix(_ARM)
    arms = study_keys.arms(study)
    if first not in arms[: arms.index(arm)]:
      raise errors.UsageError(
          f'study.arms={study["arms"]!r} is not allowed: {arm} starts from '
          f'{first}, so name {first} before it'
      )
    return first
  if not init_from and study['source'] and not study['source_run']:
    return _SOURCE
  return None


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict:
  """Returns nested dicts with the values of `changes` over those of `base`."""
  answer = {
      key: merged(value, {}) if hasattr(value, 'items') else value
      for key, value in base.items()
  }
  for key, value in changes.items():
    answer[key] = (
        merged(answer.get(key, {}), value) if hasattr(value, 'items') else value
    )
  return answer
