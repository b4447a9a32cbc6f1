"""How unlike the training images of a network an image is.

The distance of two images is that of their features, each of length one. Of an
image, the distance to its k-th nearest training image is told, not as it is but
as a percentile: so many validation images, which are of the same place and did
not train, are nearer to theirs (Sun et al., 'Out-of-distribution detection with
deep nearest neighbors', ICML 2022; a sample of the training images does).
"""

import dataclasses
import pathlib

import numpy as np
import safetensors
import safetensors.numpy

from medxfer import errors
from medxfer import files

NEIGHBOUR = 10  # k; of fewer training images the farthest.
UNLIKE = 99.0  # Percentile above which a prediction is not to be trusted.
_AT_ONCE = 1024  # Images whose distances are in memory.


@dataclasses.dataclass(frozen=True, eq=False)
class Reference:
  """What a run knows of its own images.

  Attributes:
    train: float32 [m, channels], features of length one of training images.
    validation: float32 [v], distances of all validation images, ascending.
  """

  train: np.ndarray
  validation: np.ndarray

  def __post_init__(self) -> None:
    """Checks what comes from a file.

    Raises:
      ValueError: it is damaged.
    """
    if self.train.ndim != 2 or self.validation.ndim != 1:
      raise ValueError('arrays of another shape')
    if not len(self.train) or not len(self.validation):
      raise ValueError('no images')
    if not all(np.isfinite(a).all() for a in (self.train, self.validation)):
      raise ValueError('values that are no numbers')
    if (np.diff(self.validation) < 0).any():
      raise ValueError('distances that do not ascend')

  @classmethod
  def of(cls, train: np.ndarray, validation: np.ndarray) -> 'Reference':
    """Returns the reference of a network.

    Args:
      train: float [m > 0, channels], features of training images.
      validation: float [v > 0, channels], of validation images.
    """
    unit = _unit(train)
    return cls(unit, np.sort(_distances(validation, unit)))

  def percentiles(self, features: np.ndarray) -> np.ndarray:
    """Returns how unlike the training images others are, float64 [n].

    Args:
      features: float [n, channels].

    Returns:
      The percentage of validation images whose distance is smaller, 0 to 100.
    """
    found = _distances(features, self.train)
    below = np.searchsorted(self.validation, found, side='left')
    return 100 * below / len(self.validation)


def read(path: pathlib.Path) -> Reference:
  """Reads what `write` wrote.

  Raises:
    DataError: the file is damaged.
  """
  try:
    return Reference(**safetensors.numpy.load_file(path))
  except (safetensors.SafetensorError, OSError, TypeError, ValueError) as error:
    raise errors.DataError(
        f'{path}: damaged ({error}); restore the file, or remove it to go '
        'without unlike_training'
    ) from error


def write(path: pathlib.Path, reference: Reference | None) -> None:
  """Writes a reference as safetensors; None removes the file."""
  if reference is None:
    path.unlink(missing_ok=True)
    return
  with files.replacing(path) as temporary:
    safetensors.numpy.save_file(dataclasses.asdict(reference), temporary)


def _distances(features: np.ndarray, train: np.ndarray) -> np.ndarray:
  """Returns the distance to the k-th nearest row of `train`, float32 [n]."""
  k = min(NEIGHBOUR, len(train)) - 1
  found = []
  for first in range(0, len(features), _AT_ONCE):
    cosines = _unit(features[first : first + _AT_ONCE]) @ train.T
    nearest = -np.partition(-cosines, k, axis=1)[:, k]
    found.append(np.sqrt(np.maximum(2 - 2 * nearest, 0)))
  return np.concatenate([np.zeros(0, np.float32), *found])


def _unit(features: np.ndarray) -> np.ndarray:
  features = np.asarray(features, np.float32)
  length = np.linalg.norm(features, axis=1, keepdims=True)
  return features / np.maximum(length, np.finfo(np.float32).tiny)
