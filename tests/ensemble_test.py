"""Protects averages of networks, from Python and from the shell."""

import csv
import dataclasses
import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

import medxfer
from medxfer import ensemble
from medxfer import errors
from medxfer import spec as specs
from medxfer.data import phantom
from medxfer.external import validation
from medxfer.runs import averages
from medxfer.runs import evaluate
from medxfer.runs import network
from medxfer.runs import predict
from medxfer.runs import run
from medxfer.runs import workdir
from tests import tiny

_ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture(scope='module')
def second(
    phantoms: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> pathlib.Path:
  """A run of another seed on the split of `finished`."""
  config = tiny.config(phantoms)
  config.update(seed=1)
  config.data.split_seed = 0
  path = tmp_path_factory.mktemp('seeds') / 'second'
  run.run(specs.from_config(config), path)
  return path


@pytest.fixture(scope='module')
def both(finished: pathlib.Path, second: pathlib.Path) -> ensemble.Ensemble:
  """The average of two seeds."""
  found = medxfer.load(finished, second)
  assert isinstance(found, ensemble.Ensemble)
  return found


def test_the_split_has_a_seed_of_its_own(
    finished: pathlib.Path, second: pathlib.Path
) -> None:
  """Two seeds are tested on the same images, by networks that differ."""
  one, two = (workdir.Workdir(path) for path in (finished, second))
  assert one.split() == two.split()
  tables = [folder.predictions('test') for folder in (one, two)]
  assert not np.allclose(*(table.probabilities for table in tables))


def test_probabilities_are_the_mean_of_the_members(
    both: ensemble.Ensemble, phantoms: pathlib.Path
) -> None:
  """Of percentiles the median; maps are bright somewhere."""
  images = sorted(phantoms.rglob('*.jpg'))[:3]
  each = [member.scores(images) for member in both.members]
  found = both.scores(images)
  np.testing.assert_allclose(
      found.probabilities,
      np.mean([one.probabilities for one in each], axis=0),
      atol=1e-6,
  )
  np.testing.assert_allclose(
      found.unlike_training,
      np.median([one.unlike_training for one in each], axis=0),
  )
  assert list(both.predict(images)) == [
      both.class_names[k] for k in found.probabilities.argmax(1)
  ]
  heats = both.explain(images, classes='mel')
  assert heats.shape == (3, *both.image_size) and heats.max() <= 1


def test_the_test_images_are_scored_by_the_average(
    both: ensemble.Ensemble, tmp_path: pathlib.Path
) -> None:
  """From what the runs have written; kept where it is asked for."""
  paths = [member.path for member in both.members]
  summary = evaluate.evaluate(paths, 'test', output=tmp_path / 'out')
  again = both.evaluate()
  assert summary == again
  expected = averages.read(paths).test
  assert summary['accuracy'] == np.mean(
      expected.probabilities.argmax(1) == expected.labels
  )
  assert {file.name for file in (tmp_path / 'out').iterdir()} == {
      'predictions_test.csv',
      'summary_test.json',
  }
  for options in ({'subset': 'train'}, {'subset': 'test', 'data_dir': 'x'}):
    with pytest.raises(errors.UsageError, match='leave --subset out'):
      evaluate.evaluate(paths, **options)


def test_images_from_elsewhere_are_scored_by_the_average(
    both: ensemble.Ensemble, tmp_path: pathlib.Path
) -> None:
  """Compared with the average here; no run's folder is written to."""
  place = tmp_path / 'clinic'
  phantom.write_ham10000(
      place, images=phantom.smallest_ham10000(), seed=7, size=(40, 40)
  )
  found = validation.validate(
      both, place, dataset='ham10000', output=tmp_path / 'out'
  )
  assert len(found['runs']) == 2
  paths = [member.path for member in both.members]
  here = found['comparison']['metrics']['accuracy']['here']['value']
  test = averages.read(paths).test
  assert here == pytest.approx(
      np.mean(test.probabilities.argmax(1) == test.labels)
  )
  assert (tmp_path / 'out' / 'external.json').exists()
  assert not any((path / 'external').exists() for path in paths)


def test_what_cannot_be_averaged_is_refused(
    finished: pathlib.Path, both: ensemble.Ensemble, tmp_path: pathlib.Path
) -> None:
  """One run twice, another image size, other classes."""
  with pytest.raises(errors.UsageError, match='named twice'):
    medxfer.load(finished, finished)
  with pytest.raises(errors.UsageError, match='named twice'):
    evaluate.evaluate([finished, finished], 'test')
  with pytest.raises(errors.UsageError, match=r'load\(\*paths\)'):
    medxfer.load([finished, finished])  # pyright: ignore
  other = shutil.copytree(finished, tmp_path / 'other')
  config = json.loads((other / 'config.json').read_text())
  config['data']['image_size'] = [48, 48]
  (other / 'config.json').write_text(json.dumps(config))
  with pytest.raises(errors.UsageError, match='other has an image size'):
    medxfer.load(finished, other)
  assert not hasattr(both, 'export') and 'average of' in repr(both)


def test_maps_of_different_architectures_are_refused(
    both: ensemble.Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
  """Their layers have nothing in common."""
  pixels = np.zeros((1, *both.image_size, 3), np.uint8)
  names = iter(['tiny', 'vgg16'])
  monkeypatch.setattr(
      network.Network,
      'spec',
      property(lambda _: _Spec(next(names))),
      raising=False,
  )
  networks = [network.Network.__new__(network.Network) for _ in range(2)]
  with pytest.raises(errors.UsageError, match='explain each run alone'):
    network.Average(tuple(networks)).heat(pixels, np.zeros(1, int))


class _Spec:

  def __init__(self, name: str) -> None:
    self.model = type('Model', (), {'name': name})


def test_the_commands_take_several_runs(
    both: ensemble.Ensemble, phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """--workdir=A --workdir=B."""
  images = sorted(phantoms.rglob('*.jpg'))[:2]
  result = subprocess.run(
      [
          sys.executable,
          '-m',
          'medxfer',
          'predict',
          *(f'--workdir={member.path}' for member in both.members),
          *images,
          f'--output={tmp_path / "p.csv"}',
      ],
      cwd=_ROOT,
      capture_output=True,
      text=True,
      check=False,
  )
  assert result.returncode == 0, result.stderr
  with open(tmp_path / 'p.csv', encoding='utf-8') as file:
    rows = list(csv.DictReader(file))
  np.testing.assert_allclose(
      [[float(row[f'p_{name}']) for name in both.class_names] for row in rows],
      both.predict_proba(images),
      atol=1e-6,
  )


def test_predict_says_what_is_unlike_the_training_images(
    finished: pathlib.Path,
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """In a column, and in a line where the network knows no such image."""
  path = shutil.copytree(finished, tmp_path / 'run')
  folder, images = workdir.Workdir(path), sorted(phantoms.rglob('*.jpg'))[:2]
  reference = folder.reference()
  assert reference is not None
  for nearest, said in (0, '100.0'), (9, '0.0'):
    folder.write_reference(
        dataclasses.replace(
            reference, validation=np.full(50, nearest, np.float32)
        )
    )
    predict.predict([path], images, output=None)
    out, err = capsys.readouterr()
    rows = list(csv.DictReader(out.splitlines()))
    assert [row[predict.UNLIKE_TRAINING] for row in rows] == [said] * 2
    assert ('unlike the training images: 2 of 2' in err) == (nearest == 0)
  (path / 'reference.safetensors').unlink()
  predict.predict([path], images, output=None)
  out, err = capsys.readouterr()
  rows = list(csv.DictReader(out.splitlines()))
  assert {row[predict.UNLIKE_TRAINING] for row in rows} == {''}
  assert 'reference_images=2000' in err
