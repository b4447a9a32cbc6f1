"""Protects the checklists of journals: each item, and only what is known."""

import json
import pathlib

import pytest

from medxfer.report.page import contents
from medxfer.report.read import collect
from medxfer.report.text import tables
from tests.report import workdirs


def _rows(root: pathlib.Path) -> dict[str, tuple[str, str]]:
  [chapter] = contents.make(collect.collect(root)).chapters
  found: tables.Table = chapter.checklist
  return {row[0].text: (row[2].text, row[3].text) for row in found.rows}


def test_every_item_has_a_status(tmp_path: pathlib.Path) -> None:
  """44 of CLAIM, 52 of TRIPOD+AI, each once."""
  workdirs.write(tmp_path / 'all', 'all')
  rows = _rows(tmp_path)
  claim = [name for name in rows if name.startswith('CLAIM 2024 ')]
  assert claim == [f'CLAIM 2024 {i}' for i in range(1, 45)]
  assert len(rows) == 44 + 52
  assert {status for status, _ in rows.values()} == {
      'reported',
      'partly',
      'not reported',
  }
  for status, text in rows.values():
    assert bool(text) == (status != 'not reported')
    assert ('for the authors' in text) == (status == 'partly')


def test_what_was_not_done_is_not_reported(tmp_path: pathlib.Path) -> None:
  """External tests, subgroups, seeds; nor what authors alone know."""
  workdirs.write(tmp_path / 'all', 'all')
  rows = _rows(tmp_path)
  for item in (
      'CLAIM 2024 30',
      'CLAIM 2024 31',  # No checkpoint is left to draw with.
      'CLAIM 2024 33',
      'CLAIM 2024 36',
      'CLAIM 2024 44',
      'TRIPOD+AI 12d',
      'TRIPOD+AI 17',
      'TRIPOD+AI 24',
  ):
    assert rows[item] == ('not reported', ''), item
  # One network has no pair to test.
  assert 'paired' not in rows['CLAIM 2024 29'][1]
  assert 'pictures' not in rows['CLAIM 2024 39'][1]


def test_what_was_done_is_reported(tmp_path: pathlib.Path) -> None:
  """Seeds, folds and sources."""
  for seed in (0, 1):
    workdirs.write(tmp_path / f'all{seed}', 'all', seed=seed)
  source = {'data.split': 'source', 'data.test_source': 'rosendahl'}
  workdirs.write(tmp_path / 'source', 'all', overrides=source)
  rows = _rows(tmp_path)
  assert rows['CLAIM 2024 30'][1] == '2 seeds, each source left out'
  assert 'tested on rosendahl' in rows['TRIPOD+AI 23b'][1]
  assert 'seed 0, 1' in rows['CLAIM 2024 19'][1]
  assert 'class_weights=none' in rows['TRIPOD+AI 13'][1]


def test_a_tree_reports_no_training(tmp_path: pathlib.Path) -> None:
  """It has neither epochs nor weights to begin with."""
  workdirs.write(tmp_path / 'tree', 'decision_tree')
  rows = _rows(tmp_path)
  for item in ('CLAIM 2024 24', 'CLAIM 2024 25', 'CLAIM 2024 31'):
    assert rows[item][0] == 'not reported'


@pytest.mark.parametrize(
    'leak, said',
    [
        ({'share': 0.0}, 'no test image shares its lesion'),
        ({'share': 0.25}, '25.0 % of the test images share their lesion'),
        ({'share': None}, 'which images are of one lesion is not known'),
    ],
)
def test_the_level_of_the_split_is_that_of_the_leak(
    tmp_path: pathlib.Path, leak: dict, said: str
) -> None:
  """Not what the split is called."""
  path = workdirs.write(tmp_path / 'all', 'all')
  summary = json.loads((path / 'summary.json').read_text())
  summary['leak'].update(leak)
  (path / 'summary.json').write_text(json.dumps(summary))
  assert said in _rows(tmp_path)['CLAIM 2024 20'][1]
