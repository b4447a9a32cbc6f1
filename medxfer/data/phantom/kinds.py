"""The data sets that have look-alikes, and how these are had."""

from collections.abc import Callable
import dataclasses
import pathlib
import pkgutil

from medxfer.data import registry
from medxfer.data.phantom import chest_layout
from medxfer.data.phantom import ham_layout
from medxfer.data.phantom import writing


@dataclasses.dataclass(frozen=True)
class Kind:
  """The phantoms of one data set.

  Attributes:
    version: of what is painted; other phantoms, another version.
    smallest: returns the fewest images that can be split.
    write: writes them to a new folder.
    size: width and height of the real images, made small, pixels.
  """

  version: int
  smallest: Callable[[], int]
  write: Callable[..., None]
  size: tuple[int, int]


# The records of the data sets name them; see `medxfer.data.registry`.
HAM10000 = Kind(
    ham_layout.VERSION, ham_layout.smallest_ham10000,
    ham_layout.write_ham10000, (150, 112))
CHEST_XRAY = Kind(
    chest_layout.VERSION, chest_layout.smallest_chest_xray,
    chest_layout.write_chest_xray, (140, 112))


def of(name: str) -> Kind:
  """Returns the phantoms of a data set that has some."""
  return pkgutil.resolve_name(registry.get(name).phantom)


def cached(
    name: str,
    cache: pathlib.Path,
    *,
    images: int,
    seed: int = 0,
    size: tuple[int, int] | None = None,
) -> pathlib.Path:
  """Returns a folder with exactly these phantoms, written at the first call.

  Two processes may ask at once; one of them writes in vain.

  Args:
    name: of the data set.
    cache: folder that holds such folders.
    images: number of images.
    seed: decides every byte, together with the other arguments.
    size: width and height of the images, pixels; None for the kind's.

  Returns:
    A folder inside `cache` that says its version and parameters.

  Raises:
    errors.UsageError: too few or too small images, or a negative seed.
    errors.DataError: the folder cannot be written, or files are missing.
  """
  kind = of(name)
  width, height = size = size or kind.size
  writing.check(images, kind.smallest(), seed, size)
  folder = f'{name}_phantom_v{kind.version}_n{images}_s{seed}_{width}x{height}'
  write = lambda path: kind.write(path, images=images, seed=seed, size=size)
  return writing.cached(pathlib.Path(cache) / folder, write, images)
