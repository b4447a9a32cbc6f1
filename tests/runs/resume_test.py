"""Protects a finished run that is asked for more, or for other numbers."""

from collections.abc import Callable
import json
import pathlib
import re
import shutil
from typing import Any

from PIL import Image
import pytest

from medxfer import errors
from medxfer import files
from medxfer import spec as specs
from medxfer.evaluation import summary as summaries
from medxfer.runs import more_epochs
from medxfer.runs import resume
from medxfer.runs import run
from medxfer.runs import workdir
from medxfer.training import checkpoints as checkpoints_lib
from tests import tiny


def _spec(phantoms: pathlib.Path, **changes: Any) -> specs.RunSpec:
  """Returns the specification of `finished`, changed: SECTION__KEY=VALUE."""
  config = tiny.config(phantoms)
  for key, value in changes.items():
    section, _, name = key.partition('__')
    config[section][name] = value
  return specs.from_config(config)


@pytest.fixture
def done(finished: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
  """A finished run of three epochs, to be changed."""
  return shutil.copytree(finished, tmp_path / 'done')


def _results(path: pathlib.Path) -> tuple:
  """Returns everything but times."""
  summary = workdir.Workdir(path).summary()
  history = [
      json.loads(line)
      for line in (path / 'metrics.jsonl').read_text().splitlines()
  ]
  for record in (summary, *history):
    for key in [k for k in record if 'second' in k]:
      del record[key]
  return (
      summary,
      history,
      checkpoints_lib.export(path).contract.tensors,
      *(
          (path / workdir.predictions_name(subset)).read_bytes()
          for subset in ('val', 'test')
      ),
  )


def _bytes(path: pathlib.Path) -> dict:
  return {p: p.read_bytes() for p in path.rglob('*') if p.is_file()}


def test_more_epochs_are_those_of_a_longer_run(
    phantoms: pathlib.Path,
    done: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """Bit for bit: parameters, metrics, predictions, best epoch."""
  longer = _spec(phantoms, training__epochs=5)
  assert resume.work(done, longer) == resume.Work.TRAIN
  run.run(longer, done)
  out = capsys.readouterr().out
  assert 'of this run 3 epochs of 3 are done; it goes on, to epoch 5' in out
  assert 'as a run does that was asked for them from the start' in out
  assert 'resumes after epoch 3' in out
  run.run(longer, tmp_path / 'at_once')
  assert _results(done) == _results(tmp_path / 'at_once')
  assert not (done / 'continued.json').exists()
  assert resume.work(done, longer) == resume.Work.NOTHING


def test_a_stretched_cosine_is_said_and_recorded(
    phantoms: pathlib.Path,
    done: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """Its rates were those of a shorter run: another experiment."""
  config = files.read_json(done / 'config.json')
  config['optimizer']['schedule'] = 'cosine'
  files.write_json(done / 'config.json', config)
  longer = _spec(phantoms, optimizer__schedule='cosine', training__epochs=6)
  for _ in range(2):  # Killed in between.
    more_epochs.begin(done, longer, first=True)
    (note,) = workdir.Workdir(done).continued()
    assert (note['epochs_done'], note['epochs_before'], note['epochs']) == (
        3,
        3,
        6,
    )
    assert (
        'now spans 6 epochs, not 3 (after epoch 3 it is 0.0005, not 0)'
        in note['difference']
    )
  out = capsys.readouterr().out
  assert note['difference'] in out and 'the result is not that of' in out
  assert not (done / 'summary.json').exists()
  # It changes its mind before anything was trained.
  files.write_json(done / 'config.json', longer.to_json())
  more_epochs.begin(
      done,
      _spec(phantoms, optimizer__schedule='cosine', training__epochs=3),
      first=True,
  )
  assert workdir.Workdir(done).continued() == []


@pytest.mark.slow
def test_a_run_without_its_last_state_goes_on_from_the_best_epoch(
    phantoms: pathlib.Path,
    done: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """Runs of an earlier version, and those of studies, kept nothing else."""
  checkpoints = checkpoints_lib.Checkpoints(done)
  checkpoints.finish(keep_last=False)
  best = checkpoints.best_weights()[0]
  summary = run.run(_spec(phantoms, training__epochs=4), done)
  assert f'goes on from the best epoch, {best}, with a new optimizer' in (
      capsys.readouterr().out
  )
  history = (done / 'metrics.jsonl').read_text().splitlines()
  assert [json.loads(line)['epoch'] for line in history] == [1, 2, 3, 4]
  assert summary['epochs_run'] == 4
  assert summary['continued'][0]['epochs_done'] == 3


@pytest.fixture
def flat(monkeypatch: pytest.MonkeyPatch) -> None:
  """No epoch of any run is better than its first."""
  monkeypatch.setattr(
      checkpoints_lib.Checkpoints,
      'history',
      lambda _: tuple({'epoch': i, 'val_accuracy': 0.5} for i in (1, 2, 3)),
  )


@pytest.mark.parametrize(
    'change, said',
    [
        (
            {'training__epochs': 2},
            '3 epochs of this run are done, training.epochs'
            '=2 asks for fewer; give --config.training.epochs=3 or more',
        ),
        (
            {'training__patience': 1, 'training__epochs': 9},
            'with training.patience=1 this run would have ended after epoch 2',
        ),
    ],
)
@pytest.mark.usefixtures('flat')
def test_less_than_was_done_is_refused(
    phantoms: pathlib.Path, done: pathlib.Path, change: dict, said: str
) -> None:
  """Nothing would be deleted for it, and nothing be as it says."""
  before = _bytes(done)
  with pytest.raises(errors.UsageError, match=re.escape(said)):
    run.run(_spec(phantoms, **change), done)
  assert _bytes(done) == before


@pytest.mark.usefixtures('flat')
def test_the_end_of_patience_is_said(
    phantoms: pathlib.Path,
    done: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """More epochs alone change nothing then."""
  spec = _spec(phantoms, training__epochs=9, training__patience=2)
  assert resume.work(done, spec) == resume.Work.NOTHING
  resume.say_finished(done, spec)
  out = capsys.readouterr().out
  assert 'it ended after epoch 3 of 9, because 2 epochs brought none' in out
  assert '--config.training.patience=4 waits longer, 0 never stops' in out
  more = _spec(phantoms, training__epochs=9, training__patience=4)
  assert resume.work(done, more) == resume.Work.TRAIN


@pytest.mark.parametrize(
    'key, value, said',
    [
        ('resamples', 20, 'computes its numbers again'),
        pytest.param('batch_size', 8, 'scores again', marks=pytest.mark.slow),
    ],
)
def test_other_keys_of_evaluation_score_without_training(
    phantoms: pathlib.Path,
    done: pathlib.Path,
    finished: pathlib.Path,
    key: str,
    value: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """An hour of training is not repeated for other intervals."""
  spec = _spec(phantoms, **{f'evaluation__{key}': value})
  summary = run.run(spec, done)
  out = capsys.readouterr().out
  assert f'{said}' in out and 'nothing is trained' in out
  assert files.read_json(done / 'config.json')['evaluation'][key] == value
  old = files.read_json(finished / 'summary.json')
  if key == 'resamples':
    # Of so few images the intervals may be the same after all.
    assert summary['test']['resamples'] == 20 != old['test']['resamples']
  for one in (summary, old):
    del one['val'], one['test']
  if key == 'batch_size':
    # Products of other sizes round differently.
    temperatures = [
        one.pop('calibration')['temperature'] for one in (summary, old)
    ]
    assert temperatures[0] == pytest.approx(temperatures[1], rel=1e-3)
  assert summary == old
  for name in ('metrics.jsonl', workdir.predictions_name('test')):
    if key == 'resamples':
      assert (done / name).read_bytes() == (finished / name).read_bytes()
  assert resume.work(done, spec) == resume.Work.NOTHING


def test_a_score_that_fails_changes_nothing(
    phantoms: pathlib.Path, done: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """The old numbers stay, with their predictions and their keys."""

  def fail(*_: Any, **__: Any) -> None:
    raise errors.DataError('no numbers')

  monkeypatch.setattr(summaries, 'split_summary', fail)
  before = _bytes(done)
  for change in ({'evaluation__resamples': 20}, {'evaluation__batch_size': 8}):
    with pytest.raises(errors.DataError, match='no numbers'):
      run.run(_spec(phantoms, **change), done)
    assert _bytes(done) == before


@pytest.mark.parametrize(
    'change, said',
    [
        (lambda folder: None, ''),
        (
            lambda folder: Image.effect_noise((150, 112), 64).save(
                next(folder.rglob('*.jpg'))
            ),
            'images_digest',
        ),
    ],
)
def test_a_finished_run_of_other_images_is_not_shown(
    phantoms: pathlib.Path,
    done: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[..., Any],
    said: str,
) -> None:
  """The default workdir does not know the folder of the images."""
  folder = shutil.copytree(phantoms, tmp_path / 'other')
  change(folder)
  spec = _spec(folder)
  before = _bytes(done)
  assert resume.work(done, spec) == resume.Work.COMPARE
  if said:
    with pytest.raises(
        errors.DataError, match=f'(?s)other images.*done-2.*{said}'
    ):
      run.run(spec, done)
  else:
    run.run(spec, done)
    assert 'is finished' in capsys.readouterr().out
  assert _bytes(done) == before


def test_no_checkpoint_left_is_said(
    phantoms: pathlib.Path, done: pathlib.Path
) -> None:
  """People delete them, and keep the numbers."""
  shutil.rmtree(done / checkpoints_lib.FOLDER)
  with pytest.raises(
      errors.DataError,
      match='no checkpoint of this finished '
      'run is left .*training.epochs=3 as before',
  ):
    run.run(_spec(phantoms, training__epochs=9), done)
  for key, value, old in (
      ('calibration', 'auto', 'temperature'),
      ('batch_size', 4, '16'),
  ):
    before = _bytes(done)
    with pytest.raises(
        errors.DataError, match=f'to score.*evaluation.{key}={old} as before'
    ):
      run.run(_spec(phantoms, **{f'evaluation__{key}': value}), done)
    assert _bytes(done) == before
  (done / 'predictions_val.csv').unlink()
  with pytest.raises(errors.DataError, match='with; give another --workdir'):
    resume.work(done, _spec(phantoms, evaluation__resamples=7))
  assert resume.work(done, _spec(phantoms)) == resume.Work.NOTHING
