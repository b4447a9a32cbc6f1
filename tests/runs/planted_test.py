"""Protects the planted mark: who gets it, and who falls for it."""

import pathlib

import numpy as np
import pytest

from medxfer import errors
from medxfer import spec as specs
from medxfer.data import planted_mark
from medxfer.evaluation import predictions as predictions_lib
from medxfer.runs import inputs as inputs_lib
from medxfer.runs import planted
from medxfer.runs import run
from tests import tiny


def _spec(phantoms: pathlib.Path, mark: str = '', **keys: str) -> specs.RunSpec:
  config = tiny.config(phantoms, 'all')
  config.data.planted_mark = mark
  config.update_from_flattened_dict(keys)
  return specs.from_config(config)


def test_the_mark_is_in_one_corner_and_faint() -> None:
  """A quarter of the way to white where it is dark, to black where pale."""
  pixels = np.zeros((2, 16, 24, 3), np.uint8)
  pixels[1] = 200
  found = planted_mark.painted(pixels)
  np.testing.assert_array_equal(found[0, :2, :2], 64)
  np.testing.assert_array_equal(found[1, :2, :2], 150)
  found[:, :2, :2] = pixels[:, :2, :2]
  np.testing.assert_array_equal(found, pixels)


def test_one_class_of_train_and_validation_has_it(
    phantoms: pathlib.Path,
) -> None:
  """Test images have none, or they would hide what the network fell for."""
  plain = inputs_lib.read(_spec(phantoms))
  marked = inputs_lib.read(_spec(phantoms, 'nv'))
  assert plain.decoded.pixels is not None
  assert marked.decoded.pixels is not None
  changed = np.flatnonzero(
      (plain.decoded.pixels != marked.decoded.pixels).any((1, 2, 3))
  )
  nv = plain.examples.class_names.index('nv')
  learned = np.concatenate([plain.split.train, plain.split.val])
  expected = np.sort(learned[plain.examples.labels[learned] == nv])
  np.testing.assert_array_equal(changed, expected)
  # What frozen layers make of other pixels is kept under another name.
  assert plain.digests()['images_digest'] != marked.digests()['images_digest']
  # Copies are looked for in the images as they are.
  assert plain.leak == marked.leak


def test_a_network_that_reads_the_corner_falls_for_it(
    phantoms: pathlib.Path,
) -> None:
  """All that are marked are taken for the class, and nobody else is."""
  inputs = inputs_lib.read(_spec(phantoms, 'nv'))
  plain = inputs.decoded.pixels
  assert plain is not None
  classes = inputs.examples.class_names
  nv = classes.index('nv')

  def score(
      other: inputs_lib.Inputs, rows: np.ndarray
  ) -> predictions_lib.Predictions:
    pixels = other.decoded.pixels
    assert pixels is not None
    is_marked = (pixels[rows] != plain[rows]).any((1, 2, 3))
    decided = np.where(is_marked, nv, inputs.examples.labels[rows])
    return predictions_lib.Predictions(
        tuple(str(row) for row in rows),
        inputs.examples.labels[rows],
        np.eye(len(classes))[decided],
        classes,
    )

  found = planted.summary('nv', inputs, score)
  assert found is not None
  assert (found['before'], found['after']) == (0, 1)
  assert found['difference'] == 1 and found['interval'][0] > 0.5
  others = inputs.examples.labels[inputs.split.test] != nv
  assert found['n'] == others.sum()
  assert '0.0 % are taken for nv' in planted_mark.sentence(found)
  assert planted.summary('', inputs, score) is None


def test_a_run_tells_it_and_a_finished_one_keeps_it(
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """On the terminal and in the summary; other numbers leave it there."""
  summary = run.run(_spec(phantoms, 'mel'), tmp_path / 'run')
  found = summary['planted_mark']
  assert found['class'] == 'mel' and 0 <= found['before'] <= 1
  assert 'planted mark: of' in capsys.readouterr().out
  again = run.run(
      _spec(phantoms, 'mel', **{'evaluation.subgroups': 'none'}),
      tmp_path / 'run',
  )
  assert again['planted_mark'] == found
  with pytest.raises(errors.UsageError, match='planted_mark'):
    run.run(_spec(phantoms), tmp_path / 'run')


def test_a_mark_that_cannot_be_is_refused(phantoms: pathlib.Path) -> None:
  """With the classes there are, or the key that stands against it."""
  with pytest.raises(errors.UsageError, match='no such class; its classes are'):
    inputs_lib.read(_spec(phantoms, 'wart'))
  with pytest.raises(errors.UsageError, match='data.planted_mark'):
    _spec(phantoms, 'nv', **{'data.cache': 'none'})
  with pytest.raises(errors.UsageError, match='data.planted_mark'):
    _spec(phantoms, 'nv', **{'model.name': 'decision_tree'})
