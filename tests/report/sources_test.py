"""Protects results elsewhere on the page: sources, places, points, parts."""

import pathlib

import pytest

from medxfer import files
from medxfer.report.page import write as page
from medxfer.report.read import collect
from medxfer.report.read import settings as settings_lib
from medxfer.report.read import thesis
from medxfer.report.read import titles
from medxfer.report.text import elsewhere
from medxfer.report.text import sources
from medxfer.report.text import verdicts
from medxfer.runs import workdir
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


def _place() -> dict:
  """An external validation, made up."""
  measure = {'value': 0.5, 'interval': [0.4, 0.6]}
  sides = {
      'here': {'value': 0.9, 'interval': [0.85, 0.95]},
      'there': measure,
      'difference': {'value': -0.4, 'interval': [-0.5, -0.3]},
  }
  adjusted = {'accuracy': measure, 'ece': measure}
  fractions = {'akiec': 0.5, 'nv': 0.5}
  return {
      'name': 'graz',
      'n': 100,
      'groups': 60,
      'absent_classes': ['df'],
      'seen': {'looked': True, 'why': '', 'copies': 3},
      'notes': [],
      'comparison': {
          'metrics': {
              name: sides
              for name in (
                  'auroc_macro',
                  'accuracy',
                  'balanced_accuracy',
                  'f1_macro',
                  'ece',
              )
          },
          'threshold': None,
          'fractions': {
              name: fractions for name in ('training', 'known', 'estimated')
          },
          'adjusted': {'known': adjusted, 'estimated': adjusted},
      },
  }


def test_places_elsewhere_lead_the_answer_on_trust(
    tmp_path: pathlib.Path,
) -> None:
  """With a table; those of an older state of the run are not shown."""
  path = workdirs.write(tmp_path / 'a', 'all')
  found = {**_place(), 'summary_digest': workdir.Workdir(path).summary_digest()}
  (path / 'external' / 'graz').mkdir(parents=True)
  files.write_json(path / 'external' / 'graz' / 'external.json', found)
  settings = settings_lib.arrange(collect.collect(tmp_path).runs)
  [trust] = verdicts.answers(settings)[-1].lines
  assert trust.verdict == (
      'Elsewhere: AUROC 0.500 (0.400-0.600) on 100 images (60 groups) of '
      'graz, against 0.900 (0.850-0.950) here; difference -0.400 (-0.500 to '
      '-0.300).'
  )
  assert 'no better than chance' in trust.numbers
  assert '3 copies of images of the run itself' in trust.numbers
  [row] = elsewhere.table(settings[0], 't').rows
  assert [cell.text for cell in row[1:7]] == [
      '0',
      'graz',
      '100',
      '0.900 (0.850–0.950)',
      '0.500 (0.400–0.600)',
      '−0.400 (−0.500 to −0.300)',
  ]
  found['summary_digest'] = 'another'
  files.write_json(path / 'external' / 'graz' / 'external.json', found)
  settings = settings_lib.arrange(collect.collect(tmp_path).runs)
  assert not elsewhere.table(settings[0], 't')
