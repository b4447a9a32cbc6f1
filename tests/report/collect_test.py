"""Protects the door: what is no sound run is named, and stays outside."""

from collections.abc import Callable
import csv
import json
import pathlib
import shutil
from typing import Any

import pytest

from medxfer import errors
from medxfer.report.read import collect
from tests.report import workdirs


def _edit_json(name: Any, change: Any) -> Any:
  def damage(run: pathlib.Path) -> None:
    content = json.loads((run / name).read_text())
    change(content)
    (run / name).write_text(json.dumps(content))

  return damage


def _write(name: Any, text: Any) -> Any:
  return lambda run: (run / name).write_text(text)


def _cut(name: Any) -> Any:
  return lambda run: (run / name).write_bytes((run / name).read_bytes()[:-9])


def _relabel(run: pathlib.Path) -> None:
  """Changes the class of every test image, in one of the two tables."""
  rows = list(csv.reader((run / 'split.csv').open()))
  with (run / 'split.csv').open('w') as file:
    csv.writer(file).writerows(
        [row[0], 'nv' if row[1] != 'nv' else 'mel', *row[2:]] if i else row
        for i, row in enumerate(rows)
    )


@pytest.mark.parametrize(
    'damage, reason',
    [
        (lambda run: (run / 'summary.json').unlink(), 'not finished'),
        (lambda run: (run / 'config.json').unlink(), 'no config.json'),
        (
            lambda run: (run / 'predictions_test.csv').unlink(),
            'no predictions_test.csv',
        ),
        (lambda run: (run / 'split.csv').unlink(), 'no split.csv'),
        (_write('summary.json', '{"status": '), 'summary.json: damaged'),
        (_write('summary.json', '[' * 100_000), 'nested too deeply'),
        (_write('summary.json', '[]'), 'list instead of a JSON object'),
        (_write('config.json', '{}'), 'not a configuration'),
        (
            _edit_json(
                'config.json', lambda c: c['model'].update(trainable='x')
            ),
            "'x' matches no block",
        ),
        (
            _edit_json('summary.json', lambda s: s.update(status='failed')),
            'not "finished"',
        ),
        (
            _edit_json(
                'summary.json', lambda s: s['test'].update(ece=float('nan'))
            ),
            'ece is nan',
        ),
        (
            _edit_json(
                'summary.json', lambda s: s['test'].update(accuracy=1.0)
            ),
            'of two runs',
        ),
        (
            _edit_json(
                'summary.json', lambda s: s['test']['f1_per_class'].pop('nv')
            ),
            'f1_per_class.nv is None',
        ),
        (
            _edit_json(
                'summary.json',
                lambda s: s['test']['intervals'].update(accuracy=[0.9, 0.1]),
            ),
            'interval of accuracy',
        ),
        (_cut('predictions_test.csv'), 'cut off'),
        (_write('split.csv', 'image,subset\n'), 'the columns are image,subset'),
        (_relabel, "but of 'akiec' in predictions_test.csv"),
        (_write('metrics.jsonl', '{"epoch": 1}\n'), 'train_accuracy is None'),
        (_write('metrics.jsonl', '{"epoch": \n'), 'line 1 is damaged'),
    ],
)
def test_a_damaged_run_is_left_out_by_name_with_its_reason(
    tmp_path: pathlib.Path, damage: Callable[..., Any], reason: str
) -> None:
  """A number from a damaged file is worse than none."""
  workdirs.write(tmp_path / 'good', 'all')
  damage(workdirs.write(tmp_path / 'sub' / 'bad', 'random'))
  collection = collect.collect(tmp_path)
  assert [run.name for run in collection.runs] == ['good']
  [left] = collection.left_out
  assert left.name == 'sub/bad'
  assert reason in left.reason
  assert str(tmp_path) not in left.reason


def test_a_workdir_itself_is_a_report_of_one(tmp_path: pathlib.Path) -> None:
  """--workdir may be the folder of a single run."""
  run = workdirs.write(tmp_path / 'one', 'all')
  [found] = collect.collect(run).runs
  assert found.name == 'one' and found.path == run


