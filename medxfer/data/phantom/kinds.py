"""The data sets that have look-alikes, and how these are had."""

from collections.abc import Callable
from collections.abc import Mapping
import dataclasses
import pathlib

from medxfer.data import chest_xray
from medxfer.data import ham10000
from medxfer.data.phantom import chest_layout
from medxfer.data.phantom import ham_layout


@dataclasses.dataclass(frozen=True)
class Kind:
  """The phantoms of one data set.

  Attributes:
    smallest: returns the fewest images that can be split.
    write: writes them to a new folder.
    cached: returns a folder in a cache with exactly these phantoms.
    size: width and height of the real images, made small, pixels.
  """

  smallest: Callable[[], int]
  write: Callable[..., None]
  cached: Callable[..., pathlib.Path]
  size: tuple[int, int]


KINDS: Mapping[str, Kind] = {
    ham10000.NAME: Kind(
        ham_layout.smallest_ham10000, ham_layout.write_ham10000,
        ham_layout.cached_ham10000, (150, 112)),
    chest_xray.NAME: Kind(
        chest_layout.smallest_chest_xray, chest_layout.write_chest_xray,
        chest_layout.cached_chest_xray, (140, 112)),
}
