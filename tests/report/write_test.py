"""Protects the folder of a report: whole, ours alone, and readable."""

import html.parser
import pathlib
import re
import subprocess
import sys
from typing import Any

import pytest

from medxfer import errors
from medxfer.report.page import contents
from medxfer.report.page import html as page_lib
from medxfer.report.page import write
from tests.report import conftest
from tests.report import workdirs

_ROOT = pathlib.Path(__file__).parents[2]


def _report(*args: Any) -> subprocess.CompletedProcess:
  return subprocess.run(
      [sys.executable, '-m', 'tools.report', *map(str, args)],
      cwd=_ROOT,
      capture_output=True,
      text=True,
      check=False,
  )


def test_the_tool_writes_every_file_and_names_what_is_left_out(
    tmp_path: pathlib.Path,
) -> None:
  """The whole way, from the shell."""
  workdirs.write(tmp_path / 'all', 'all')
  (workdirs.write(tmp_path / 'half', 'random') / 'summary.json').unlink()
  result = _report(f'--workdir={tmp_path}')
  assert result.returncode == 0, result.stderr
  assert 'left out half: not finished' in result.stdout
  folder = tmp_path / 'report'
  found = {p.relative_to(folder).as_posix() for p in folder.rglob('*.*')}
  assert found >= {
      'index.html',
      'tables/table_7_1.md',
      'tables/table_7_1.csv',
      'tables/table_7_1.tex',
      'tables/measures_7_1.csv',
      'tables/runs.md',
      'figures/figure_5_1.svg',
      'figures/figure_6_1.svg',
      'figures/training_7_1.svg',
      'figures/confusion_all_7_1.svg',
      'figures/reliability_all_7_1.svg',
      'figures/roc_all_7_1.svg',
  }
  assert not [p for p in tmp_path.iterdir() if p.name.startswith('.')]


@pytest.mark.parametrize(
    'args, status, part',
    [
        (('--workdir=nowhere',), 2, 'no such folder'),
        (
            ('--workdir=docs_that_do_not_exist', 'more'),
            2,
            'unexpected argument',
        ),
        (
            ('--workdir=configs', '--output=nowhere/report'),
            1,
            'no finished run',
        ),
        (('--workdir=configs', '--output=tests'), 2, 'not empty'),
    ],
)
def test_the_tool_refuses_in_one_line(
    args: tuple, status: int, part: str
) -> None:
  """And leaves nothing behind."""
  result = _report(*args)
  assert result.returncode == status
  assert result.stderr.startswith('error: ') and part in result.stderr
  assert 'Traceback' not in result.stderr
  assert not (_ROOT / 'nowhere').exists()


def test_an_older_report_gives_way_and_nothing_else_does(
    tmp_path: pathlib.Path,
) -> None:
  """Someone's folder is not ours to replace."""
  run = workdirs.write(tmp_path / 'runs' / 'a', 'decision_tree')
  target = tmp_path / 'out'
  write.report(run, target)
  workdirs.write(tmp_path / 'runs' / 'b', 'random_forest')
  write.report(tmp_path / 'runs', target)
  assert 'Random forest' in (target / 'index.html').read_text()
  assert sorted(p.name for p in tmp_path.iterdir()) == ['out', 'runs']
  (target / 'mine.txt').write_text('keep')
  with pytest.raises(errors.UsageError, match='not empty'):
    write.report(run, target)
  assert 'Random forest' in (target / 'index.html').read_text()


def test_a_failure_leaves_the_older_report(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """Half a report is none."""
  run = workdirs.write(tmp_path / 'a', 'decision_tree')
  write.report(run, tmp_path / 'out')
  before = (tmp_path / 'out' / 'index.html').read_bytes()

  def fail(contents: contents.Contents) -> None:
    raise errors.DataError('full')

  monkeypatch.setattr(page_lib, 'html', fail)
  with pytest.raises(errors.DataError):
    write.report(run, tmp_path / 'out')
  assert (tmp_path / 'out' / 'index.html').read_bytes() == before
  assert sorted(p.name for p in tmp_path.iterdir()) == ['a', 'out']


class _Tags(html.parser.HTMLParser):
  """Collects tags and ids, and checks that tags close."""

  _VOID = ('meta', 'link', 'img', 'br', 'input', 'path', 'use', 'rect')

  def __init__(self) -> None:
    super().__init__()
    self.tags, self.ids, self.open, self.headings = [], [], [], []

  def handle_starttag(self, tag: str, attrs: list) -> None:
    attrs = dict(attrs)
    self.tags.append((tag, attrs))
    self.ids += [attrs['id']] if 'id' in attrs else []
    if re.fullmatch('h[1-6]', tag):
      self.headings.append(int(tag[1]))
    if tag not in self._VOID:
      self.open.append(tag)

  def handle_endtag(self, tag: str) -> None:
    if tag not in self._VOID:
      assert self.open.pop() == tag


def test_the_page_is_sound_html_and_escapes_names(page: pathlib.Path) -> None:
  """Read without a browser: structure, ids, headings, links, names."""
  text = page.read_text('utf-8')
  assert conftest.SCRIPT not in text
  assert '&lt;script&gt;alert(1)&lt;/script&gt;' in text
  parser = _Tags()
  parser.feed(text)
  assert not parser.open
  assert len(set(parser.ids)) == len(parser.ids)
  assert parser.headings[0] == 1 and parser.headings.count(1) == 1
  assert all(b - a <= 1 for a, b in zip(parser.headings, parser.headings[1:]))
  assert [tag for tag, _ in parser.tags].count('script') == 1
  for tag, attrs in parser.tags:
    assert 'src' not in attrs or attrs['src'].startswith('data:')
    if attrs.get('href', '').startswith('#') and tag == 'a':
      assert attrs['href'][1:] in parser.ids
    assert tag != 'img' or attrs['alt']
    assert attrs.get('role') != 'img' or attrs['aria-label']
  assert 'unfinished' in text and 'damaged, not JSON' in text
  assert 'keeps no checkpoints' in text


def test_phantoms_are_called_what_they_are(tmp_path: pathlib.Path) -> None:
  """Their numbers look like any others."""
  workdirs.write(tmp_path / 'a', 'all', modifiers=('phantom',))
  text = write.report(tmp_path)[0].read_text('utf-8')
  assert 'say nothing about patients' in text
  assert '600 phantoms' in text
