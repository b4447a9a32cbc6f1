"""Protects external validation: what is from elsewhere, and what it says."""

import csv
import json
import pathlib
import shutil

import numpy as np
from PIL import Image
import pytest

from medxfer import classifier
from medxfer import errors
from medxfer import spec as specs
from medxfer.data import ham10000
from medxfer.data import phantom
from medxfer.external import results
from medxfer.external import validation
from medxfer.external import words
from medxfer.runs import run as runs
from medxfer.runs import workdir
from tests import tiny


@pytest.fixture
def trained(
    finished: pathlib.Path, tmp_path: pathlib.Path
) -> classifier.Classifier:
  """The network of a copy of the run, to write results into."""
  return classifier.load(shutil.copytree(finished, tmp_path / 'run'))


@pytest.fixture(scope='module')
def clinic(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  """Phantoms of another clinic in its own words, a folder per class."""
  folder = tmp_path_factory.mktemp('clinic')
  phantom.write_ham10000(
      folder / 'raw', images=phantom.smallest_ham10000(), seed=7, size=(40, 40)
  )
  _in_folders(folder / 'raw', folder / 'clinic')
  return folder / 'clinic'


def _in_folders(raw: pathlib.Path, output: pathlib.Path) -> None:
  examples = ham10000.read(raw)
  for path, label in zip(examples.paths, examples.labels):
    target = output / examples.class_names[label] / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, target)


def test_the_run_keeps_what_was_found(
    trained: classifier.Classifier, clinic: pathlib.Path
) -> None:
  """Scores, comparison and images, for reports and for people."""
  found = validation.validate(trained, clinic)
  assert list(results.read(trained.path)) == [json.loads(json.dumps(found))]
  folder = trained.path / 'external' / 'clinic'
  with open(folder / 'images.csv', encoding='utf-8') as file:
    rows = list(csv.DictReader(file))
  with open(folder / 'predictions.csv', encoding='utf-8') as file:
    scored = list(csv.DictReader(file))
  assert [row['image_id'] for row in rows] == [
      row['image_id'] for row in scored
  ]
  assert len(rows) == found['n'] == found['scores']['n'] > 0
  assert found['groups'] is None and found['seen'] == {
      'looked': True,
      'why': '',
      'copies': 0,
  }
  here = found['comparison']['metrics']['accuracy']['here']['value']
  assert here == trained.summary['test']['accuracy']
  assert found['scores']['accuracy'] == (
      found['comparison']['metrics']['accuracy']['there']['value']
  )


