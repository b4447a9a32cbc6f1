"""Fine-tunes a network on medical images.

    medxfer train ham:last_block [--workdir=DIR] [--config.KEY=VALUE ...]
    python -m medxfer.main --config=configs/ham.py:last_block   (in a checkout)

NAME:ARM[,MODIFIER...] names the experiment, by a recipe of medxfer or by the
path of a Python file; `--config.KEY=VALUE` changes any of its keys. Without a
workdir it is runs/NAME-ARM[-MODIFIER...][-seedN], here runs/ham-last_block.
The same command on the same workdir resumes where it stopped; more epochs
continue the training, other `evaluation` keys score again.
"""

import sys

from absl import flags
from ml_collections import config_flags

from medxfer import default_workdir
from medxfer import errors
from medxfer import launcher
from medxfer import spec as specs
from medxfer.training import strategy

_CONFIG = config_flags.DEFINE_config_file(
    'config',
    None,
    'NAME:ARM[,MODIFIER...], such as ham:all; may also be '
    'given as the first word, without --config=.',
)
_WORKDIR = flags.DEFINE_string(
    'workdir',
    None,
    'Folder that the run writes to, or resumes in; '
    'runs/NAME-ARM if left out.',
)

_DRY_RUN = flags.DEFINE_boolean(
    'dry_run',
    False,
    'Print what would be done, the split, memory, disk and about the time, and '
    'train nothing.',
)
_PROFILE = flags.DEFINE_boolean(
    'profile', False, 'Write a JAX trace of a few steps to WORKDIR/profile.'
)


def details() -> str:
  """Returns the rest of the help: recipes, arms, modifiers and keys."""
  from medxfer.recipes import reference

  return reference.of_runs()


def main(argv: list[str]) -> None:
  """Reads the flags, then runs."""
  launcher.require(argv, _CONFIG)
  if 'study' in _CONFIG.value:
    raise errors.UsageError(
        'this configuration describes a study: give it to `medxfer study`'
    )
  spec = specs.from_config(_CONFIG.value)
  strategy.check(spec)
  path = default_workdir.of_command(launcher.path(_WORKDIR), _CONFIG)
  # TensorFlow and JAX take seconds to load: refuse first, load then.

  from medxfer.runs import dry_run
  from medxfer.runs import run
  from medxfer.training import devices
  from medxfer.training import processes
  # Processes that meet use their devices.
  devices.repeatable(wanted=spec.deterministic)
  if _DRY_RUN.value:
    dry_run.run(spec, path)
    return
  with processes.together():
    run.run(spec, path, profile=_PROFILE.value)


if __name__ == '__main__':
  launcher.run(sys.modules[__name__])
