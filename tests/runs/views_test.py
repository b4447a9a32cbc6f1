"""Protects what is scored: all views of an image, and its features."""

import pathlib
import shutil
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

from medxfer import classifier
from medxfer import errors
from medxfer import spec as specs
from medxfer.data import arrays
from medxfer.data import augment
from medxfer.evaluation import neighbours
from medxfer.runs import evaluate
from medxfer.runs import run
from medxfer.runs import workdir
from tests import tiny


@pytest.fixture
def path(finished: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
  """A copy of a finished run, to be scored anew."""
  return shutil.copytree(finished, tmp_path / 'run')


def _again(
    path: pathlib.Path, phantoms: pathlib.Path, **keys: Any
) -> dict[str, Any]:
  """Scores a finished run anew with other keys of `evaluation`."""
  config = tiny.config(phantoms)
  config.evaluation.update(keys)
  return run.run(specs.from_config(config), path)


def _logits(trained: classifier.Classifier, images: np.ndarray) -> np.ndarray:
  return np.log(trained.predict_proba(images))


def test_views_are_averaged_as_logits(
    path: pathlib.Path,
    phantoms: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """Each flip and turn scored alone by the same network, and their mean."""
  files = sorted(phantoms.rglob('*.jpg'))[:4]
  alone = classifier.load(path)
  before = alone.summary['calibration']
  pixels = np.stack([arrays.sized(f, f'{f}', (32, 32)) for f in files])
  spec = alone.spec.augment
  count = augment.view_count(spec)
  assert count > 1
  each = [
      _logits(
          alone,
          np.asarray(
              jax.vmap(lambda image, n=n: augment.view(image, n, spec))(
                  jnp.asarray(pixels)
              )
          ),
      )
      for n in range(count)
  ]
  # Calibrated alike: what calibrates a logit calibrates the mean of several.
  fitted = _again(path, phantoms, test_time_views=True)['calibration']
  assert 'nothing is trained' in capsys.readouterr().out
  raw = np.mean(each, axis=0) * before['temperature']
  expected = special.softmax(raw / fitted['temperature'], axis=1)
  again = classifier.load(path)
  np.testing.assert_allclose(again.predict_proba(pixels), expected, atol=2e-5)
  summary = workdir.Workdir(path).summary()
  assert evaluate.evaluate([path], 'test') == summary['test']


def test_features_are_kept_and_given_up_without_training(
    path: pathlib.Path, phantoms: pathlib.Path
) -> None:
  """As many as are asked for; the predictions stay what they are."""
  folder = workdir.Workdir(path)
  before = (path / 'predictions_test.csv').read_bytes()
  found = folder.reference()
  assert found is not None
  assert len(found.train) == folder.summary()['n']['train']
  assert len(found.validation) == folder.summary()['n']['val']
  _again(path, phantoms, reference_images=7)
  fewer = folder.reference()
  assert fewer is not None and len(fewer.train) == 7
  _again(path, phantoms, reference_images=0)
  assert folder.reference() is None
  assert (path / 'predictions_test.csv').read_bytes() == before


def test_the_features_of_a_run_are_those_of_its_network(
    path: pathlib.Path, phantoms: pathlib.Path
) -> None:
  """The mean of the last pooling: what `activations` gives, of training."""
  trained = classifier.load(path)
  rows = workdir.Workdir(path).split()
  files = {file.stem: file for file in phantoms.rglob('*.jpg')}
  subset = lambda name: trained.activations(
      [files[row[0]] for row in rows if row[3] == name], 'block2_pool'
  ).mean((1, 2))
  made = neighbours.Reference.of(subset('train'), subset('val'))
  found = workdir.Workdir(path).reference()
  assert found is not None
  order = lambda rows: rows[np.lexsort(rows.T)]
  np.testing.assert_allclose(order(found.train), order(made.train), atol=1e-5)
  np.testing.assert_allclose(found.validation, made.validation, atol=1e-3)


def test_a_damaged_file_of_features_is_named(path: pathlib.Path) -> None:
  """A command that needs it says what to do."""
  (path / 'reference.safetensors').write_bytes(b'x')
  with pytest.raises(errors.DataError, match='reference.*or remove it'):
    classifier.load(path)


def test_features_of_another_network_are_refused(path: pathlib.Path) -> None:
  """A file may be whole, and of another run."""
  folder = workdir.Workdir(path)
  ones = np.ones((3, 5), np.float32)
  folder.write_reference(neighbours.Reference.of(ones, ones))
  with pytest.raises(errors.DataError, match='of another network.*remove it'):
    classifier.load(path)
