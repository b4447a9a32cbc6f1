"""Data sets of phantoms: what they hold, and how they are written."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import pathlib
from typing import NamedTuple

import numpy as np
from PIL import Image

from medxfer import errors
from medxfer import files

_SMALLEST_SIDE = 32
_JPEG_QUALITY = 92


class Picture(NamedTuple):
  """Image `view` of lesion or person `group` of class or cause `code`."""

  path: str  # Relative to the data set's folder.
  code: int
  group: int
  view: int
  row: Mapping[str, str] = {}  # Of the table, if there is one.


@dataclasses.dataclass(frozen=True)
class Kind:
  """The phantoms of one data set.

  Every byte follows from the arguments of `write`. What a group looks like
  depends on the seed and its number alone, not on how many are asked for.

  Attributes:
    name: of the data set.
    version: raise it whenever the same arguments give other bytes.
    fewest: images that can be split.
    size: width and height of the images, pixels, unless others are asked for.
    plan: of (images, seed): the pictures in the order of the table.
    paint: of (code, generator of what all images of a group share, generator
      of what differs between them, size): the image.
    table: name of the CSV table; '' for none.
  """

  name: str
  version: int
  fewest: int
  size: tuple[int, int]
  plan: Callable[[int, int], list[Picture]]
  paint: Callable[..., Image.Image]
  table: str = ''

  def smallest(self) -> int:
    """Returns the fewest images that can be split."""
    return self.fewest

  def write(
      self,
      output: pathlib.Path,
      *,
      images: int = 600,
      seed: int = 0,
      size: tuple[int, int] | None = None,
  ) -> None:
    """Writes phantoms in the layout of the public data set.

    Args:
      output: folder that is absent or empty.
      images: number of images.
      seed: decides every byte, together with the other arguments.
      size: width and height of the images, pixels; None for the data set's.

    Raises:
      errors.UsageError: too few or too small images, a negative seed, or an
        output that holds something.
      errors.DataError: the output cannot be written.
    """
    size = size or self.size
    if images < self.fewest:
      raise errors.UsageError(
          f'images={images} is too few for classes that are split in three; '
          f'the minimum is {self.fewest}'
      )
    if seed < 0:
      raise errors.UsageError(f'seed={seed} is negative; give 0 or more')
    if min(size) < _SMALLEST_SIDE:
      raise errors.UsageError(
          f'size={size[0]}x{size[1]} is too small; each side must be at least '
          f'{_SMALLEST_SIDE} pixels'
      )
    pictures = self.plan(images, seed)
    with files.staged_folder(pathlib.Path(output)) as stage:
      try:
        for path, code, group, view, _ in pictures:
          (stage / path).parent.mkdir(parents=True, exist_ok=True)
          self.paint(
              code,
              generator(seed, code, group, 1),
              generator(seed, code, group, 2, view),
              size,
          ).save(stage / path, quality=_JPEG_QUALITY)
        if self.table:
          files.write_table(
              stage / self.table,
              list(pictures[0].row),
              [list(picture.row.values()) for picture in pictures],
          )
      except OSError as error:
        raise errors.DataError(
            f'{output} cannot be written ({error.strerror}); free some space '
            'or name another folder'
        ) from error

  def cached(self, cache: pathlib.Path, *, images: int) -> pathlib.Path:
    """Returns a folder in `cache` with so many phantoms, written once.

    Two processes may ask at once.

    Raises:
      errors.UsageError: too few images.
      errors.DataError: the folder cannot be written, or files are missing.
    """
    folder = pathlib.Path(cache) / (
        f'{self.name}_phantom_v{self.version}_n{images}'
    )
    if not folder.exists():
      try:
        self.write(folder, images=images)
      except errors.UsageError:
        # Another process was faster; its folder is checked like any other.
        if not folder.is_dir():
          raise
    found = sum(path.suffix in ('.jpg', '.jpeg') for path in folder.rglob('*'))
    if found != images:
      raise errors.DataError(
          f'{folder} holds {found} of {images} phantoms; delete the folder '
          'and run again to have it written anew'
      )
    return folder


def generator(seed: int, *path: int) -> np.random.Generator:
  """Returns the generator of one thing, independent of all others."""
  return np.random.Generator(np.random.PCG64([seed, *path]))


def groups(
    seed: int, code: int, images: int, fewest: int, sizes: Sequence[int]
) -> Iterator[tuple[int, int, np.random.Generator]]:
  """Splits the images of a class or cause into at least `fewest` groups.

  `sizes` says how many groups of the real data have 1, 2, ... images.

  Yields:
    Number of the group, its number of images, and its generator.
  """
  group = 0
  while images:
    rng = generator(seed, code, group, 0)
    size = 1 + int(rng.choice(len(sizes), p=np.divide(sizes, sum(sizes))))
    size = min(size, images - max(0, fewest - group - 1))
    yield group, size, rng
    images -= size
    group += 1
