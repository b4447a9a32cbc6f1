"""From a study's configuration to the runs that it consists of."""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import itertools
import pathlib
from typing import Any

from medxfer import errors
from medxfer import spec as specs
from medxfer.study import parts

STUDY = 'study.json'
RUNS = 'runs'
FAILURES = 'failures'
_SOURCE = 'source'
# Before the name of an arm whose run of the same seed another starts from.
_ARM = 'arm:'


@dataclasses.dataclass(frozen=True)
class Planned:
  """One run of a study.

  Attributes:
    name: of its folder, ARM-seedSEED, with -foldK or -SOURCE.
    spec: what it does.
    after: name of the run that must be finished before, or None.
  """

  name: str
  spec: specs.RunSpec
  after: str | None = None

  @staticmethod
  def named(arm: str, seed: int, part: str = '') -> str:
    """Returns the name of an arm's run; `part` tells fold or source."""
    return f'{arm}-seed{seed}{part}'


@dataclasses.dataclass(frozen=True)
class Study:
  """A table of runs.

  Attributes:
    name: of the study.
    title: one line for its readers.
    runs: in order; a run comes after the one that it needs.
  """

  name: str
  title: str
  runs: tuple[Planned, ...]


def from_config(config: Mapping[str, Any], path: pathlib.Path) -> Study:
  """Plans the runs that a configuration asks for (see `recipes/studies.py`).

  Args:
    config: as `medxfer.recipes.studies.compose` returns it.
    path: the study's folder, below which its runs lie.

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
  runs: list[Planned] = []
  sizes = parts.sizes_of(study.get('sizes', ''))
  for seed, arm, (tested, data), size in itertools.product(
      seeds_of(study['seeds']), arms_of(study), _parts(study, shared), sizes
  ):
    part = (f'-n{size}' if size else '') + tested
    if size:
      data = data | {'train_images': size}
    keys = merged(shared, study['changes'][arm])
    keys = merged(keys, {'seed': seed, 'data': data})
    after = _needed(study, arm, keys['model']['init_from'], seed, part)
    if after:
      keys['model']['init_from'] = str(path / RUNS / after)
    elif not keys['model']['init_from']:
      keys['model']['init_from'] = _source_run(study, arm)
    if after and after not in [run.name for run in runs]:
      runs.append(
          Planned(
              after, specs.from_config(merged(study['source'], {'seed': seed}))
          )
      )
    runs.append(
        Planned(Planned.named(arm, seed, part), specs.from_config(keys), after)
    )
  return Study(study['name'], study['title'], tuple(runs))


def _parts(
    study: Mapping[str, Any], shared: Mapping[str, Any]
) -> list[tuple[str, dict[str, Any]]]:
  # Any of the arms names the same images.
  keys = merged(shared, study['changes'][arms_of(study)[-1]])
  return parts.of_study(study, merged(keys, {'seed': 0}))


def _source_run(study: Mapping[str, Any], arm: str) -> str:
  if not study['source_run']:
    raise errors.UsageError(
        f'the arm {arm} starts from another run: name it with '
        '--config.study.source_run=WORKDIR'
    )
  return study['source_run']


def _needed(
    study: Mapping[str, Any], arm: str, init_from: str, seed: int, part: str
) -> str | None:
  """Returns the name of the run of this study that an arm starts from."""
  if init_from.startswith(_ARM):
    first = init_from.removeprefix(_ARM)
    arms = arms_of(study)
    if first not in arms[: arms.index(arm)]:
      raise errors.UsageError(
          f'study.arms={study["arms"]!r} is not allowed: {arm} starts from '
          f'{first}, so name {first} before it'
      )
    return Planned.named(first, seed, part)
  if not init_from and study['source'] and not study['source_run']:
    return Planned.named(_SOURCE, seed)
  return None


def shard(study: Study, index: int, count: int) -> tuple[Planned, ...]:
  """Returns the runs that shard `index` of `count` has to do.

  A run and the one that it needs are never dealt to different shards; apart
  from that, shards have equally many runs.

  Args:
    study: the whole.
    index: 1 to `count`.
    count: number of shards.
  """
  chains: dict[str, list[Planned]] = {}
  for run in study.runs:
    chains.setdefault(run.after or run.name, []).append(run)
  hands: list[list[Planned]] = [[] for _ in range(count)]
  for chain in sorted(chains.values(), key=len, reverse=True):
    min(hands, key=len).extend(chain)
  return tuple(run for run in study.runs if run in hands[index - 1])


def parse_shard(text: str) -> tuple[int, int]:
  """Reads 'I/N'.

  Raises:
    UsageError: it is not 1/N to N/N.
  """
  first, slash, second = text.partition('/')
  if slash and first.isdecimal() and second.isdecimal():
    index, count = int(first), int(second)
    if 1 <= index <= count:
      return index, count
  raise errors.UsageError(
      f'--shard={text}: give I/N, such as 1/4, with I from 1 to N'
  )


def arms_of(study: Mapping[str, Any]) -> Sequence[str]:
  arms = [arm.strip() for arm in study['arms'].split(',')]
  if len(set(arms)) < len(arms) or not set(arms) <= set(study['changes']):
    raise errors.UsageError(
        f'study.arms={study["arms"]!r} is not allowed: give different names '
        f'among {", ".join(study["changes"])}'
    )
  return arms


def seeds_of(seeds: Any) -> Sequence[int]:
  seeds = (seeds,) if isinstance(seeds, int) else tuple(seeds)
  if (
      not seeds
      or len(set(seeds)) < len(seeds)
      or not all(isinstance(seed, int) and seed >= 0 for seed in seeds)
  ):
    raise errors.UsageError(
        f'study.seeds={seeds!r} is not allowed: give different whole numbers, '
        '0 or more, such as 0,1,2'
    )
  return seeds


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
