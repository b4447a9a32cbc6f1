"""Runs a study whose later runs depend on what the earlier ones have reached.

A round does what is planned by what is finished; the last one finds nothing
left to do. Where a study tries one learning rate there is one round.
"""

from collections.abc import Container
from collections.abc import Mapping
import math
import pathlib
from typing import Any

from medxfer import errors
from medxfer.runs import workdir
from medxfer.study import execute
from medxfer.study import plan


def run(
    config: Mapping[str, Any], path: pathlib.Path, chains: Container[str]
) -> tuple[plan.Study, dict[str, str]]:
  """Does what is left to do of some chains of a study.

  Args:
    config: see `plan.from_config`.
    path: the study's folder.
    chains: those of the runs that this process does.

  Returns:
    The study as it is planned at the end, and run -> why it failed.

  Raises:
    as `plan.from_config` and `execute.execute`.
  """
  failures: dict[str, str] = {}
  attempted: set[str] = set()
  while True:
    study = plan.from_config(config, path, _on_val(path, failures))
    mine = [
        run
        for run in study.runs
        if run.chain in chains and run.name not in attempted
    ]
    if attempted and not mine:
      return study, failures
    failures |= execute.execute(study, path, mine)
    if not mine:
      return study, failures
    attempted.update(run.name for run in mine)


def assumed(path: pathlib.Path) -> plan.OnVal:
  """Returns what finished runs have reached; others reach nothing.

  A plan by it has all runs, those at a rate that is not known yet at some rate
  that may be theirs.
  """
  known = _on_val(path, {})

  def on_val(name: str) -> float:
    value = known(name)
    return -1.0 if value is None else value

  return on_val


def _on_val(path: pathlib.Path, failures: Mapping[str, str]) -> plan.OnVal:
  def on_val(name: str) -> float | None:
    if name in failures:
      return -math.inf
    try:
      summary = workdir.Workdir(path / plan.RUNS / name).summary()
      return None if summary is None else float(summary['val']['f1_macro'])
    except (errors.DataError, KeyError, OSError, TypeError, ValueError):
      return None

  return on_val
