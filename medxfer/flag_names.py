"""What the running command calls the keys of a configuration.

Shared code names a way out as `--config.KEY=VALUE` or `--workdir`, the flags
of `medxfer.main`. Another command may have another flag for the same thing,
or none: it says so once, and every message and line names its flags.
"""

from collections.abc import Mapping
import re

WORKDIR = 'workdir'
_FLAG = re.compile(
    r'--(?:config\.)(?P<key>[a-z_]+(?:\.[a-z_]+)*)'
    r'(?P<value>=(?:[^\s;,)`]*[^\s;,.)`])?)?|--(?P<workdir>workdir)\b'
)
_NONE = ' (a key of the run, which this command does not change)'

# Key -> flag of the running command, '' for none; and the other keys that it
# has as --config.KEY, None for all.
Names = tuple[Mapping[str, str], frozenset[str] | None]
_names: Names = ({}, None)


def use(names: Names) -> None:
  """Names the flags of the command that runs; see `current`."""
  global _names
  _names = names


def current() -> Names:
  """Returns what `use` was given, for another process of the same command."""
  return _names


def here(text: str) -> str:
  """Returns a text in which flags are called as this command calls them."""
  return _FLAG.sub(_call, text)


def _call(found: re.Match[str]) -> str:
  named, keys = _names
  if found['workdir']:
    return named.get(WORKDIR, found[0])
  key, value = found['key'], found['value'] or ''
  has_key = keys is None or key in keys
  flag = named.get(key, f'--config.{key}' if has_key else '')
  return flag + value if flag else f'{key}{value}{_NONE}'
