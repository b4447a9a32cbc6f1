"""Protects a study in the hands of time: failed, killed, repeated, shared."""

import dataclasses
import pathlib
import shutil
from typing import Any

import numpy as np
import pytest

from medxfer import errors
from medxfer import files
from medxfer import spec as specs
from medxfer.data import ham10000
from medxfer.recipes import table_7_1
from medxfer.study import execute
from medxfer.study import plan


def _study(
    phantoms: pathlib.Path,
    path: pathlib.Path,
    *,
    split_seed: int = -1,
    **keys: Any,
) -> plan.Study:
  config = table_7_1.get_config('phantom')
  config.data.update(dir=str(phantoms), phantom=0, split_seed=split_seed)
  config.evaluation.resamples = 20
  with config.unlocked():
    for name in config.study.changes:
      # Trees, and the quickest of them: no network is trained here.
      config.study.changes[name].model.name = 'decision_tree'
      config.study.changes[name].model.init_from = 'random'
  config.study.update(keys)
  return plan.from_config(config, path)


@pytest.fixture(scope='module')
def done(
    phantoms: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> Any:
  """A study of two runs, done."""
  path = tmp_path_factory.mktemp('studies') / 'done'
  study = _study(phantoms, path, arms='decision_tree', seeds=(0, 1))
  assert execute.execute(study, path, study.runs) == {}
  return path


def _stamps(path: pathlib.Path) -> dict[pathlib.Path, int]:
  return {p: p.stat().st_mtime_ns for p in (path / plan.RUNS).rglob('*.json')}


@pytest.mark.slow
def test_every_run_has_a_workdir_of_its_own(done: pathlib.Path) -> None:
  """What a run leaves is what a report is made of."""
  for seed in (0, 1):
    run = done / plan.RUNS / f'decision_tree-seed{seed}'
    assert files.read_json(run / 'summary.json')['status'] == 'finished'
  assert list(files.read_json(done / plan.STUDY)['runs']) == [
      'decision_tree-seed0',
      'decision_tree-seed1',
  ]


@pytest.mark.slow
def test_finished_runs_are_not_repeated(
    phantoms: pathlib.Path, done: pathlib.Path
) -> None:
  """The same command twice costs nothing, and one more seed costs one run."""
  before = _stamps(done)
  study = _study(phantoms, done, arms='decision_tree', seeds=(0, 1))
  assert execute.execute(study, done, study.runs) == {}
  assert _stamps(done) == before


@pytest.mark.slow
def test_other_keys_of_evaluation_are_counted_for_every_run(
    phantoms: pathlib.Path, done: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """A table whose rows had other intervals would be none."""
  path = shutil.copytree(done, tmp_path / 'study')
  study = _study(phantoms, path, arms='decision_tree', seeds=(0, 1))
  study = dataclasses.replace(
      study,
      runs=tuple(
          dataclasses.replace(
              run,
              spec=dataclasses.replace(
                  run.spec,
                  evaluation=dataclasses.replace(
                      run.spec.evaluation, resamples=10
                  ),
              ),
          )
          for run in study.runs
      ),
  )
  assert execute.execute(study, path, study.runs) == {}
  for run in study.runs:
    summary, old = (
        files.read_json(folder / plan.RUNS / run.name / 'summary.json')
        for folder in (path, done)
    )
    assert (summary.pop('test')['resamples'], old.pop('test')['resamples']) == (
        10,
        20,
    )
    assert summary == old


@pytest.mark.slow
def test_other_settings_are_refused_run_by_run(
    phantoms: pathlib.Path, done: pathlib.Path
) -> None:
  """A finished run must not stand in a table for another specification."""
  study = _study(phantoms, done, arms='decision_tree', seeds=(0,))
  other = plan.Study(
      study.name,
      study.title,
      tuple(
          plan.Planned(
              run.name,
              specs.from_config(
                  {
                      **run.spec.to_json(),
                      'baseline': {'pixels': 'rescaled', 'trees': 3},
                  }
              ),
          )
          for run in study.runs
      ),
  )
  before = _stamps(done)
  failures = execute.execute(other, done, other.runs)
  assert 'baseline.pixels' in failures['decision_tree-seed0']
  assert _stamps(done) == before


@pytest.mark.slow
def test_a_failed_run_stops_only_what_needs_it(
    phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """A night's study must not end at its first run."""
  path = tmp_path / 'study'
  good = _study(phantoms, path, arms='decision_tree').runs[0]
  bad = plan.Planned(
      'bad',
      specs.from_config(
          {
              **good.spec.to_json(),
              'data': {
                  **good.spec.to_json()['data'],
                  'dir': str(tmp_path / 'missing'),
              },
          }
      ),
  )
  needs = plan.Planned('needs', good.spec, after='bad')
  study = plan.Study('s', 'S', (bad, needs, good))
  failures = execute.execute(study, path, study.runs)
  assert list(failures) == ['bad', 'needs']
  assert 'missing' in failures['bad']
  assert failures['needs'] == 'not started, because bad failed'
  assert 'missing' in (path / 'failures/bad.txt').read_text()
  table = execute.table(study, path)
  assert table.count('not finished') == 2
  # And once the cause is gone, the same command does the rest.
  mended = plan.Study('s', 'S', (plan.Planned('bad', good.spec), good))
  assert execute.execute(mended, path, mended.runs) == {}
  assert not (path / 'failures/bad.txt').exists()


def test_a_missing_source_is_told_before_any_run(
    phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """Not hours later, when the arm that starts from it has its turn."""
  path = tmp_path / 'study'
  tree = _study(phantoms, path, arms='decision_tree').runs[0]
  needs = plan.Planned(
      'needs',
      dataclasses.replace(
          tree.spec,
          model=dataclasses.replace(
              tree.spec.model, name='vgg16', init_from='/no/such/run'
          ),
      ),
  )
  study = plan.Study('table_7_1', 'title', (tree, needs))
  with pytest.raises(errors.DataError, match='init_from=/no/such/run'):
    execute.execute(study, path, study.runs)
  assert not path.exists()


def test_weights_that_do_not_fit_are_told_before_any_run(
    phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """Nor after the arms that need none."""
  path, file = tmp_path / 'study', tmp_path / 'vgg19.npz'
  np.savez(file, block1_conv1_kernel=np.zeros((3, 3, 3, 64), np.float32))
  tree = _study(phantoms, path, arms='decision_tree').runs[0]
  needs = plan.Planned(
      'needs',
      dataclasses.replace(
          tree.spec,
          model=dataclasses.replace(
              tree.spec.model,
              name='vgg16',
              init_from='imagenet',
              weights=str(file),
          ),
      ),
  )
  study = plan.Study('layers_ham', 'title', (tree, needs))
  with pytest.raises(errors.DataError, match='vgg19.npz'):
    execute.execute(study, path, study.runs)
  assert not path.exists()


@pytest.mark.slow
def test_another_study_is_refused(
    phantoms: pathlib.Path, done: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """Two studies in one folder would be reported as one."""
  study = _study(phantoms, done, arms='decision_tree')
  with pytest.raises(errors.UsageError, match='holds the study'):
    execute.execute(plan.Study('other', '', study.runs), done, ())
  (tmp_path / 'letter.txt').write_text('mine')
  with pytest.raises(errors.UsageError, match='neither empty nor a study'):
    execute.execute(study, tmp_path, ())
  assert [p.name for p in tmp_path.iterdir()] == ['letter.txt']


@pytest.mark.slow
def test_folds_are_told_together(
    phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """Once all of them are finished."""
  study = _study(phantoms, tmp_path, arms='decision_tree', folds=3)
  assert execute.execute(study, tmp_path, study.runs[:2]) == {}
  assert 'folds' not in execute.table(study, tmp_path)
  assert execute.execute(study, tmp_path, study.runs) == {}
  line = execute.table(study, tmp_path).splitlines()[-1]
  images = len(ham10000.read(phantoms))
  assert f'3 folds, each of the {images} images scored once' in line


@pytest.mark.slow
def test_seeds_are_averaged_where_they_share_the_test_images(
    done: pathlib.Path, phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """An image of one seed's test may have trained another seed."""
  keys = {'arms': 'decision_tree', 'seeds': (0, 1)}
  assert 'average' not in execute.table(_study(phantoms, done, **keys), done)
  study = _study(phantoms, tmp_path, split_seed=0, **keys)
  assert execute.execute(study, tmp_path, study.runs) == {}
  line = execute.table(study, tmp_path).splitlines()[-1]
  assert line.startswith('decision_tree, average of 2 seeds: accuracy 0.')
  run = tmp_path / plan.RUNS / study.runs[0].name
  (run / 'predictions_test.csv').write_text('')
  table = execute.table(study, tmp_path)
  assert study.runs[1].name in table
  assert table.splitlines()[-1].startswith('not told together: ')
