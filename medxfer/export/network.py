"""What is exported: a network, its parameters, and what they mean."""

from collections.abc import Mapping
import dataclasses
from typing import Any

import numpy as np

from medxfer import spec as specs
from medxfer.model import architectures

FORMAT = 'medxfer-network'
VERSION = 1


@dataclasses.dataclass(frozen=True)
class ExportedNetwork:
  """A trained network.

  Attributes:
    spec: how the head is built, and the preprocessing.
    params: layer -> {'kernel': array, 'bias': array}, backbone and head.
    image_size: (height, width) in pixels that it was trained on.
    class_names: in the order of the logits.
    source: a sentence that says where the parameters come from.
  """

  spec: specs.ModelSpec
  params: Mapping[str, Mapping[str, np.ndarray]]
  image_size: tuple[int, int]
  class_names: tuple[str, ...]
  source: str = ''

  @property
  def architecture(self) -> architectures.Architecture:
    """The architecture of the backbone."""
    return architectures.BY_NAME[self.spec.name]

  def metadata(self) -> dict[str, Any]:
    """Returns the metadata that every file holds, for JSON."""
    return {
        'format': FORMAT,
        'version': VERSION,
        'architecture': self.architecture.name,
        'class_names': list(self.class_names),
        'image_size': list(self.image_size),
        'preprocessing': self.spec.preprocessing,
        'source': self.source,
    }
