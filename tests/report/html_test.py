"""Protects the page where it is read: in a real browser."""

from collections.abc import Callable
from collections.abc import Iterator
import json
import pathlib
from typing import Any

import pytest

from medxfer.evaluation import predictions
from tests.report import browser as browser_lib
from tests.report import conftest

pytestmark = pytest.mark.slow

_OPEN_ALL = "document.querySelectorAll('details').forEach(d => d.open = true)"
# Rows of a table as lists of the text of their cells.
_ROWS = """
Array.from(document.getElementById(%s).closest('table').tBodies[0].rows,
           row => Array.from(row.cells, cell => cell.innerText.trim()))
"""


@pytest.fixture(scope='module')
def browser() -> Iterator[Any]:
  """One Chromium for all tests of this file."""
  with browser_lib.started() as program:
    yield program


@pytest.fixture
def shown(page: Any, browser: Any) -> Iterator[Any]:
  """The page in a window of a desktop, and what it complained of."""
  with browser_lib.opened(browser, page) as window:
    yield window


@pytest.fixture
def opened(shown: Any) -> Any:
  """The page in a window of a desktop."""
  return shown.page


def _rows(browser: Any, table: predictions.Predictions) -> Any:
  return browser.evaluate(_ROWS % json.dumps(table))


def test_it_opens_in_silence_and_asks_for_nothing(
    shown: Any, page: Any
) -> None:
  """No console message, no exception, no request but for itself."""
  shown.page.evaluate(_OPEN_ALL)
  assert not shown.complaints
  assert [url for url in shown.requests if not url.startswith('data:')] == [
      page.resolve().as_uri()
  ]
  assert shown.page.evaluate('document.scripts.length') == 1


def test_its_policy_refuses_what_a_name_might_try(shown: Any) -> None:
  """Should an escape ever fail: no other script, no request."""
  refused = shown.page.evaluate("""
      new Promise(done => {
        const found = new Set();
        document.addEventListener('securitypolicyviolation', event => {
          found.add(event.effectiveDirective);
          if (found.size === 3) done([...found, window.ran]);
        });
        window.ran = false;
        const script = document.createElement('script');
        script.textContent = 'window.ran = true';
        const image = document.createElement('img');
        image.src = 'https://example.org/x.png';
        document.body.append(script, image);
        fetch('https://example.org/').catch(() => null);
        setTimeout(() => done([...found, window.ran]), 10000);
      })""")
  assert set(refused) == {'script-src-elem', 'img-src', 'connect-src', False}
  # The browser said so, and was heard: other tests expect silence.
  assert len(shown.complaints) >= 3


def test_its_tables_hold_the_numbers_of_the_summaries(
    opened: Callable[..., Any], study: pathlib.Path
) -> None:
  """What is on the screen is what the runs have measured."""
  [micro, macro] = _rows(opened, 'table_7_1_by_image_cpu_64')[-2:]
  for column, arm in enumerate(('decision_tree', 'random', 'all'), start=1):
    test = json.loads(
        (study / 'runs' / f'{arm}-seed0' / 'summary.json').read_text()
    )['test']
    for row, key in ((micro, 'accuracy'), (macro, 'f1_macro')):
      low, high = test['intervals'][key]
      assert row[column].split('thesis')[0].split() == [
          f'{test[key]:.3f}',
          f'({low:.3f}–{high:.3f})',
      ]
  names = [row[0] for row in _rows(opened, 'table_my_folder')]
  assert names[0] == conftest.SCRIPT


def test_what_is_left_out_is_on_the_page(opened: Callable[..., Any]) -> None:
  """By name, with the reason."""
  text = opened.evaluate("document.querySelector('.left-out').innerText")
  for part in (
      'unfinished',
      'not finished',
      'damaged',
      'not JSON',
      'unscored',
      'no predictions_test.csv',
  ):
    assert part in text


