"""Where a command works that names no --workdir.

    runs/NAME-ARM[-MODIFIER...][-SOURCE][-foldK][-seedN]

NAME is the stem of the configuration's file. The same command finds the same
folder again, whatever the order of its modifiers.
"""

from collections.abc import Mapping
import pathlib
import re
from typing import Any

from absl import flags

from medxfer import console
from medxfer import errors

RUNS = pathlib.Path('runs')
_SUMMARY = 'summary.json'
_LONGEST = 200  # Of the 255 bytes that file systems give to a name.
_NAMED = 3


def of_command(
    workdir: pathlib.Path | None, config: flags.FlagHolder
) -> pathlib.Path:
  """Returns what --workdir names, else what --config stands for, and says it.

  Args:
    workdir: what --workdir names, or None.
    config: the flag of a configuration's file, with a value.
  """
  if workdir:
    return workdir
  filename = getattr(flags.FLAGS[config.name], 'config_filename')
  path = RUNS / name(filename, config.value)
  console.line(f'workdir: {path}')
  return path


def name(filename: str, config: Mapping[str, Any]) -> str:
  """Returns the name of a folder, one that needs no quotes in a shell.

  Args:
    filename: what --config names, `FILE[:ARGUMENT,...]`.
    config: what it holds; `modifiers`, `seed`, and of `data` the source and
      the fold that test are read.
  """
  file, _, argument = filename.partition(':')
  chosen = [part.strip() for part in argument.split(',')]
  modifiers = list(config.get('modifiers', ()))
  parts = [
      pathlib.Path(file).stem,
      *(part for part in chosen if part not in modifiers),
      *modifiers,
  ]
  data = config.get('data', {})
  parts.append(data.get('test_source', ''))
  if data.get('fold'):
    parts.append(f'fold{data["fold"]}')
  if config.get('seed'):
    parts.append(f'seed{config["seed"]}')
  safe = (re.sub(r'[^\w.+-]+', '_', part).strip('.-') for part in parts)
  return '-'.join(part for part in safe if part)[:_LONGEST]


def finished() -> list[pathlib.Path]:
  """Returns the finished runs below `runs/`, those of studies as well."""
  found = {
      path.parent
      for pattern in ('*/', '*/runs/*/')
      for path in RUNS.glob(pattern + _SUMMARY)
  }
  return sorted(found)


def missing() -> errors.UsageError:
  """Returns what to say where a command needs the workdir of a run."""
  runs = [f'--workdir={path}' for path in finished()]
  hint = (
      'no finished run lies below runs/'
      if not runs
      else f'finished here: {", ".join(runs[:_NAMED])}'
      + (f' and {len(runs) - _NAMED:,} more' if runs[_NAMED:] else '')
  )
  return errors.UsageError(f'--workdir is required (see --help); {hint}')
