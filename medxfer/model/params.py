"""The type of a network's parameters."""

from collections.abc import Mapping
from typing import Any

# Layer -> 'kernel' | 'bias' -> a NumPy or a JAX array.
Params = Mapping[str, Mapping[str, Any]]