def test_a_click_and_a_key_sort_a_table(opened: Callable[..., Any]) -> None:
  """Numbers by value, largest first; dashes last; aria-sort says so."""
  header = """document.getElementById('runs').closest('table')
      .querySelectorAll('.columns th')[%d]"""

  def column(index: tuple) -> Any:
    return [row[index] for row in _rows(opened, 'runs')]

  opened.evaluate(header % 10 + ".querySelector('button').click()")
  scores = [float(text) for text in column(10)]
  assert scores == sorted(scores, reverse=True) and len(set(scores)) > 2
  assert opened.evaluate(header % 10 + '.ariaSort') == 'descending'
  opened.evaluate(header % 10 + ".querySelector('button').focus()")
  opened.keyboard.press('Enter')
  assert [float(text) for text in column(10)] == sorted(scores)
  assert opened.evaluate(header % 10 + '.ariaSort') == 'ascending'
  opened.evaluate(header % 0 + ".querySelector('button').click()")
  assert column(0) == sorted(column(0))
  assert opened.evaluate(header % 10 + '.ariaSort') is None
  for _ in range(2):
    opened.evaluate(header % 7 + ".querySelector('button').click()")
    assert column(7)[-1] == '–' and column(7).count('–') == 1


@pytest.mark.parametrize('width', [320, 375, 768])
def test_nothing_is_wider_than_a_phone(
    page: Any, browser: Any, width: int
) -> None:
  """Wide tables scroll in their own region, which keys can reach."""
  with browser_lib.opened(browser, page, width=width, height=800) as shown:
    window = shown.page
    window.evaluate(_OPEN_ALL)
    assert window.evaluate('document.documentElement.scrollWidth') <= width
    assert window.evaluate("""
        Array.from(document.querySelectorAll('table')).every(table =>
            table.closest('.scroll[tabindex="0"][role="region"]'))""")


def test_the_first_stop_of_the_keyboard_leads_to_the_results(
    opened: Callable[..., Any],
) -> None:
  """Skip link, visible when it has the focus."""
  opened.keyboard.press('Tab')
  assert opened.evaluate('document.activeElement.className') == 'skip'
  assert (
      opened.evaluate('document.activeElement.getBoundingClientRect().left')
      >= 0
  )
  opened.keyboard.press('Enter')
  assert opened.evaluate('document.activeElement.id') == 'main'


# The contrast (WCAG 2, 1.4.3) of every text with what is painted below it.
_CONTRAST = """
(() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = c => {
    const [r, g, b] = c.slice(0, 3).map(v => (v /= 255) <= 0.03928
        ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = node => {
    for (; node; node = node.parentElement) {
      const color = rgb(getComputedStyle(node).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  let worst = 21;
  for (const node of document.querySelectorAll('body *')) {
    const own = Array.from(node.childNodes).some(
        child => child.nodeType === 3 && child.data.trim());
    if (!own || node.closest('svg, script')) continue;
    const [a, b] = [light(rgb(getComputedStyle(node).color)),
                    light(ground(node))].sort((x, y) => y - x);
    worst = Math.min(worst, (a + 0.05) / (b + 0.05));
  }
  return worst;
})()
"""


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_text_is_legible_in_both_schemes(
    page: Any, browser: Any, scheme: Any
) -> None:
  """At least 4.5 to 1, and the drawings follow the scheme."""
  with browser_lib.opened(browser, page, scheme=scheme) as shown:
    assert shown.page.evaluate(_CONTRAST) >= 4.5
    ink = shown.page.evaluate("""getComputedStyle(
        document.querySelector('.drawing svg text')).fill""")
  assert (sum(map(int, ink[4:-1].split(','))) > 384) == (scheme == 'dark')


def test_screen_readers_find_their_way(shown: Any) -> None:
  """Names and roles as the browser computes them for assistive software."""
  found = [
      (node.get('role', {}).get('value'), node.get('name', {}).get('value', ''))
      for node in shown.accessibility()
      if not node['ignored']
  ]
  roles = [role for role, _ in found]
  for role in ('banner', 'main', 'navigation', 'contentinfo'):
    assert roles.count(role) == 1, role
  for role in (
      'button',
      'image',
      'region',
      'table',
      'heading',
      'link',
      'columnheader',
  ):
    assert role in roles
    if role != 'columnheader':
      assert all(name for r, name in found if r == role), role
