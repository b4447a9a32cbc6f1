"""Protects the numbers: a table says what the summaries say, everywhere."""

import csv
import io
import json
import pathlib
import statistics

import pytest

from medxfer.evaluation import multiple_testing
from medxfer.evaluation import paired
from medxfer.report.page import render
from medxfer.report.read import collect
from medxfer.report.read import estimates
from medxfer.report.read import settings as settings_lib
from medxfer.report.read import thesis
from medxfer.report.text import comparisons
from medxfer.report.text import tables
from tests.report import workdirs


def _settings(root: pathlib.Path) -> tuple:
  return settings_lib.arrange(collect.collect(root).runs)


def _summary(path: pathlib.Path) -> dict:
  return json.loads((path / 'summary.json').read_text())['test']


def test_the_thesis_macro_averages_recompute() -> None:
  """A slip of the pen in the tables would shift every difference."""
  for table in thesis.TABLES.values():
    for column in table.columns.values():
      rows = [
          value
          for row, value in column.f1.items()
          if row not in (thesis.MICRO, thesis.MACRO)
      ]
      assert statistics.fmean(rows) == pytest.approx(
          column.f1[thesis.MACRO], abs=0.0101
      )


def test_every_cell_is_the_summary_and_the_thesis_beside_it(
    tmp_path: pathlib.Path,
) -> None:
  """Table 7.1 of one seed: value, interval, printed figure, difference."""
  found = {
      arm: _summary(workdirs.write(tmp_path / arm, arm, skill=skill))
      for arm, skill in (('random_forest', 1.0), ('all', 3.0))
  }
  [setting] = _settings(tmp_path)
  table = tables.f1_table(setting, 'table_7_1')
  assert [row[0].text for row in table.rows] == [
      *workdirs.HAM,
      'micro avg',
      'macro avg',
  ]
  for i, arm in enumerate(found):
    for row in table.rows:
      keys = {'micro avg': ('f1_micro',), 'macro avg': ('f1_macro',)}.get(
          row[0].text, ('f1_per_class', row[0].text)
      )
      value, interval = found[arm], found[arm]['intervals']
      for key in keys:
        value, interval = value[key], interval[key]
      printed = thesis.TABLES['7.1'].columns[arm].f1[row[0].text]
      assert row[i + 1].values == {
          '': value,
          'low': interval[0],
          'high': interval[1],
          'thesis': printed,
          'difference': round(round(value, 2) - printed, 2),
      }
      assert row[i + 1].text == (
          f'{value:.3f} ({interval[0]:.3f}–{interval[1]:.3f})'
      )


def test_several_seeds_are_a_mean_with_an_interval(
    tmp_path: pathlib.Path,
) -> None:
  """Not that of whichever came last, nor narrower than the images allow."""
  found = [
      _summary(workdirs.write(tmp_path / str(seed), 'all', seed=seed))
      for seed in range(3)
  ]
  [setting] = _settings(tmp_path)
  cell = tables.f1_table(setting, 't').rows[-1][1]
  scores = [one['f1_macro'] for one in found]
  mean, sd = statistics.fmean(scores), statistics.stdev(scores)
  below = statistics.fmean(
      score - one['intervals']['f1_macro'][0]
      for score, one in zip(scores, found)
  )
  assert cell.text.startswith(f'{mean:.3f} (')
  assert cell.under[0] == f'SD {sd:.3f} over 3 seeds'
  assert cell.values['sd'] == pytest.approx(sd) and cell.values['seeds'] == 3
  assert cell.values['low'] < mean - below


def test_what_differs_from_the_thesis_is_said(tmp_path: pathlib.Path) -> None:
  """Images of 64 pixels beside figures for 224 need a word."""
  workdirs.write(tmp_path / 'a', 'all')
  workdirs.write(tmp_path / 'b', 'last_block', overrides={'training.epochs': 3})
  workdirs.write(
      tmp_path / 'c', 'decision_tree', overrides={'data.image_size': (32, 32)}
  )
  [setting] = _settings(tmp_path)
  notes = ' '.join(tables.f1_table(setting, 't').notes)
  assert 'images 64×64 (the thesis: 224×224)' in notes
  assert 'Last block trainable: training.epochs 3 ' in notes
  assert 'Decision tree: images of 32×32 pixels' in notes


def test_the_threshold_of_validation_stands_beside_one_half(
    tmp_path: pathlib.Path,
) -> None:
  """Two classes only."""
  test = _summary(
      workdirs.write(
          tmp_path / 'a',
          'imagenet',
          dataset='chest_xray',
          classes=workdirs.XRAY,
      )
  )
  [setting] = _settings(tmp_path)
  table = comparisons.measures(setting, 'm')
  row = dict(zip(table.header, table.rows[0]))
  point = test['at_threshold']
  for title, value in (
      ('AUROC', test['auroc_macro']),
      ('Threshold', point['threshold']),
      ('Macro F1 at threshold', point['f1_macro']),
      ('Sensitivity', point['sensitivity']),
      ('Specificity', point['specificity']),
  ):
    assert row[title].values[''] == value
  assert row['Threshold'].text == f'{point["threshold"]:.4g}'  # As a run says.


