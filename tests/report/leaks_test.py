"""Protects from “no leak” where there is one, or where nobody looked."""

from collections.abc import Callable
import copy
import pathlib
from typing import Any

import pytest

from medxfer.report.page import write
from medxfer.report.read import collect
from medxfer.report.read import settings as settings_lib
from medxfer.report.text import comparisons
from medxfer.report.text import leaks
from medxfer.report.text import verdicts
from tests.report import workdirs


def _leak(**what: Any) -> Callable[..., Any]:
  def change(summary: dict) -> None:
    summary['leak'].update(what)

  return change


def _copied(summary: dict) -> None:
  """Twelve copies, without which the score is lower."""
  summary['leak'].update(copies=12, copies_share=12 / 210, sets_of_copies=9)
  rest = copy.deepcopy(summary['test'])
  rest.update(n=198, accuracy=0.25, f1_macro=0.125)
  rest['intervals'].update(accuracy=[0.2, 0.3], f1_macro=[0.1, 0.15])
  summary['test_without_copies'] = rest


def _settings(root: pathlib.Path) -> tuple:
  return settings_lib.arrange(collect.collect(root).runs)


def _trust(root: pathlib.Path) -> verdicts.Line:
  return verdicts.answers(_settings(root))[-1].lines[0]


@pytest.mark.parametrize(
    'leak, verdict, words',
    [
        (
            {'share': 0.0, 'copies': 0},
            'No leak found.',
            'No test image has a copy in train.',
        ),
        (
            {'share': 0.0},
            'Whether test images leak is not known.',
            'Copies were not looked for.',
        ),
        (
            {'share': 0.0, 'copies': None},
            'Whether test images leak is not known.',
            'Copies were not looked for.',
        ),
        (
            {'share': 0.0, 'duplicates': 21},
            '10 % of the test images are leaked.',
            '21 are the same bit for bit',
        ),
        (
            {'share': 0.0, 'copies': 21},
            '10 % of the test images are leaked.',
            '21 of 210 test images have a copy',
        ),
        (
            {'share': 0.0, 'copies': 1},
            '0.5 % of the test images are leaked.',
            '1 of 210 test images has a copy',
        ),
        (
            {'share': 0.0, 'copies': 210},
            '100 % of the test images are leaked.',
            'No test image is without a copy in train.',
        ),
        (
            {'share': None, 'copies': 21},
            '10 % of the test images are leaked.',
            'Which images belong to one patient was not said',
        ),
        (
            {'share': None, 'copies': 0},
            'Whether test images leak is not known.',
            'No test image has a copy in train.',
        ),
        (
            {'share': 0.0, 'copies': 0, 'sets_of_copies': 28},
            'No leak found.',
            'in train; 28 pictures are there more than once, in any subset.',
        ),
        (
            {'share': 0.3, 'copies': 21},
            '30 % of the test images are leaked.',
            '21 of 210 test images have a copy',
        ),
    ],
)
def test_a_leak_is_denied_only_if_all_was_looked_for(
    tmp_path: pathlib.Path, leak: dict, verdict: str, words: str
) -> None:
  """By group and by copy; runs of older versions did not look for copies."""
  for arm in ('decision_tree', 'all'):
    workdirs.write(tmp_path / arm, arm, change=_leak(**leak))
    line = _trust(tmp_path)
    assert verdict in line.sentences and words in line.numbers


def test_a_leak_of_another_seed_or_classifier_is_not_passed_over(
    tmp_path: pathlib.Path,
) -> None:
  """The lowest seed of the best network is not the table."""
  clean, copied = _leak(share=0.0, copies=0), _leak(share=0.0, copies=3)
  workdirs.write(tmp_path / 'a', 'all', change=clean)
  workdirs.write(tmp_path / 't', 'decision_tree', change=copied)
  assert 'No leak found for this one, but for others of its table.' in (
      _trust(tmp_path).sentences
  )
  workdirs.write(tmp_path / 'b', 'all', seed=1, change=copied)
  assert '1 % of the test images are leaked.' in _trust(tmp_path).sentences


def test_the_score_without_copies_stands_beside_the_full_one(
    tmp_path: pathlib.Path,
) -> None:
  """In the answer, and in a table of every classifier."""
  workdirs.write(tmp_path / 'a', 'all', change=_copied)
  workdirs.write(tmp_path / 'b', 'last_block', change=_leak(copies=0))
  [setting] = _settings(tmp_path)
  assert (
      'On the 198 test images without a copy in train, accuracy is 0.250 '
      '(0.200–0.300) instead of 0.'
  ) in leaks.without_copies(setting.columns[0])
  table = leaks.table(setting, 'copies')
  row = dict(zip(table.header, table.rows[0]))
  full = setting.columns[0].first.summary['test']
  assert row['Test images with a copy'].text == '12'
  assert row['Accuracy'].values[''] == full['accuracy']
  assert row['Accuracy, without copies'].values[''] == 0.25
  assert row['Macro F1, without copies'].text == '0.125 (0.100–0.150)'
  assert table.rows[1][1].text == '0' and table.rows[1][4].text == '–'
  html = write.report(tmp_path, tmp_path / 'out')[0].read_text()
  assert '0.250' in html and 'No leak' not in html


def test_without_copies_there_is_no_such_table(tmp_path: pathlib.Path) -> None:
  """Old runs and clean ones look as they did."""
  workdirs.write(tmp_path / 'a', 'all')
  [setting] = _settings(tmp_path)
  assert leaks.table(setting, 'copies') is None
  assert not leaks.without_copies(setting.columns[0])


def test_leakage_is_corrected_and_its_copies_are_counted(
    tmp_path: pathlib.Path,
) -> None:
  """Several pairs, one correction; the variance of retraining is owned up."""
  for arm in ('all', 'last_block'):
    workdirs.write(tmp_path / arm, arm, change=_copied, skill=2.0)
    workdirs.write(
        tmp_path / f'{arm}_grouped',
        arm,
        skill=1.6,
        modifiers=('cpu', 'grouped'),
        change=_leak(copies=0),
    )
  table = comparisons.leakage(_settings(tmp_path), 'leakage')
  for row in table.rows:
    cells = dict(zip(table.header, row))
    assert cells['p'].values[''] <= cells['p, Holm'].values['']
    assert cells['Copies, by image'].text == '12'
    assert cells['Copies, other split'].text == '0'
  largest = max(row[6].values[''] for row in table.rows)
  smallest = min(row[6].values[''] for row in table.rows)
  assert max(row[7].values[''] for row in table.rows) == pytest.approx(
      max(min(2 * smallest, 1), largest)
  )
  assert 'trained anew' in ' '.join(table.notes)