def test_what_is_not_used_is_said_and_listed(
    trained: classifier.Classifier,
    clinic: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """By the rule of a run: nothing vanishes."""
  mixed = shutil.copytree(clinic, tmp_path / 'mixed')
  (mixed / 'nv' / 'notes.pdf').write_bytes(b'%PDF')
  (mixed / 'nv' / 'bad.jpg').write_bytes(b'no image')
  found = validation.validate(trained, mixed, on_bad_image='skip')
  said = capsys.readouterr().out
  assert 'left out: 1 file: 1 PDF (nv/notes.pdf)' in said
  assert 'skipped: 1 image (nv/bad.jpg' in said
  assert (found['skipped'], found['left_out']) == (1, {'PDF': 1})
  table = trained.path / 'external' / 'mixed' / 'skipped.csv'
  assert [line.split(',')[0] for line in table.read_text().splitlines()] == [
      'image_id',
      'nv/bad.jpg',
      'nv/notes.pdf',
  ]


def test_deep_images_tell_their_range_where_the_run_saw_none(
    trained: classifier.Classifier,
    clinic: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """12 bits in 16 are not a black picture; the range is said."""
  for path in sorted(clinic.rglob('*.jpg')):
    grey = np.asarray(Image.open(path).convert('L'), np.uint16)
    for folder, values in (
        ('deep', grey * 16),
        ('plain', np.rint(grey * 16 * (255 / 4095)).astype(np.uint8)),
    ):
      target = tmp_path / folder / path.parent.name / f'{path.stem}.png'
      target.parent.mkdir(parents=True, exist_ok=True)
      Image.fromarray(values).save(target)
  found = validation.validate(trained, tmp_path / 'deep', save=False)
  assert 'grey values 0 to 4095 (12 bits)' in capsys.readouterr().out
  plain = validation.validate(trained, tmp_path / 'plain', save=False)
  assert found['scores']['confusion'] == plain['scores']['confusion']


def test_intervals_are_by_image_where_nobody_names_groups(
    trained: classifier.Classifier, clinic: pathlib.Path
) -> None:
  """And the table says so."""
  found = validation.validate(trained, clinic, save=False)
  assert found['scores']['resampled_by'] == 'image'


def test_nothing_is_written_where_nobody_wants_it(
    trained: classifier.Classifier, clinic: pathlib.Path
) -> None:
  """From a notebook."""
  trained.evaluate(clinic, save=False)
  assert not (trained.path / 'external').exists()


def test_results_of_another_state_of_the_run_are_left_out(
    trained: classifier.Classifier, clinic: pathlib.Path
) -> None:
  """A run that was scored anew is not the one that was validated."""
  validation.validate(trained, clinic)
  summary = trained.path / 'summary.json'
  summary.write_text(summary.read_text().replace('finished', 'finished '))
  assert not list(results.read(trained.path))


def test_damaged_results_are_named(
    trained: classifier.Classifier, clinic: pathlib.Path
) -> None:
  """With the command that makes them anew."""
  found = validation.validate(trained, clinic)
  del found['comparison']['metrics']['ece']
  path = trained.path / 'external' / 'clinic' / 'external.json'
  path.write_text(json.dumps(found))
  with pytest.raises(
      errors.DataError, match='external.json: damaged.*--name=c'
  ):
    list(results.read(trained.path))


def test_images_of_the_run_are_taken_out(
    trained: classifier.Classifier,
    clinic: pathlib.Path,
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
) -> None:
  """Found by their pixels; if there are no others, that is refused."""
  mixed = shutil.copytree(clinic, tmp_path / 'mixed')
  own = tmp_path / 'own'
  _in_folders(phantoms, own)
  for path in (own / 'nv').iterdir():
    shutil.copy(path, mixed / 'nv' / f'new_{path.name}')
  found = validation.validate(trained, mixed)
  alone = validation.validate(trained, clinic, save=False)
  assert found['seen']['copies'] == len(list((own / 'nv').iterdir())) > 0
  assert found['n'] == alone['n']
  assert found['scores']['confusion'] == alone['scores']['confusion']
  assert any('copies of images of the run' in s for s in words.cautions(found))
  with pytest.raises(errors.DataError, match='all of these.*--subset=test'):
    validation.validate(trained, own)


def test_where_nobody_can_look_for_copies_it_is_said(
    trained: classifier.Classifier, clinic: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """The images of the run may be elsewhere by now."""
  config = json.loads((trained.path / 'config.json').read_text())
  config['data']['dir'] = str(tmp_path / 'gone')
  (trained.path / 'config.json').write_text(json.dumps(config))
  found = validation.validate(classifier.load(trained.path), clinic)
  assert not found['seen']['looked'] and 'gone' in found['seen']['why']
  assert any('is not known' in sentence for sentence in words.cautions(found))


def test_a_class_that_is_not_there_is_said_and_counts_nowhere(
    trained: classifier.Classifier, clinic: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """The macro F1 is of the classes that both places have."""
  fewer = shutil.copytree(clinic, tmp_path / 'fewer')
  shutil.rmtree(fewer / 'df')
  found = validation.validate(trained, fewer)
  assert found['absent_classes'] == ['df']
  f1 = found['scores']['f1_per_class']
  assert found['scores']['f1_macro'] == pytest.approx(
      sum(value for name, value in f1.items() if name != 'df') / 6
  )
  assert any('have no df' in sentence for sentence in words.cautions(found))


def test_images_of_one_class_are_scored(
    trained: classifier.Classifier, clinic: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """What is found of it; nothing is adjusted to a fraction of one."""
  one = tmp_path / 'one' / 'nv'
  shutil.copytree(clinic / 'nv', one)
  found = validation.validate(trained, tmp_path / 'one')
  assert found['classes']['nv'] == found['n']
  assert found['comparison']['adjusted'] is None
  assert found['comparison']['metrics']['auroc_macro']['there']['value'] is None
  said = ' '.join([words.headline(found), *words.explained(found)])
  assert 'Elsewhere: accuracy' in said and 'Adjusted' not in said
  assert len(list(results.read(trained.path))) == 1


def test_a_table_names_images_labels_and_groups(
    trained: classifier.Classifier, clinic: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """The same images give the same scores; groups count."""
  table = tmp_path / 'clinic.csv'
  paths = sorted(clinic.rglob('*.jpg'))
  table.write_text(
      'image,label,group,sex\n'
      + ''.join(
          f'{path},{path.parent.name},{i // 2},f\n'
          for i, path in enumerate(paths)
      )
  )
  found = validation.validate(trained, table)
  alone = validation.validate(trained, clinic, name='folder')
  assert found['scores']['confusion'] == alone['scores']['confusion']
  assert found['groups'] == (len(paths) + 1) // 2
  images = trained.path / 'external' / 'clinic' / 'images.csv'
  assert images.read_text().startswith('image_id,label,group,sex')
  with pytest.raises(errors.UsageError, match='--groups'):
    validation.validate(trained, table, groups=table)


def test_a_known_data_set_is_read_as_such(
    trained: classifier.Classifier, clinic: pathlib.Path
) -> None:
  """With its lesions as groups and its columns."""
  found = validation.validate(
      trained, clinic.parent / 'raw', dataset='ham10000'
  )
  assert found['groups'] and found['name'] == 'raw'


def test_biases_stand_for_the_fractions_of_validation(
    trained: classifier.Classifier, clinic: pathlib.Path, phantoms: pathlib.Path
) -> None:
  """Without them, for those of training as the loss weighs them."""
  config = tiny.config(phantoms)
  for subset, method in ('val', 'bias_corrected'), ('train', 'temperature'):
    config.evaluation.calibration = method
    runs.run(specs.from_config(config), trained.path)
    found = validation.validate(
        classifier.load(trained.path), clinic, save=False
    )
    rows = [r for r in workdir.Workdir(trained.path).split() if r[3] == subset]
    for name, fraction in found['comparison']['fractions']['training'].items():
      assert fraction == pytest.approx(
          sum(row[1] == name for row in rows) / len(rows), abs=1e-5
      )


def test_a_run_that_is_not_finished_is_refused(
    trained: classifier.Classifier, clinic: pathlib.Path
) -> None:
  """It has no test to compare with."""
  (trained.path / 'summary.json').unlink()
  with pytest.raises(errors.DataError, match='not finished'):
    validation.validate(trained, clinic)


@pytest.mark.parametrize('name', ['../up', '.hidden', 'a/b', 'a b'])
def test_a_name_that_is_no_folder_is_refused(
    trained: classifier.Classifier, clinic: pathlib.Path, name: str
) -> None:
  """Nothing is written outside of the workdir."""
  with pytest.raises(errors.UsageError, match='--name'):
    validation.validate(trained, clinic, name=name)


def test_it_says_what_the_difference_is(
    trained: classifier.Classifier,
    clinic: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """The sentence that leads, and what explains it."""
  validation.validate(trained, clinic)
  out = capsys.readouterr().out
  assert 'Elsewhere: AUROC 0.' in out and 'against 0.' in out
  assert 'rank' in out and 'Adjusted to the fractions' in out
