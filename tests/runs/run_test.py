"""Protects a whole run: its files, its numbers, its refusals."""

from collections.abc import Callable
import csv
import fcntl
import json
import pathlib
import shutil
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from sklearn.utils import class_weight

from medxfer import errors
from medxfer import spec as specs
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import summary as summaries
from medxfer.runs import evaluate
from medxfer.runs import inputs as inputs_lib
from medxfer.runs import run
from medxfer.runs import workdir_lock
from tests import tiny

_ROOT = pathlib.Path(__file__).parents[2]


def _rows(path: pathlib.Path) -> list:
  with path.open(newline='') as file:
    return list(csv.DictReader(file))


def test_a_run_leaves_every_file_and_nothing_else(
    finished: pathlib.Path,
) -> None:
  """The files are the contract with report, study and the reader."""
  assert {p.name for p in finished.iterdir()} == {
      'config.json',
      'environment.json',
      'inputs.json',
      'parameters.txt',
      'split.csv',
      'metrics.jsonl',
      'checkpoints',
      'events.out.tfevents.medxfer',
      'predictions_val.csv',
      'predictions_test.csv',
      'reference.safetensors',
      'summary.json',
  }


def test_split_and_predictions_cover_every_image_once(
    finished: pathlib.Path, phantoms: pathlib.Path
) -> None:
  """Each image in one subset; each of val and test scored exactly once."""
  split = _rows(finished / 'split.csv')
  table = _rows(phantoms / 'HAM10000_metadata.csv')
  assert sorted(
      (r['image_id'], r['group'], r['label']) for r in split
  ) == sorted((r['image_id'], r['lesion_id'], r['dx']) for r in table)
  for subset in ('val', 'test'):
    scored = [
        r['image_id'] for r in _rows(finished / f'predictions_{subset}.csv')
    ]
    assert scored == [r['image_id'] for r in split if r['split'] == subset]


def test_the_summary_is_whole_and_recomputes(finished: pathlib.Path) -> None:
  """Every number must follow from the predictions table."""
  summary = json.loads((finished / 'summary.json').read_text())
  assert set(summary) == {
      'status',
      'arm',
      'val',
      'test',
      'best_epoch',
      'epochs_run',
      'stopped_early',
      'train_seconds',
      'images_per_second',
      'trainable_parameters',
      'frozen_parameters',
      'weights_digest',
      'weights_source',
      'split',
      'notes',
      'n',
      'positive',
      'skipped',
      'left_out',
      'several_pages',
      'leak',
      'test_without_copies',
      'training_notes',
      'calibration',
      'subgroups',
      'operating_points',
  }
  groups = {r['image_id']: r['group'] for r in _rows(finished / 'split.csv')}
  for subset in ('val', 'test'):
    scored = predictions_lib.with_groups(
        predictions_lib.read(finished / f'predictions_{subset}.csv'), groups
    )
    assert (
        summaries.split_summary(scored, resamples=50, seed=0) == summary[subset]
    )
  assert summary['frozen_parameters'] == 1392
  assert summary['n'] == {'train': 30, 'val': 10, 'test': 10}


def test_metrics_hold_one_object_an_epoch(finished: pathlib.Path) -> None:
  """Curves are drawn from them."""
  lines = (finished / 'metrics.jsonl').read_text().splitlines()
  records = [json.loads(line) for line in lines]
  assert [r['epoch'] for r in records] == [1, 2, 3]
  assert set(records[0]) - set(records[1]) == {'seconds_to_first_step'}
  assert set(records[1]) == {
      'epoch',
      'train_loss',
      'train_accuracy',
      'val_loss',
      'val_accuracy',
      'val_f1_macro',
      'learning_rate',
      'images_per_second',
      'compile_seconds',
      'seconds',
  }


