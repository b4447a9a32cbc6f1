"""What a run ran on: versions, device, command."""

import importlib.metadata
import os
import pathlib
import platform
import sys
from typing import Any

import jax

import medxfer
from medxfer import spec as specs

_PACKAGES = (
    'jax',
    'jaxlib',
    'flax',
    'optax',
    'orbax-checkpoint',
    'tensorflow',
    'tensorflow-cpu',
    'tensorflow-datasets',
    'numpy',
    'scikit-learn',
    'pillow',
)


def describe(spec: specs.RunSpec) -> dict[str, Any]:
  """Returns the content of environment.json."""
  return {
      'command': _command(),
      'seed': spec.seed,
      'deterministic': spec.deterministic,
      'xla_flags': os.environ.get('XLA_FLAGS', ''),
      'python': platform.python_version(),
      'platform': platform.platform(),
      'devices': [device.device_kind for device in jax.devices()],
      # medxfer's own also where it runs from a checkout.
      'versions': {
          'medxfer': medxfer.__version__,
          **{name: _version(name) for name in _PACKAGES},
      },
  }


def _command() -> list[str]:
  """Returns what was typed, less the places where programs lie.

  By the program's path: the processes that a study starts have the command
  line of their parent, but not its main module.
  """
  root = pathlib.Path(medxfer.__file__).resolve().parents[1]
  program = pathlib.Path(sys.argv[0]).resolve()
  if not program.is_relative_to(root):
    return [program.name, *sys.argv[1:]]
  parts = program.relative_to(root).with_suffix('').parts
  module = '.'.join(part for part in parts if part != '__main__')
  return ['python', '-m', module, *sys.argv[1:]]


def _version(package: str) -> str | None:
  try:
    return importlib.metadata.version(package)
  except importlib.metadata.PackageNotFoundError:
    return None
