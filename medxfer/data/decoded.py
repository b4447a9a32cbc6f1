"""Images as one pass over their files has found them."""

from collections.abc import Mapping
import dataclasses

import numpy as np

from medxfer.data import deep_grey
from medxfer.data import examples as examples_lib


@dataclasses.dataclass(frozen=True, eq=False)
class Decoded:
  """What one pass over the files found.

  Attributes:
    examples: the table, less the images that could not be read.
    digests: n SHA-256 digests of the decoded, resized pixels.
    pixels: uint8 [n, height, width, 3], or None if they were not kept.
    grey_range: values of deep grey images that are black and white in them;
      None if each was scaled by what is known of it alone.
    thumbnails: uint8 [n, s, s], whatever the size of `pixels`: what copies are
      found by, as `perceptual_hash.thumbnail` makes them.
  """

  examples: examples_lib.Examples
  digests: tuple[bytes, ...]
  pixels: np.ndarray | None
  thumbnails: np.ndarray | None = None
  grey_range: deep_grey.Range | None = dataclasses.field(
      default=None, kw_only=True
  )

  def without(self, reasons: Mapping[str, str]) -> 'Decoded':
    """Returns these less the images that `reasons` names and explains."""
    keep = np.array(
        [
            i
            for i, name in enumerate(self.examples.image_ids)
            if name not in reasons
        ]
    )
    pick = lambda array: None if array is None else array[keep]
    return Decoded(
        self.examples.without(reasons),
        tuple(self.digests[i] for i in keep),
        pick(self.pixels),
        pick(self.thumbnails),
        grey_range=self.grey_range,
    )
