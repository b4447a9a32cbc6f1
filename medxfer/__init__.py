"""medxfer: what a pretrained network brings to medical images.

    import medxfer
    run = medxfer.load('runs/ham-last_block')
    run.predict_proba(images)

JAX is loaded at the first use of one of these names, so that commands answer
at once.
"""

import importlib
from typing import Any

__version__ = '0.2.0'
__all__ = ['Classifier', 'compare', 'load', 'train']

# Name -> where it is defined.
_HOMES = {
    'Classifier': 'medxfer.classifier',
    'compare': 'medxfer.api',
    'load': 'medxfer.ensemble',
    'train': 'medxfer.api',
}


def __getattr__(name: str) -> Any:
  if name not in _HOMES:
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
  found = getattr(importlib.import_module(_HOMES[name]), name)
  globals()[name] = found
  return found


def __dir__() -> list[str]:
  return sorted([*globals(), *__all__])