def test_pairs_are_the_paired_test(tmp_path: pathlib.Path) -> None:
  """On the same images, with the interval of the difference."""
  for arm, skill in (('all', 3.0), ('random', 1.0), ('last_block', 2.0)):
    workdirs.write(tmp_path / arm, arm, skill=skill)
  [setting] = _settings(tmp_path)
  table = comparisons.pairs(setting, 'p')
  assert [row[0].text for row in table.rows] == [
      'All layers trainable − Last block trainable',
      'All layers trainable − CNN, random weights',
      'Last block trainable − CNN, random weights',
  ]
  runs = {run.spec.arm: run for run in collect.collect(tmp_path).runs}
  for row, a, b in zip(
      table.rows,
      ('all', 'all', 'last_block'),
      ('last_block', 'random', 'random'),
  ):
    answer = paired.compare(
        runs[a].predictions, runs[b].predictions, resamples=2000
    )
    assert row[1].values[''] == answer['accuracy']['difference'] > 0
    assert row[2].values[''] == answer['f1_macro']['difference']
    assert row[3].values[''] == answer['f1_macro']['p_value']
    assert row[4].values[''] >= row[3].values['']


def test_holm_agrees_with_its_definition() -> None:
  """Sorted p-values times what is left, never falling, at most one."""
  assert multiple_testing.holm([0.01, 0.04, 0.03]) == pytest.approx(
      [0.03, 0.06, 0.06]
  )
  assert multiple_testing.holm([0.9, 0.8]) == [1, 1]


def test_leakage_is_the_difference_of_two_splits(
    tmp_path: pathlib.Path,
) -> None:
  """With the interval of independent estimates: the images differ."""
  a = _summary(workdirs.write(tmp_path / 'a', 'all', skill=3.0))
  b = _summary(
      workdirs.write(
          tmp_path / 'b', 'all', skill=2.0, modifiers=('cpu', 'grouped')
      )
  )
  [row] = comparisons.leakage(_settings(tmp_path), 'leakage').rows
  values = row[5].values
  assert values[''] == a['f1_macro'] - b['f1_macro']
  (low_a, high_a), (low_b, high_b) = (
      s['intervals']['f1_macro'] for s in (a, b)
  )
  below = (a['f1_macro'] - low_a) ** 2 + (high_b - b['f1_macro']) ** 2
  above = (high_a - a['f1_macro']) ** 2 + (b['f1_macro'] - low_b) ** 2
  assert values['low'] == pytest.approx(values[''] - below**0.5)
  assert values['high'] == pytest.approx(values[''] + above**0.5)
  assert [cell.text for cell in row[9:]] == ['30.0 %', '0.0 %', '–', '–']


def test_pixels_compares_the_preprocessing_alone(
    tmp_path: pathlib.Path,
) -> None:
  """[-1, 1] minus caffe."""
  a = _summary(workdirs.write(tmp_path / 'a', 'all', skill=2.0))
  b = _summary(
      workdirs.write(
          tmp_path / 'b', 'all', skill=3.0, modifiers=('caffe', 'cpu')
      )
  )
  [row] = comparisons.pixels(_settings(tmp_path), 'pixels').rows
  assert row[4].values[''] == pytest.approx(a['f1_macro'] - b['f1_macro'])


@pytest.mark.parametrize(
    'value, text',
    [(0.5, '+0.500'), (-0.25, '−0.250'), (-0.0001, '0.000'), (None, '–')],
)
def test_numbers_read_well(value: float | None, text: str) -> None:
  """A true minus, no negative zero."""
  assert estimates.number(value, signed=True) == text


_NAMES = (
    'a|b',
    '<b>&amp;</b>',
    '$x_1$ 100%',
    'back\\slash',
    'two\nlines',
    '=1+1',
    '`*_[x](y)',
    'größe 日本',
    '"quoted", so',
)


@pytest.fixture
def nasty() -> tables.Table:
  """A table whose names all try to be something else."""
  return tables.Table(
      'nasty',
      'T',
      (),
      ('', 'score'),
      tuple((tables.words(name), tables.figure(0.5)) for name in _NAMES),
  )


def test_csv_gives_every_name_back(nasty: tables.Table) -> None:
  """Also those with commas, quotes and line ends."""
  rows = list(csv.reader(io.StringIO(render.comma_separated(nasty))))
  assert rows == [['', 'score'], *([name, '0.5'] for name in _NAMES)]


def test_markdown_names_stay_in_their_cells(nasty: tables.Table) -> None:
  """No bar, tag, emphasis or line end of a name takes effect."""
  lines = render.markdown(nasty).splitlines()[4:]
  assert len(lines) == len(_NAMES)
  assert lines[0] == r'| a\|b | 0.500 |'
  assert lines[1] == r'| &lt;b&gt;&amp;amp;&lt;/b&gt; | 0.500 |'
  assert lines[3] == r'| back\\slash | 0.500 |'
  assert lines[6] == r'| \`\*\_\[x\](y) | 0.500 |'


def test_latex_names_are_only_text(nasty: tables.Table) -> None:
  """No command, comment, math or cell comes from a name."""
  text = render.latex(nasty)
  assert r'\$x\_1\$ 100\% & 0.500 \\' in text
  assert r'back\textbackslash{}slash' in text
  assert r'\textless{}b\textgreater{}\&amp;' in text
  assert sum(line.endswith(r'0.500 \\') for line in text.splitlines()) == len(
      _NAMES
  )
