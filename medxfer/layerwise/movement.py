"""How far training has moved each layer from where it started."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from medxfer.model import params as params_lib


def relative_change(
    before: params_lib.Params, after: params_lib.Params, layers: Iterable[str]
) -> dict[str, float]:
  """Returns how far each layer's kernel lies from its start.

  Args:
    before: layer -> leaf -> array.
    after: of the same shapes.
    layers: those to look at.

  Returns:
    Layer -> |after - before| / |before|, Frobenius norms of kernels: 0 for a
    frozen layer, about 1.4 for one that was drawn anew at the same scale.
  """
  return {
      name: _relative(before[name]['kernel'], after[name]['kernel'])
      for name in layers
  }


def _relative(before: Any, after: Any) -> float:
  before, after = (np.asarray(a, np.float64) for a in (before, after))
  return float(np.linalg.norm(after - before) / np.linalg.norm(before))
