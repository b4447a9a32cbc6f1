"""What the layouts share: draws, checks, and folders that are whole or absent.
"""

import bisect
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import itertools
import pathlib
from typing import TypeVar

import numpy as np

from medxfer import errors
from medxfer import files

_SMALLEST_SIDE = 32
_IMAGES = ('.jpg', '.jpeg')

Key = TypeVar('Key')


def generator(seed: int, *path: int) -> np.random.Generator:
  """Returns the generator of one thing, independent of all others."""
  sequence = np.random.SeedSequence([seed, *path])
  return np.random.Generator(np.random.PCG64(sequence))


def pick(rng: np.random.Generator, weights: Mapping[Key, int]) -> Key:
  """Draws a key; each is as probable as its share of the weights."""
  # Not rng.choice: a table of thousands of lesions calls this often.
  ends = list(itertools.accumulate(weights.values()))
  return list(weights)[bisect.bisect(ends, rng.random() * ends[-1])]


def check(
    images: int, smallest: int, seed: int, size: tuple[int, int]
) -> None:
  """Checks what a data set of phantoms is asked to be.

  Raises:
    UsageError: too few or too small images, or a negative seed.
  """
  if images < smallest:
    raise errors.UsageError(
        f'images={images} is too few for classes that are split in three; the'
        f' minimum is {smallest}.'
    )
  if seed < 0:
    raise errors.UsageError(f'seed={seed} is negative; give 0 or more.')
  if min(size) < _SMALLEST_SIDE:
    raise errors.UsageError(
        f'size={size[0]}x{size[1]} is too small; each side must be at least'
        f' {_SMALLEST_SIDE} pixels.'
    )


@contextlib.contextmanager
def staged(output: pathlib.Path) -> Iterator[pathlib.Path]:
  """Yields a new folder that becomes `output` once all is written.

  Raises:
    UsageError: the output holds something.
    DataError: the output cannot be written.
  """
  with files.staged_folder(pathlib.Path(output)) as stage:
    try:
      yield stage
    except OSError as error:
      raise errors.DataError(
          f'{output} cannot be written ({error.strerror}); free some space or'
          ' name another folder.'
      ) from error


def cached(
    folder: pathlib.Path, write: Callable[[pathlib.Path], None], images: int
) -> pathlib.Path:
  """Returns the folder, written if it is absent.

  Two processes may ask at once; one of them writes in vain.

  Args:
    folder: its name says everything that decides its bytes.
    write: fills a new folder.
    images: how many images it must hold.

  Raises:
    UsageError: what is asked for cannot be written.
    DataError: the folder cannot be written, or files are missing.
  """
  if not folder.exists():
    try:
      write(folder)
    except errors.UsageError:
      # Someone else was faster; theirs is checked like any other.
      if not folder.is_dir():
        raise
  found = sum(path.suffix in _IMAGES for path in folder.rglob('*'))
  if found != images:
    raise errors.DataError(
        f'{folder} holds {found} of {images} phantoms; delete the folder and'
        ' run again to have it written anew.'
    )
  return folder
