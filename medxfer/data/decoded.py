"""Images as one pass over their files has found them."""

import dataclasses

import numpy as np

from medxfer.data import examples as examples_lib


@dataclasses.dataclass(frozen=True, eq=False)
class Decoded:
  """What one pass over the files found.

  Attributes:
    examples: the table, less the images that could not be read.
    digests: n SHA-256 digests of the decoded, resized pixels.
    pixels: uint8 [n, height, width, 3], or None if they were not kept.
  """

  examples: examples_lib.Examples
  digests: tuple[bytes, ...]
  pixels: np.ndarray | None
