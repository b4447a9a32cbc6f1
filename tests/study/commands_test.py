"""Protects the way from two commands to a page in a browser, on phantoms."""

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest

from medxfer.model import weights
from medxfer.recipes import table_7_1
from medxfer.recipes import table_7_2
from tests.model import conftest
from tests.report import browser as browser_lib

pytestmark = pytest.mark.slow

_ROOT = pathlib.Path(__file__).parents[2]
_TABLES = {'table_7_1': table_7_1.ARMS, 'table_7_2': table_7_2.ARMS}
_LAST_ROWS = """
Array.from(document.getElementById(%s).closest('table').tBodies[0].rows,
           row => Array.from(row.cells, cell => cell.innerText)).slice(-2)
"""


def _run(module: Any, *flags: Any, cache: Any) -> str:
  done = subprocess.run(
      [sys.executable, '-m', module, *flags],
      cwd=_ROOT,
      text=True,
      capture_output=True,
      env={**os.environ, 'MEDXFER_CACHE': str(cache)},
  )
  assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
  return done.stdout


@pytest.fixture(scope='module')
def studies(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  """Both studies with phantoms and `tiny`, the second fed by the first."""
  root = tmp_path_factory.mktemp('studies')
  start = root / 'tiny.safetensors'
  weights.write(conftest.fabricate(0, 'tiny'), start)
  for name in _TABLES:
    flags = [
        f'--config=configs/{name}.py:phantom,tiny',
        f'--workdir={root / name}',
        f'--config.model.weights={start}',
    ]
    if name == 'table_7_2':
      source = root / 'table_7_1' / 'runs' / 'all-seed0'
      flags.append(f'--config.study.source_run={source}')
    said = _run('medxfer.study', *flags, cache=root / 'cache')
    assert 'not finished' not in said
  return root


@pytest.mark.parametrize('name', _TABLES)
def test_every_arm_of_the_table_is_finished(studies: Any, name: Any) -> None:
  """An arm that is missing from a table is noticed by nobody."""
  for arm in _TABLES[name]:
    folder = studies / name / 'runs' / f'{arm}-seed0'
    summary = json.loads((folder / 'summary.json').read_text())
    assert (summary['status'], summary['arm']) == ('finished', arm)
  assert not (studies / name / 'failures').exists()


def test_x_rays_start_from_the_lesions(studies: Any) -> None:
  """The question of table 7.2, answered from the right start."""
  runs = studies / 'table_7_2' / 'runs'
  source = {
      arm: json.loads((runs / f'{arm}-seed0' / 'summary.json').read_text())[
          'weights_source'
      ]
      for arm in ('ham', 'imagenet', 'random')
  }
  assert source['ham'].startswith('medxfer run on ham10000 phantoms, arm all')
  assert source['imagenet'].startswith('random numbers')
  assert source['random'] is None


def test_the_page_shows_both_tables(studies: Any) -> None:
  """All numbers of the summaries, in a real browser, without a complaint."""
  _run('tools.report', f'--workdir={studies}', cache=studies / 'cache')
  path = studies / 'report' / 'index.html'
  with (
      browser_lib.started() as browser,
      browser_lib.opened(browser, path) as shown,
  ):
    assert not shown.complaints
    for name, arms in _TABLES.items():
      rows = shown.page.evaluate(_LAST_ROWS % json.dumps(name))
      for column, arm in enumerate(arms, start=1):
        test = json.loads(
            (
                studies / name / 'runs' / f'{arm}-seed0' / 'summary.json'
            ).read_text()
        )['test']
        for row, key in zip(rows, ('accuracy', 'f1_macro')):
          assert row[column].split()[0] == f'{test[key]:.3f}', (name, arm)
  for picture in ('figure_8_1_ham10000', 'gradcam_ham10000'):
    assert [
        p
        for p in (studies / 'report' / 'figures').iterdir()
        if p.name.startswith(picture)
    ], picture