def test_a_copy_of_a_run_is_no_second_seed(tmp_path: pathlib.Path) -> None:
  """Counted twice, a run would look like agreement between seeds."""
  workdirs.write(tmp_path / 'a', 'all')
  workdirs.write(tmp_path / 'b', 'all', seed=1)
  shutil.copytree(tmp_path / 'a', tmp_path / 'c')
  collection = collect.collect(tmp_path)
  assert [run.name for run in collection.runs] == ['a', 'b']
  assert 'repeats a' in collection.left_out[0].reason


def test_equal_baselines_of_two_recipes_are_one_run(
    tmp_path: pathlib.Path,
) -> None:
  """Trees ignore the recipe; two studies may both have trained them."""
  workdirs.write(tmp_path / 'a', 'decision_tree')
  workdirs.write(tmp_path / 'b', 'decision_tree', modifiers=('caffe', 'cpu'))
  assert len(collect.collect(tmp_path).runs) == 1
  # All but the weights of the classes, which make another tree.
  workdirs.write(tmp_path / 'c', 'decision_tree', modifiers=('tuned', 'cpu'))
  assert len(collect.collect(tmp_path).runs) == 2


def test_what_a_run_wrote_for_itself_is_not_searched(
    tmp_path: pathlib.Path,
) -> None:
  """Checkpoints have files of any name; links may lead in circles."""
  run = workdirs.write(tmp_path / 'runs' / 'a', 'all')
  shutil.copytree(run, tmp_path / 'checkpoints' / 'b')
  shutil.copytree(run, tmp_path / '.hidden' / 'c')
  (tmp_path / 'link').symlink_to(tmp_path)
  collection = collect.collect(tmp_path)
  assert [run.name for run in collection.runs] == ['runs/a']
  assert not collection.left_out


def test_folders_of_one_name_are_two_data_sets(tmp_path: pathlib.Path) -> None:
  """/a/eyes and /b/eyes must not share a table, moved images must."""
  for name, split in (('a', 'by_image'), ('b', 'grouped')):
    workdirs.write(
        tmp_path / name,
        'all',
        dataset='folder',
        overrides={'data.split': split},
    )
  workdirs.write(
      tmp_path / 'c',
      'random',
      dataset='folder',
      overrides={'data.dir': '/elsewhere/my folder'},
  )
  a, b, c = (run.dataset for run in collect.collect(tmp_path).runs)
  assert a != b
  assert a == c


def test_nothing_to_show_is_an_error_that_says_why(
    tmp_path: pathlib.Path,
) -> None:
  """An empty page would look like a finished study."""
  (workdirs.write(tmp_path / 'a', 'all') / 'summary.json').unlink()
  with pytest.raises(errors.DataError, match='a: not finished'):
    collect.collect(tmp_path)
  with pytest.raises(errors.UsageError, match='no such folder'):
    collect.collect(tmp_path / 'nowhere')


def test_what_a_study_has_not_done_is_listed(tmp_path: pathlib.Path) -> None:
  """A table with a column less must say that there should be one."""
  workdirs.write(tmp_path / 'runs' / 'all-seed0', 'all')
  begun = workdirs.write(tmp_path / 'runs' / 'head-seed0', 'head')
  (begun / 'summary.json').unlink()
  (tmp_path / 'study.json').write_text(
      json.dumps(
          {
              'name': 's',
              'title': 'S',
              'runs': dict.fromkeys(
                  [
                      'all-seed0',
                      'head-seed0',
                      'random-seed0',
                      'last_block-seed0',
                  ]
              ),
          }
      )
  )
  (tmp_path / 'failures').mkdir()
  for name in ('head-seed0', 'random-seed0'):
    (tmp_path / 'failures' / f'{name}.txt').write_text('no memory\n')
  collection = collect.collect(tmp_path)
  assert [(item.name, item.reason) for item in collection.left_out] == [
      ('runs/head-seed0', 'failed: no memory'),
      ('runs/random-seed0', 'failed: no memory'),
      ('runs/last_block-seed0', 'not begun'),
  ]
  (tmp_path / 'study.json').write_text('{"runs"')
  assert 'no plan of a study' in collect.collect(tmp_path).left_out[-1].reason
