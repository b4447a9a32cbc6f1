"""Protects averages of runs: over those alone that did not see an image."""

import dataclasses
import json
import pathlib
import shutil

import numpy as np
import pytest

from medxfer import errors
from medxfer.evaluation import predictions as predictions_lib
from medxfer.runs import averages


def _table(
    ids: str, seed: int, labels: tuple[int, ...] = ()
) -> predictions_lib.Predictions:
  p = np.random.default_rng(seed).dirichlet((1, 1), len(ids))
  return predictions_lib.Predictions(
      tuple(ids),
      np.array(labels or [ord(name) % 2 for name in ids]),
      p,
      ('a', 'b'),
      tuple(name.upper() for name in ids),
  )


def test_an_image_is_averaged_over_the_tables_that_have_it() -> None:
  """Seeds share all of them, folds none."""
  one, two = _table('qrst', 0), _table('tsu', 1)
  found, counts = averages.mean([one, two])
  assert found.image_ids == tuple('qrstu') and found.groups == tuple('QRSTU')
  assert counts.tolist() == [1, 1, 2, 2, 1]
  np.testing.assert_allclose(
      found.probabilities[3],
      (one.probabilities[3] + two.probabilities[0]) / 2,
      atol=1e-7,
  )
  np.testing.assert_array_equal(found.probabilities[0], one.probabilities[0])
  np.testing.assert_array_equal(found.labels, [1, 0, 1, 0, 1])


def test_a_single_table_stays_as_it_is() -> None:
  """The order of its images decides what intervals draw."""
  table = _table('tqs', 0)
  assert averages.mean([table])[0] is table


def test_tables_that_contradict_each_other_are_refused() -> None:
  """Of other classes, or an image of another class or group."""
  table = _table('qr', 0)
  for other, why in (
      (dataclasses.replace(table, class_names=('a', 'c')), 'classes'),
      (_table('qr', 0, (0, 0)), 'q is of another class'),
      (dataclasses.replace(table, groups=('Q', 'Z')), 'r is of another'),
  ):
    with pytest.raises(errors.DataError, match=why):
      averages.mean([table, other])


def test_runs_of_other_images_are_refused(
    finished: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """The names of images may be alike where the images are not."""
  other = shutil.copytree(finished, tmp_path / 'other')
  assert averages.read([finished, other]).runs == 2
  file = other / 'inputs.json'
  digests = json.loads(file.read_text())
  file.write_text(json.dumps({**digests, 'images_digest': 'x'}))
  with pytest.raises(errors.DataError, match='not of the same images'):
    averages.read([finished, other])
  (other / 'summary.json').unlink()
  with pytest.raises(errors.DataError, match='other: not finished'):
    averages.read([finished, other])
