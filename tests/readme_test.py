"""Protects README and WORKSPACE: they are read before the code is."""

import json
import pathlib
import re

import pytest

from medxfer import __main__
from medxfer.recipes import common
from medxfer.recipes import ham

_ROOT = pathlib.Path(__file__).parents[1]
_README = (_ROOT / 'README.md').read_text()


def test_every_arm_and_modifier_is_explained() -> None:
  """A modifier that is not in the README does not exist for its readers."""
  for name in (*ham.ARMS, *common.MODIFIERS):
    assert re.search(rf'^\|.*`{name}`[^|]*\|', _README, re.MULTILINE), name


@pytest.mark.parametrize('name', __main__.COMMANDS)
def test_every_command_is_mentioned(name: str) -> None:
  """Nor does a command."""
  assert f'medxfer {name}' in _README or f'tools.{name}' in _README


@pytest.mark.parametrize(
    'page', ['README.md', 'WORKSPACE.md', 'CONTRIBUTING.md', 'CHANGELOG.md']
)
def test_every_file_that_is_named_exists(page: str) -> None:
  """A path in backquotes leads to a file of the checkout."""
  text = (_ROOT / page).read_text()
  for name in re.findall(
      r'`((?:medxfer|configs|tools|tests|results)/[\w/.]+)`', text
  ):
    if 'NAME' not in name:
      assert (_ROOT / name).exists(), name


@pytest.mark.parametrize(
    'mode, row',
    [
        ('forward', 'score'),
        ('train_all', 'train all layers'),
        ('train_first', 'train block 1'),
        ('train_last', 'train block 5'),
        ('train_head', 'train the head'),
    ],
)
def test_every_speed_follows_from_the_benchmark(mode: str, row: str) -> None:
  """The table of speeds, number by number."""
  results = json.loads((_ROOT / 'results/bench/cpu_224.json').read_text())
  ours, *others = results['modes'][mode]['rows']
  speeds = [
      float(cell.strip(' *'))
      for cell in next(
          line for line in _README.splitlines() if line.startswith(f'| {row} |')
      ).split('|')[2:7]
  ]
  assert speeds == pytest.approx(
      [r['images_per_second'] for r in (ours, *others)], rel=5e-3, abs=5e-3
  )
  best = min(others, key=lambda r: r['ratio'])
  digits = 0 if best['ratio'] > 100 else 2
  told = [
      format(best[key], f'.{digits}f')
      for key in ('ratio', 'ratio_low', 'ratio_high')
  ]
  assert f'{told[0]} ({told[1]}-{told[2]}) |' in _README


@pytest.mark.parametrize(
    'path',
    sorted((_ROOT / 'results').glob('table_*/runs/*/summary.json')),
    ids=lambda path: path.parent.name,
)
def test_every_figure_follows_from_a_summary(path: pathlib.Path) -> None:
  """The tables of the README, number by number."""
  test = json.loads(path.read_text())['test']
  for metric in ('accuracy', 'f1_macro'):
    low, high = test['intervals'][metric]
    assert f'{test[metric]:.3f} ({low:.3f}-{high:.3f})' in _README


_ADVICES = sorted((_ROOT / 'results/advice').glob('*/advice.json'))


@pytest.mark.parametrize('path', _ADVICES, ids=lambda path: path.parent.name)
def test_every_figure_of_an_advice_follows_from_its_study(
    path: pathlib.Path,
) -> None:
  """A test score in the tables of the README, and the sentences' numbers."""
  [part] = re.findall(
      rf'<!-- {path.parent.name} -->(.*?)<!-- end -->', _README, re.DOTALL
  )
  told = re.findall(r'0\.\d{3} \(0\.\d{3}-0\.\d{3}\)', part)
  known = {
      f'{test["value"]:.3f} ({test["interval"][0]:.3f}-'
      f'{test["interval"][1]:.3f})'
      for size in json.loads(path.read_text())['sizes']
      for test in (arm['test'] for arm in size['arms'].values())
  }
  assert told and set(told) <= known


def test_records_of_advices_say_what_their_answers_say() -> None:
  """Whoever goes on with one begins from these runs."""
  assert _ADVICES
  for path in _ADVICES:
    record = json.loads((path.parent / 'record-1-of-1.json').read_text())
    assert len(record['runs']) == json.loads(path.read_text())['runs']


@pytest.mark.parametrize('data', ['ham', 'xray'])
@pytest.mark.parametrize(
    'source, words',
    [('imagenet', 'ImageNet'), ('other', None), ('random', 'random')],
)
@pytest.mark.parametrize('kind', ['frozen', 'tuned'])
def test_every_curve_of_layers_follows_from_summaries(
    data: str, source: str, words: str | None, kind: str
) -> None:
  """The table of the layer study, number by number."""
  if (source, kind) == ('random', 'tuned'):
    return  # There is nothing to transfer.
  titles = {'ham': 'HAM10000', 'xray': 'X-rays'}
  other = next(name for name in titles if name != data)
  source, words = (
      (other, titles[other]) if source == 'other' else (source, words)
  )
  cells = next(
      line
      for line in _README.splitlines()
      if line.startswith(f'| {titles[data]} | {words}, {kind} |')
  ).split('|')
  runs = _ROOT / f'results/layers_{data}/runs'
  for count, cell in zip((2, 4, 7, 10, 13), cells[3:8], strict=True):
    summary = json.loads(
        (runs / f'{kind}_{source}_{count}-seed0/summary.json').read_text()
    )
    assert cell.strip(' *') == f'{summary["test"]["f1_macro"]:.3f}'
