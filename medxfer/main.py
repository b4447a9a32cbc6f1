"""Fine-tunes a network on medical images.

    python -m medxfer.main --config=configs/ham.py:last_block [--workdir=DIR]

`--config=FILE:ARM[,MODIFIER...]` names the experiment, and
`--config.KEY=VALUE` changes any of its keys. Without a workdir it is
runs/NAME-ARM[-MODIFIER...][-seedN], here runs/ham-last_block. The same command
on the same workdir goes on where it stopped; more epochs train on, other
`evaluation` keys score again.
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
    'config', None, 'FILE:ARM[,MODIFIER...], such as configs/ham.py:all.')
_WORKDIR = flags.DEFINE_string(
    'workdir', None, 'Folder that the run writes to, or goes on in; '
    'runs/NAME-ARM if left out.')

_PROFILE = flags.DEFINE_boolean(
    'profile', False, 'Write a JAX trace of a few steps to WORKDIR/profile.')


def main(argv: list[str]) -> None:
  """Reads the flags, then runs."""
  launcher.require(argv, _CONFIG)
  if 'study' in _CONFIG.value:
    raise errors.UsageError(
        'this configuration describes a study: give it to `medxfer study`')
  spec = specs.from_config(_CONFIG.value)
  strategy.check(spec)
  path = default_workdir.of_command(launcher.path(_WORKDIR), _CONFIG)
  # TensorFlow and JAX take seconds to load: refuse first, load then.

  from medxfer.runs import run
  from medxfer.training import devices
  from medxfer.training import processes
  # Processes that meet use their devices.
  devices.repeatable(wanted=spec.deterministic)
  with processes.together():
    run.run(spec, path, profile=_PROFILE.value)


if __name__ == '__main__':
  launcher.run(sys.modules[__name__])