def test_evaluate_gives_the_numbers_of_the_run(
    either: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """From the checkpoint, through its own jitted step, to the same table."""
  again = evaluate.evaluate([either], 'test', output=tmp_path / 'out')
  summary = json.loads((either / 'summary.json').read_text())
  assert again == summary['test']
  assert (tmp_path / 'out' / 'predictions_test.csv').read_bytes() == (
      either / 'predictions_test.csv'
  ).read_bytes()


def test_a_finished_run_is_not_repeated(
    finished: pathlib.Path,
    phantoms: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """The same command again shows the result and changes nothing."""
  before = {p: p.stat().st_mtime_ns for p in finished.rglob('*')}
  run.run(specs.from_config(tiny.config(phantoms)), finished)
  assert 'is finished' in capsys.readouterr().out
  after = {p: p.stat().st_mtime_ns for p in finished.rglob('*')}
  assert {p: t for p, t in after.items() if p.is_file()} == {
      p: t for p, t in before.items() if p.is_file()
  }


def test_another_spec_is_refused_with_the_difference(
    finished: pathlib.Path, phantoms: pathlib.Path
) -> None:
  """Two experiments in one folder would be one wrong table."""
  config = tiny.config(phantoms)
  config.model.dropout = 0.25
  with pytest.raises(errors.UsageError, match='model.dropout: 0.5 -> 0.25'):
    run.run(specs.from_config(config), finished)


def test_a_key_that_is_younger_than_a_run_has_its_default(
    finished: pathlib.Path,
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """Runs of an earlier version are the same runs still."""
  path = shutil.copytree(finished, tmp_path / 'run')
  config = json.loads((path / 'config.json').read_text())
  del config['model']['transferred'], config['model']['inherit']
  (path / 'config.json').write_text(json.dumps(config))
  run.run(specs.from_config(tiny.config(phantoms)), path)
  assert 'is finished' in capsys.readouterr().out


def test_a_folder_of_something_else_is_refused(
    tmp_path: pathlib.Path, phantoms: pathlib.Path
) -> None:
  """--workdir=~ must not be strewn with files."""
  (tmp_path / 'thesis.doc').write_text('precious')
  with pytest.raises(errors.UsageError, match='holds thesis.doc'):
    run.run(specs.from_config(tiny.config(phantoms)), tmp_path)
  assert [p.name for p in tmp_path.iterdir()] == ['thesis.doc']


def test_a_workdir_in_use_names_its_user(tmp_path: pathlib.Path) -> None:
  """Two processes on one workdir would mix their checkpoints."""
  with workdir_lock.locked(tmp_path / 'w'):
    with pytest.raises(errors.UsageError, match='in use by process'):
      with workdir_lock.locked(tmp_path / 'w'):
        pass
  assert not (tmp_path / 'w').exists()


def test_the_lock_of_a_dead_process_is_taken_over(
    tmp_path: pathlib.Path,
) -> None:
  """A run that was killed must be able to go on."""
  (tmp_path / '.lock').write_text('process 1 on elsewhere\n')
  with workdir_lock.locked(tmp_path):
    with (tmp_path / '.lock').open() as file:
      with pytest.raises(OSError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_workdir_that_cannot_be_written_is_refused(
    tmp_path: pathlib.Path, phantoms: pathlib.Path
) -> None:
  """Hours later would be too late to find out."""
  (tmp_path / 'file').write_text('')
  for path, message in (
      (tmp_path / 'file', 'not a folder'),
      (tmp_path / 'file' / 'w', 'cannot be written'),
  ):
    with pytest.raises(errors.UsageError, match=message):
      run.run(specs.from_config(tiny.config(phantoms)), path)


@pytest.mark.parametrize(
    'change, error, message',
    [
        (
            lambda c: c.data.update(dir='/nowhere'),
            errors.DataError,
            'no such folder',
        ),
        (
            lambda c: c.training.update(class_weights='acne=2'),
            errors.UsageError,
            "has no class 'acne'",
        ),
        (
            lambda c: c.model.update(
                init_from='imagenet', weights='/nowhere.h5'
            ),
            errors.DataError,
            '/nowhere.h5',
        ),
    ],
)
def test_what_is_missing_leaves_no_workdir(
    tmp_path: pathlib.Path,
    phantoms: pathlib.Path,
    change: Callable[..., Any],
    error: Callable[..., Any],
    message: str,
) -> None:
  """Everything is checked before the first file is written."""
  config = tiny.config(phantoms)
  change(config)
  with pytest.raises(error, match=message):
    run.run(specs.from_config(config), tmp_path / 'deep' / 'workdir')
  assert not (tmp_path / 'deep').exists()


@pytest.mark.slow
def test_skipped_images_are_listed(
    tmp_path: pathlib.Path, phantoms: pathlib.Path
) -> None:
  """`skip` is honest only if it says what it skipped."""
  data = shutil.copytree(phantoms, tmp_path / 'data')
  nv = [
      r['image_id']
      for r in _rows(data / 'HAM10000_metadata.csv')
      if r['dx'] == 'nv'
  ]
  next(data.glob(f'*/{nv[0]}.jpg')).write_text('no image')
  for name in ('._1.jpg', '._2.jpg', 'slice.dcm'):
    (data / name).write_bytes(b'x')
  config = tiny.config(data)
  config.data.on_bad_image = 'skip'
  config.training.epochs = 1
  summary = run.run(specs.from_config(config), tmp_path / 'run')
  assert summary['skipped'] == 1 and sum(summary['n'].values()) == 49
  assert summary['left_out'] == {
      'hidden or system file': 2,
      'DICOM without its preamble': 1,
  }
  assert summary['several_pages'] == 0
  assert [r['image_id'] for r in _rows(tmp_path / 'run' / 'skipped.csv')] == [
      nv[0],
      '._1.jpg',
      '._2.jpg',
      'slice.dcm',
  ]


@pytest.mark.slow
@pytest.mark.parametrize('cache', ['host', 'none'])
def test_where_pixels_are_kept_does_not_change_the_result(
    finished: pathlib.Path,
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    cache: Any,
) -> None:
  """Same order, same steps, same bits."""
  config = tiny.config(phantoms)
  config.data.cache = cache
  run.run(specs.from_config(config), tmp_path / 'run')
  for name in ('predictions_val.csv', 'predictions_test.csv'):
    assert (tmp_path / 'run' / name).read_bytes() == (
        finished / name
    ).read_bytes()


def _class_weights(phantoms: pathlib.Path, rule: str) -> tuple:
  """Returns the labels of the train subset and the factors of the loss."""
  config = tiny.config(phantoms)
  config.training.class_weights = rule
  spec = specs.from_config(config)
  inputs = inputs_lib.read(spec)
  return (
      inputs.examples.labels[inputs.split.train],
      inputs_lib.class_weights(spec.training, inputs),
  )


@pytest.mark.slow
def test_a_run_on_pixels_of_the_cache_needs_no_tensorflow(
    phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """It would cost every start some seconds, and every run 500 MiB."""
  config = tiny.config(phantoms)
  config.cache_dir = str(tmp_path / 'cache')
  config.training.epochs = 1
  config.evaluation.resamples = 10
  spec = specs.from_config(config)
  inputs_lib.read(spec)
  program = (
      'import json, pathlib, sys\n'
      'from medxfer import spec as specs\n'
      'from medxfer.runs import run\n'
      'spec = specs.from_config(json.loads(sys.argv[1]))\n'
      'run.run(spec, pathlib.Path(sys.argv[2]))\n'
      'assert "tensorflow" not in sys.modules\n'
  )
  subprocess.run(
      [
          sys.executable,
          '-c',
          program,
          json.dumps(spec.to_json()),
          str(tmp_path / 'run'),
      ],
      check=True,
      cwd=_ROOT,
  )


def test_class_weights_balance_the_loss(phantoms: pathlib.Path) -> None:
  """n / (classes * count), as scikit-learn's `balanced`."""
  labels, weights = _class_weights(phantoms, 'balanced')
  np.testing.assert_allclose(
      weights,
      class_weight.compute_class_weight(
          'balanced', classes=np.arange(7), y=labels
      ),
      rtol=1e-6,
  )


def test_square_roots_balance_the_loss_halfway(phantoms: pathlib.Path) -> None:
  """Four times rarer weighs twice; the mean image weighs one."""
  labels, weights = _class_weights(phantoms, 'sqrt_balanced')
  counts = np.bincount(labels, minlength=7)
  products = weights**2 * counts
  np.testing.assert_allclose(products, products[0], rtol=1e-5)
  assert weights[labels].mean() == pytest.approx(1.0, rel=1e-6)


def test_a_batch_beyond_the_images_is_said(
    phantoms: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
  """One step an epoch is not what a batch size of 4096 promises."""
  for size, said in ((30, False), (31, True)):
    config = tiny.config(phantoms)
    config.training.batch_size = size
    assert len(inputs_lib.read(specs.from_config(config)).split.train) == 30
    assert ('one step on all of them' in capsys.readouterr().out) == said


def test_another_split_is_refused_on_resume(
    finished: pathlib.Path, phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """A library that deals otherwise would mix train and test in silence."""
  path = shutil.copytree(finished, tmp_path / 'run')
  digests = json.loads((path / 'inputs.json').read_text())
  digests['split_digest'] = 'dealt by another version'
  (path / 'inputs.json').write_text(json.dumps(digests))
  with pytest.raises(errors.DataError, match='split_digest'):
    evaluate.evaluate([path], 'test')


def test_a_run_killed_before_its_summary_only_scores(
    finished: pathlib.Path,
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """No epoch is trained twice, and the result is the same."""
  path = shutil.copytree(finished, tmp_path / 'run')
  (path / 'summary.json').unlink()
  summary = run.run(specs.from_config(tiny.config(phantoms)), path)
  out = capsys.readouterr().out
  assert 'resumes after epoch 3' in out and 'train loss' not in out
  assert summary == json.loads((finished / 'summary.json').read_text())
