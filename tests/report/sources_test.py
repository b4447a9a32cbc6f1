"""Protects results elsewhere on the page: sources, places, points, parts."""

import pathlib

import pytest

from medxfer.report.page import write as page
from medxfer.report.read import collect
from medxfer.report.read import settings as settings_lib
from medxfer.report.read import thesis
from medxfer.report.read import titles
from medxfer.report.text import sources
from medxfer.report.text import verdicts
from tests.report import workdirs


def _write(root: pathlib.Path, source: str, **what: object) -> None:
  workdirs.write(
      root / f'all-{source}',
      'all',
      overrides={'data.split': 'source', 'data.test_source': source},
      **what,
  )


def test_every_source_has_a_row_beside_the_split_by_group(
    tmp_path: pathlib.Path,
) -> None:
  """And a table of its own: the test images differ."""
  for i, source in enumerate('xyz'):
    _write(tmp_path, source, skill=1.0 + i)
  workdirs.write(tmp_path / 'grouped', 'all', modifiers=('cpu', 'grouped'))
  settings = settings_lib.arrange(collect.collect(tmp_path).runs)
  assert len(settings) == 4
  found = sources.table(settings, 't')
  assert [row[2].text for row in found.rows] == [
      'x',
      'y',
      'z',
      'split by lesion',
  ]
  accuracies = [row[4].values[''] for row in found.rows[:3]]
  assert accuracies == sorted(accuracies)
  assert 'tested on x' in settings[-3].title
  [trust] = verdicts.answers(settings)[-1].lines
  assert trust.verdict.startswith('On sources that did not train it, macro F1')
  page.report(tmp_path, tmp_path / 'report')
  assert 'Sources left out' in (tmp_path / 'report' / 'index.html').read_text()


def test_without_sources_there_is_no_such_table(tmp_path: pathlib.Path) -> None:
  """A split by image alone says nothing of them."""
  workdirs.write(tmp_path / 'a', 'all')
  assert not sources.table(
      settings_lib.arrange(collect.collect(tmp_path).runs), 't'
  )


@pytest.mark.parametrize(
    'split, words',
    [
        ('auto', 'as the folder lies'),
        ('grouped', 'split by lesion'),
        ('source: x', 'tested on x, trained on the other sources'),
    ],
)
def test_every_split_has_a_title(
    tmp_path: pathlib.Path, split: str, words: str
) -> None:
  """In the tables of the thesis as well."""
  workdirs.write(tmp_path / 'a', 'all')
  [run] = collect.collect(tmp_path).runs
  assert words in titles.split_title(run.dataset, split)
  for kind in titles.SPLITS:
    spec = workdirs.spec(
        'all',
        dataset='folder',
        overrides={
            'data.split': kind,
            'data.test_source': 'x' if kind == 'source' else '',
        },
    )
    assert thesis.recipe(spec)['split']
