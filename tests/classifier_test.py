"""Protects the Python API: a run in a notebook is the run of the commands."""

from collections.abc import Callable
import doctest
import io
import pathlib
import subprocess
import sys
import types
from typing import Any

import numpy as np
from PIL import Image
import pytest

import medxfer
from medxfer import api
from medxfer import classifier
from medxfer import ensemble
from medxfer import errors
from medxfer.data import arrays
from medxfer.data import deep_grey
from medxfer.evaluation import predictions as predictions_lib
from medxfer.runs import predict
from tests import tiny


@pytest.fixture(scope='module')
def run(
    phantoms: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> classifier.Classifier:
  """A finished run of a tiny network."""
  config = tiny.config(phantoms)
  path = tmp_path_factory.mktemp('api') / 'run'
  return medxfer.train(
      config, workdir=path, model={'name': 'tiny'}, training={'epochs': 1}
  )


def _images(n: int = 3, size: tuple = (40, 50)) -> np.ndarray:
  draw = np.random.default_rng(0)
  return draw.integers(0, 256, (n, *size, 3), dtype=np.uint8)


def test_probabilities_are_those_of_the_run(
    run: classifier.Classifier, phantoms: pathlib.Path
) -> None:
  """The files that the run scored, through the API: the same numbers."""
  table = predictions_lib.read(run.path / 'predictions_test.csv')
  paths = {path.stem: path for path in phantoms.rglob('*.jpg')}
  found = run.predict_proba([paths[name] for name in table.image_ids])
  np.testing.assert_allclose(found, table.probabilities, atol=1e-6)
  assert found.dtype == np.float32 and run.class_names == table.class_names
  assert run.predict(paths[table.image_ids[0]]).tolist() == [
      run.class_names[found[0].argmax()]
  ]


def test_the_command_gives_the_same(
    run: classifier.Classifier,
    phantoms: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """There is one way to rebuild a network."""
  paths = sorted(phantoms.rglob('*.jpg'))[:3]
  predict.predict([run.path], paths, output=None)
  rows = capsys.readouterr().out.splitlines()[1:]
  found = np.array([row.split(',')[2:-1] for row in rows], float)
  np.testing.assert_allclose(run.predict_proba(paths), found, atol=1e-6)


def test_an_image_is_the_same_in_every_form(
    run: classifier.Classifier, tmp_path: pathlib.Path
) -> None:
  """Path, text, bytes, open file, Pillow image, array."""
  image = _images(1)[0]
  path = tmp_path / 'image.png'
  Image.fromarray(image).save(path)
  with path.open('rb') as file:
    found = run.predict_proba(
        [
            path,
            str(path),
            path.read_bytes(),
            file,
            Image.open(path),
            image,
            image.astype(np.float32) / 255,
            image.astype(np.int64),
            image.astype(np.uint16) * 256,
        ]
    )
  assert np.ptp(found, axis=0).max() == 0
  assert run.predict_proba(path).shape == (1, len(run.class_names))


@pytest.mark.parametrize(
    'values',
    [
        np.uint16([[0, 4095], [2048, 1]]),
        np.float32([[0, 4095], [2048, 1]]),
        np.int32([[0, 4095], [2048, 1]]),
    ],
)
def test_deep_grey_arrays_have_the_range_of_the_run(values: np.ndarray) -> None:
  """As deep grey files have it."""
  found = arrays.rgb(values, 'x', grey_range=deep_grey.Range(0, 4095))
  assert found[..., 0].tolist() == [[0, 255], [128, 0]]
  assert (found == found[..., :1]).all()


def test_batches_of_any_length_and_none(run: classifier.Classifier) -> None:
  """Padding must neither show nor count."""
  images = _images(5, run.image_size)
  whole = run.predict_proba(images)
  for n in (0, 1, 3):
    np.testing.assert_allclose(
        run.predict_proba(images[:n]), whole[:n], atol=1e-6
    )
  assert run.predict_proba([]).shape == (0, len(run.class_names))


@pytest.mark.parametrize(
    'images, said',
    [
        (
            np.zeros((3, 64, 64)),
            r'\(3, 64, 64\).*channels come first, transpose',
        ),
        (np.zeros((2, 3, 64, 64), np.uint8), r'images\[0\].*\(3, 64, 64\)'),
        (np.zeros((9, 64, 64), np.uint8), r'one channel for grey'),
        (np.zeros(4), r'\(4,\)'),
        (np.zeros((0, 5, 3), np.uint8), r'\(0, 5, 3\)'),
        (
            [np.zeros((8, 8, 3)), np.full((8, 8, 3), np.nan)],
            r'images\[1\].*NaN',
        ),
        (np.full((8, 8, 3), 256), 'neither in'),
        (np.array([['a', 'b']]), 'give numbers'),
        (5, 'int is not an image'),
        (None, 'NoneType is not an image'),
        (b'no image', 'not an image'),
        ('nowhere.jpg', 'nowhere.jpg: there is no such image'),
        ('.', 'is a folder'),
    ],
)
def test_a_wrong_image_is_a_value_error(
    run: classifier.Classifier, images: Any, said: str
) -> None:
  """That says which image, its shape, and what is allowed."""
  with pytest.raises(ValueError, match=said):
    run.predict_proba(images)


def test_explanations_are_maps_of_the_image(run: classifier.Classifier) -> None:
  """In [0, 1], of the predicted class unless another is named."""
  images = _images(3)
  heat = run.explain(images)
  assert heat.shape == (3, *run.image_size)
  assert heat.min() >= 0 and heat.max() <= 1
  predicted = run.predict(images)
  np.testing.assert_array_equal(
      heat, run.explain(images, classes=predicted.tolist())
  )
  other = next(n for n in run.class_names if n != predicted[0])
  assert (run.explain(images[:1], classes=other) != heat[:1]).any()
  assert run.explain([]).shape == (0, *run.image_size)


@pytest.mark.parametrize(
    'call, said',
    [
        (lambda run: run.explain(_images(), classes='zz'), "'zz' is none of"),
        (lambda run: run.explain(_images(), classes=['nv', 'nv']), '2 for 3'),
        (lambda run: run.explain(_images(), layer='fc1'), 'block1_conv1'),
        (lambda run: run.activations(_images(), 'block9_pool'), 'block1_pool'),
        (lambda run: run.activations([], 'block1_pool'), 'there are none'),
    ],
)
def test_a_wrong_class_or_layer_is_a_value_error(
    run: classifier.Classifier, call: Callable[..., Any], said: str
) -> None:
  """That names those that exist."""
  with pytest.raises(ValueError, match=said):
    call(run)


def test_activations_are_those_of_the_layer(run: classifier.Classifier) -> None:
  """Their shape follows from the architecture."""
  height, width = run.image_size
  found = run.activations(_images(2), 'block2_pool')
  assert found.shape == (2, height // 4, width // 4, 8)


def test_the_test_images_are_scored_again(run: classifier.Classifier) -> None:
  """The numbers of the run."""
  assert run.evaluate() == run.summary['test']


def test_images_of_the_run_are_not_from_elsewhere(
    run: classifier.Classifier, phantoms: pathlib.Path
) -> None:
  """`tests/external/validation_test.py` has more of images from elsewhere."""
  with pytest.raises(errors.DataError, match='images of the run itself'):
    run.evaluate(phantoms, dataset='ham10000')


def test_two_runs_are_compared(run: classifier.Classifier) -> None:
  """With itself: no difference."""
  assert medxfer.compare(run.path, run.path)['accuracy']['difference'] == 0


@pytest.mark.parametrize('classes', [[], 3, {'nv'}, ['nv', 'wart']])
def test_wrong_classes_to_explain_are_refused(
    run: classifier.Classifier, classes: Any
) -> None:
  """Whatever is given in place of names."""
  with pytest.raises(errors.UsageError, match='classes'):
    run.explain(np.zeros((32, 32, 3), np.uint8), classes=classes)


def test_bytes_of_any_kind_are_a_file(run: classifier.Classifier) -> None:
  """And a mapping is not a sequence of its keys."""
  file = io.BytesIO()
  Image.new('RGB', (32, 32), 'red').save(file, 'PNG')
  expected = run.predict_proba(file.getvalue())
  for content in (bytearray(file.getvalue()), memoryview(file.getvalue())):
    np.testing.assert_array_equal(run.predict_proba(content), expected)
  with pytest.raises(errors.UsageError, match='dict is not an image'):
    run.predict_proba({'a': 1})


@pytest.mark.parametrize(
    'config, changes, said',
    [
        ('ham:nope', {}, 'unknown arm'),
        ('nowhere:all', {}, 'nowhere: no such file'),
        ('ham:all', {'training': {'epoch': 3}}, 'epoch'),
        ('ham:all', {'trainin': {}}, 'trainin'),
        ('ham:all', {'training': {'epochs': 0}}, 'training.epochs=0'),
        ('ham:all', {'model': {'trainable': 'block9'}}, 'block9'),
        ('ham:decision_tree', {}, 'keeps no weights'),
    ],
)
def test_a_wrong_configuration_is_a_value_error(
    tmp_path: pathlib.Path, config: str, changes: dict, said: str
) -> None:
  """Before anything is read or written."""
  with pytest.raises(ValueError, match=said):
    medxfer.train(config, workdir=tmp_path / 'run', **changes)
  assert not any(tmp_path.iterdir())


def test_a_folder_that_is_no_run_is_refused(tmp_path: pathlib.Path) -> None:
  """As the commands refuse it."""
  with pytest.raises(ValueError, match='no such file'):
    medxfer.load(tmp_path)


def test_loading_needs_no_tensorflow(run: classifier.Classifier) -> None:
  """It takes seconds to import, and a notebook may have no use for it."""
  program = (
      'import sys, medxfer; before = "jax" in sys.modules; '
      f'medxfer.load({str(run.path)!r}); '
      'print(before, "tensorflow" in sys.modules)'
  )
  said = subprocess.run(
      [sys.executable, '-c', program],
      capture_output=True,
      text=True,
      check=True,
  )
  assert said.stdout.split() == ['False', 'False'] and not said.stderr


def test_what_the_package_names_is_there() -> None:
  """Names are found when they are first asked for."""
  assert medxfer.load is ensemble.load and medxfer.train is api.train
  assert set(medxfer.__all__) <= set(dir(medxfer))
  stub = pathlib.Path(medxfer.__file__).with_suffix('.pyi').read_text()
  assert all(f' as {name}\n' in stub for name in medxfer.__all__)
  with pytest.raises(AttributeError):
    getattr(medxfer, 'nothing')


@pytest.mark.parametrize('module', [classifier, api, arrays])
def test_the_examples_of_the_documentation_hold(
    run: classifier.Classifier, module: types.ModuleType
) -> None:
  """What a docstring shows is what happens."""
  globs = {
      'medxfer': medxfer,
      'np': np,
      'run': run,
      'images': _images(),
      'arrays': arrays,
  }
  runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
  report = io.StringIO()
  for test in doctest.DocTestFinder().find(module, globs=globs):
    runner.run(test, out=report.write)
  assert runner.failures == 0, report.getvalue()
