"""Protects the figures: sound files, safe names, one theme for a page."""

import pathlib
import re
from xml.etree import ElementTree

import pytest

from medxfer.model import architectures
from medxfer.report.figures import architecture_diagram
from medxfer.report.figures import class_counts
from medxfer.report.figures import diagnosis
from medxfer.report.figures import style
from medxfer.report.figures import training_curves
from medxfer.report.read import collect
from medxfer.report.read import settings as settings_lib
from tests.report import workdirs

_NAMES = (
    '<script>alert(1)</script>',
    '$x_{1',
    'bell\x07',
    'größe 日本',
    'a name that is far too long for any figure',
)


@pytest.fixture(scope='module')
def settings(tmp_path_factory: pytest.TempPathFactory) -> tuple:
  """One setting with nasty names, of an ImageNet and a random arm."""
  root = tmp_path_factory.mktemp('runs')
  for arm in ('all', 'random'):
    workdirs.write(root / arm, arm, dataset='folder', classes=_NAMES)
  return settings_lib.arrange(collect.collect(root).runs)


_DRAW = {
    'classes': lambda s: class_counts.distribution(s.columns[0].first, 'c'),
    'network': lambda s: architecture_diagram.network(
        s.architecture, s.columns, 'n'
    ),
    'curves': lambda s: training_curves.training(s, 't'),
    'confusion': lambda s: diagnosis.confusion(s.columns[0], 'm'),
    'reliability': lambda s: diagnosis.reliability(s.columns[0], 'r'),
    'roc': lambda s: diagnosis.roc(s.columns[0], 'o'),
}


@pytest.mark.parametrize('name', _DRAW)
def test_a_figure_is_one_file_and_one_part_of_a_page(
    settings: tuple, name: str
) -> None:
  """Well-formed, the same every time, without an id or a colour of its own."""
  chart = _DRAW[name](settings[0])
  assert chart.svg == _DRAW[name](settings[0]).svg
  texts = [
      t.text or ''
      for t in ElementTree.fromstring(chart.svg).iter(
          '{http://www.w3.org/2000/svg}text'
      )
  ]
  if name in ('classes', 'confusion'):
    assert style.shown(_NAMES[0]) in texts and '$x_{1' in texts
  inside = style.inline(chart.svg, 'p')
  ElementTree.fromstring(inside)
  assert '<script' not in inside and '<style' not in inside
  assert set(re.findall(r'\bid="([^"]*)"', inside)) == {
      identity for identity in re.findall(r'\bid="(p-[^"]*)"', inside)
  }
  assert not re.search(r'#[0-9a-f]{6}\b', inside)
  assert all(len(row) == len(chart.header) for row in chart.rows)


def test_figures_say_in_words_what_they_show(settings: tuple) -> None:
  """For those who do not see them, and in their data."""
  column = settings[0].columns[-1]
  counts = column.first.summary['test']['confusion']
  chart = diagnosis.confusion(column, 'm')
  assert [
      [int(cell.replace(',', '')) for cell in row[1:]] for row in chart.rows
  ] == counts
  area = column.first.summary['test']['auroc_per_class'][_NAMES[1]]
  assert f'{_NAMES[1]} {area:.3f}' in diagnosis.roc(column, 'o').label
  chart = architecture_diagram.network(settings[0].architecture, [column], 'n')
  assert chart.rows[0][1:] == ('trains',) * 6


def test_frozen_parts_are_marked_frozen(tmp_path: pathlib.Path) -> None:
  """Figure 6.1, from the patterns of the specification."""
  workdirs.write(tmp_path / 'a', 'first_last')
  [setting] = settings_lib.arrange(collect.collect(tmp_path).runs)
  chart = architecture_diagram.network(
      setting.architecture, setting.columns, 'n'
  )
  assert chart.rows == (
      (
          'First and last blocks trainable',
          'trains',
          'frozen',
          'frozen',
          'frozen',
          'trains',
          'trains',
      ),
  )
  assert 'trains block 1, block 5, head.' in chart.label


@pytest.mark.parametrize(
    'name, states',
    [
        ('vgg19', ('frozen', 'frozen', 'frozen', 'frozen', 'trains', 'trains')),
        ('tiny', ('frozen', 'trains', 'trains')),
    ],
)
def test_figure_6_1_draws_the_network_of_the_runs(
    tmp_path: pathlib.Path, name: str, states: tuple
) -> None:
  """With its title, its blocks, and no other's."""
  workdirs.write(tmp_path / 'a', 'last_block', modifiers=('cpu', name))
  [setting] = settings_lib.arrange(collect.collect(tmp_path).runs)
  chart = architecture_diagram.network(
      setting.architecture, setting.columns, 'n'
  )
  title = architectures.BY_NAME[name].title
  assert chart.title == f'Figure 6.1: {title}, trained and frozen'
  assert f'blocks 1 to {len(states) - 1} and' in chart.caption
  assert chart.rows == (('Last block trainable', *states),)
