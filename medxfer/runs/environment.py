"""What a run ran on: versions, device, command."""

import importlib.metadata
import platform
import sys
from typing import Any

import jax

from medxfer import spec as specs

_PACKAGES = (
    'medxfer', 'jax', 'jaxlib', 'flax', 'optax', 'orbax-checkpoint',
    'tensorflow', 'tensorflow-cpu', 'tensorflow-datasets', 'numpy',
    'scikit-learn', 'pillow',
)


def describe(spec: specs.RunSpec) -> dict[str, Any]:
  """Returns the content of environment.json."""
  return {
      'command': _command(),
      'seed': spec.seed,
      'python': platform.python_version(),
      'platform': platform.platform(),
      'devices': [device.device_kind for device in jax.devices()],
      'versions': {name: _version(name) for name in _PACKAGES},
  }


def _command() -> list[str]:
  """Returns what was typed, less the places where programs lie."""
  module = getattr(sys.modules['__main__'], '__spec__', None)
  return ['python', '-m', module.name if module else '?', *sys.argv[1:]]


def _version(package: str) -> str | None:
  try:
    return importlib.metadata.version(package)
  except importlib.metadata.PackageNotFoundError:
    return None
