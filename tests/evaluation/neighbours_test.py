"""Protects how unlike the training images an image is said to be."""

import pathlib

import numpy as np
import pytest
from sklearn import neighbors
from sklearn import preprocessing

from medxfer import errors
from medxfer.evaluation import neighbours

_DRAW = np.random.default_rng(0)
_TRAIN = np.abs(_DRAW.normal(size=(300, 24)))
_VAL = np.abs(_DRAW.normal(size=(120, 24)))


def test_percentiles_are_those_of_scikit_learns_distances() -> None:
  """The tenth neighbour among unit vectors, ranked among validation images."""
  others = np.abs(_DRAW.normal(size=(2000, 24))) ** _DRAW.uniform(
      0.5, 3, (2000, 1)
  )
  unit = preprocessing.normalize
  known = neighbors.NearestNeighbors(n_neighbors=neighbours.NEIGHBOUR).fit(
      unit(_TRAIN)
  )
  far = lambda images: known.kneighbors(unit(images))[0][:, -1]
  expected = (far(_VAL) < far(others)[:, None]).mean(1) * 100
  found = neighbours.Reference.of(_TRAIN, _VAL).percentiles(others)
  # Rounding moves an image past a neighbour in rank at most.
  assert np.abs(found - expected).max() <= 100 / len(_VAL) + 1e-9
  assert np.isclose(found, expected).mean() > 0.99
  assert 0 <= found.min() < 5 and found.max() == 100


def test_training_images_are_like_themselves() -> None:
  """With one neighbour the distance of a training image is none."""
  alone = neighbours.Reference.of(_TRAIN[:1], _VAL)
  assert alone.percentiles(_TRAIN[:1] * 7) == [0]
  assert len(alone.percentiles(np.empty((0, 24)))) == 0


def test_a_reference_is_written_and_read(tmp_path: pathlib.Path) -> None:
  """Bit for bit."""
  path = tmp_path / 'reference.safetensors'
  made = neighbours.Reference.of(_TRAIN, _VAL)
  neighbours.write(path, made)
  found = neighbours.read(path)
  np.testing.assert_array_equal(found.train, made.train)
  np.testing.assert_array_equal(found.validation, made.validation)
  neighbours.write(path, None)
  assert not path.exists()


@pytest.mark.parametrize('kept', [0, 10, -1])
def test_a_damaged_reference_is_named(
    tmp_path: pathlib.Path, kept: int
) -> None:
  """Cut anywhere, it is one line with the file and the way out."""
  path = tmp_path / 'reference.safetensors'
  neighbours.write(path, neighbours.Reference.of(_TRAIN, _VAL))
  path.write_bytes(path.read_bytes()[:kept])
  with pytest.raises(errors.DataError, match='reference.*damaged.*restore'):
    neighbours.read(path)


def test_numbers_that_are_none_are_refused() -> None:
  """A file may be whole and wrong."""
  for train, val in (
      (np.full((2, 3), np.nan), np.ones(2)),
      (np.ones((0, 3)), np.ones(2)),
      (np.ones((2, 3)), np.ones(0)),
      (np.ones(3), np.ones(2)),
      (np.ones((2, 3)), np.array([2.0, 1.0])),
  ):
    with pytest.raises(ValueError):
      neighbours.Reference(train, val)
