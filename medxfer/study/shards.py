"""The work of a study, shared by several processes."""

from medxfer import errors
from medxfer.study import plan


def runs_of(
    study: plan.Study, index: int, count: int
) -> tuple[plan.Planned, ...]:
  """Returns the runs that shard `index` of `count` has to do.

  A run and the one that it needs are never dealt to different shards; apart
  from that, shards have equally many runs.

  Args:
    study: the whole.
    index: 1 to `count`.
    count: number of shards.
  """
  chains: dict[str, list[plan.Planned]] = {}
  for run in study.runs:
    chains.setdefault(run.chain or run.after or run.name, []).append(run)
  hands: list[list[plan.Planned]] = [[] for _ in range(count)]
  for chain in sorted(chains.values(), key=len, reverse=True):
    min(hands, key=len).extend(chain)
  return tuple(run for run in study.runs if run in hands[index - 1])


def parse(text: str) -> tuple[int, int]:
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
