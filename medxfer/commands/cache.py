"""Shows what the cache holds, and removes what is not needed.

  python -m medxfer cache [--keep=20GB | --clear] [--cache_dir=DIR]

The cache keeps decoded pixels, what frozen layers make of images, compiled
programs and phantoms. All of it is made again where it is missing. Above
$MEDXFER_CACHE_LIMIT, 50GB if it is not set, a run removes what was not used for
the longest time.
"""

import time

from absl import flags

from medxfer import cache
from medxfer import cache_upkeep
from medxfer import errors
from medxfer import launcher
from medxfer import progress

_KEEP = flags.DEFINE_string(
    'keep',
    None,
    'Size, such as 20GB: remove what was not used for the longest time, until '
    'the rest is no larger.',
)
_CLEAR = flags.DEFINE_boolean('clear', False, 'Remove everything.')
_CACHE_DIR = flags.DEFINE_string(
    'cache_dir', None, 'Folder of the cache; left out: the one runs use.'
)


def main(argv: list[str]) -> None:
  """Prints a table, or removes what the flags name."""
  launcher.require(argv)
  if _CLEAR.value and _KEEP.value is not None:
    raise errors.UsageError(
        '--clear and --keep contradict each other: give one'
    )
  keep = (
      0.0
      if _CLEAR.value
      else None
      if _KEEP.value is None
      else cache_upkeep.parse_size(_KEEP.value, '--keep')
  )
  where = launcher.path(_CACHE_DIR) or cache.folder()
  if _CACHE_DIR.value and not (where and where.is_dir()):
    raise errors.UsageError(f'--cache_dir={_CACHE_DIR.value}: no such folder')
  if where is None:
    raise errors.UsageError(
        'there is no cache: $MEDXFER_CACHE is off; name one with --cache_dir'
    )
  if keep is not None:
    removed = cache_upkeep.trim(where, keep)
    freed = cache_upkeep.size(sum(item.size for item in removed))
    print(f'removed: {len(removed):,} entries, {freed}')
  held = cache_upkeep.items(where)
  total = cache_upkeep.size(sum(item.size for item in held))
  most = cache_upkeep.size(cache_upkeep.limit())
  print(f'{where}: {total}, of {most} at most (${cache_upkeep.LIMIT})')
  if held:
    print(f'{"kind":<20}{"entries":>9}{"size":>12}  last used')
  for kind, (count, taken, used) in cache_upkeep.by_kind(held).items():
    ago = progress.duration(max(time.time() - used, 0.0))
    print(f'{kind:<20}{count:>9,}{cache_upkeep.size(taken):>12}  {ago} ago')
