"""Images as one pass over their files has found them."""

import dataclasses

import numpy as np

from medxfer.data import examples as examples_lib
from medxfer.data import grey


@dataclasses.dataclass(frozen=True, eq=False)
class Decoded:
  """What one pass over the files found.

  Attributes:
    examples: the table, less the images that could not be read.
    digests: n SHA-256 digests of the decoded, resized pixels.
    pixels: uint8 [n, height, width, 3], or None if they were not kept.
    grey_range: values of deep grey images that are black and white in them;
      None if each was scaled by what is known of it alone.
  """

  examples: examples_lib.Examples
  digests: tuple[bytes, ...]
  pixels: np.ndarray | None
  grey_range: grey.Range | None = dataclasses.field(
      default=None, kw_only=True)
