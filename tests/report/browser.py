"""Pages of a report in the system's Chromium, by playwright."""

from collections.abc import Iterator
import contextlib
import dataclasses
import pathlib
import shutil
from typing import Any

import pytest

_NAMES = ('chromium', 'chromium-browser', 'google-chrome')
# Without them Chromium looks for a graphics card and for Google's hosts.
_FLAGS = (
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--disable-sync',
    '--disable-background-networking',
    '--disable-component-update',
)
_PHONE = 500  # Pixels; a narrower window is that of a phone.


@dataclasses.dataclass(frozen=True)
class Opened:
  """An open page.

  Attributes:
    page: playwright's page, to act on and to evaluate scripts in.
    complaints: console messages and uncaught exceptions so far.
    requests: addresses that the page has asked for.
  """

  page: Any
  complaints: list[str]
  requests: list[str]

  def accessibility(self) -> list[dict[str, Any]]:
    """Returns the nodes that the browser offers to screen readers."""
    session = self.page.context.new_cdp_session(self.page)
    return session.send('Accessibility.getFullAXTree')['nodes']


@contextlib.contextmanager
def started() -> Iterator[Any]:
  """Yields playwright's browser; skips if it or Chromium is missing."""
  sync_api = pytest.importorskip(
      'playwright.sync_api', reason='playwright is not installed'
  )
  program = next(filter(None, map(shutil.which, _NAMES)), None)
  if program is None:
    pytest.skip('no Chromium is installed (Debian: apt-get install chromium)')
  with sync_api.sync_playwright() as playwright:
    browser = playwright.chromium.launch(
        executable_path=program, args=_FLAGS, timeout=60_000
    )
    with contextlib.closing(browser):
      yield browser


@contextlib.contextmanager
def opened(
    browser: Any,
    path: pathlib.Path,
    *,
    width: int = 1280,
    height: int = 900,
    scheme: str = 'light',
) -> Iterator[Opened]:
  """Opens a file in a window of its own and yields it once it has loaded.

  Args:
    browser: what `started` yields.
    path: the page.
    width: of the window, in pixels.
    height: of the window, in pixels.
    scheme: colours that the reader prefers, 'light' or 'dark'.
  """
  context = browser.new_context(
      viewport={'width': width, 'height': height},
      is_mobile=width < _PHONE,
      color_scheme=scheme,
  )
  with contextlib.closing(context):
    page = context.new_page()
    result = Opened(page, [], [])
    page.on('console', lambda message: result.complaints.append(message.text))
    page.on('pageerror', lambda error: result.complaints.append(str(error)))
    page.on('request', lambda request: result.requests.append(request.url))
    page.goto(path.resolve().as_uri(), timeout=60_000)
    yield result
