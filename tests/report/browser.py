"""A headless Chromium, spoken to through a pipe: no driver, no port.

The DevTools protocol (https://chromedevtools.github.io/devtools-protocol/)
over file descriptors 3 and 4: JSON, a zero byte after each message.
"""

import base64
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
from typing import Any

import pytest

_NAMES = ('chromium', 'chromium-browser', 'google-chrome')
_PATIENCE = 60  # Seconds for an answer, on a busy machine.


class Browser:
  """One browser with one page; what it complains of is kept.

  Attributes:
    events: (method, params) of everything the page reported.
  """

  def __init__(self):
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
      pytest.skip('no Chromium is installed (Debian: apt-get install chromium)')
    self.events: list[tuple[str, dict[str, Any]]] = []
    self._profile = tempfile.TemporaryDirectory(
        prefix='medxfer-chromium-',
        # A process of Chromium's that ends later may still write there.
        ignore_cleanup_errors=True)
    self._process, self._write, self._read = _start(
        program, self._profile.name)
    self._buffer, self._last, self._session = b'', 0, None
    target = self.call('Target.createTarget', url='about:blank')['targetId']
    self._session = self.call(
        'Target.attachToTarget', targetId=target, flatten=True)['sessionId']
    for domain in ('Page', 'Runtime', 'Log', 'Network'):
      self.call(f'{domain}.enable')

  def close(self) -> None:
    """Ends the browser and removes its profile."""
    for pipe in (self._write, self._read):
      os.close(pipe)
    os.killpg(self._process.pid, signal.SIGKILL)
    self._process.wait()
    self._profile.cleanup()

  def call(self, method: str, **params: Any) -> dict[str, Any]:
    """Calls a method of the protocol and returns its result."""
    self._last += 1
    message = {'id': self._last, 'method': method, 'params': params}
    if self._session:
      message['sessionId'] = self._session
    os.write(self._write, json.dumps(message).encode() + b'\0')
    while True:
      answer = self._next()
      if answer.get('id') == self._last:
        assert 'error' not in answer, (method, answer['error'])
        return answer['result']

  def open(self, path: pathlib.Path, **media: str) -> None:
    """Opens a file and waits until it has loaded.

    Args:
      path: the page.
      **media: features to emulate, as color_scheme='dark'.
    """
    self.call('Emulation.setEmulatedMedia', features=[
        {'name': f'prefers-{name.replace("_", "-")}', 'value': value}
        for name, value in media.items()])
    self.events.clear()
    self.call('Page.navigate', url=path.resolve().as_uri())
    while 'Page.loadEventFired' not in dict(self.events):
      self._next()

  def run(self, script: str) -> Any:
    """Returns the value of an expression on the page."""
    result = self.call(
        'Runtime.evaluate', expression=script, returnByValue=True,
        awaitPromise=True)
    assert 'exceptionDetails' not in result, result
    return result['result'].get('value')

  def resize(self, width: int, height: int) -> None:
    """Gives the page a window, of a phone if it is narrow."""
    self.call('Emulation.setDeviceMetricsOverride', width=width, height=height,
              deviceScaleFactor=1, mobile=width < 500)

  def press(self, key: str, code: int, text: str = '') -> None:
    """Presses and releases a key."""
    for kind in ('keyDown', 'keyUp'):
      self.call('Input.dispatchKeyEvent', type=kind, key=key, code=key,
                windowsVirtualKeyCode=code, text=text)

  def picture(self, path: pathlib.Path, *, whole: bool = False) -> None:
    """Writes a PNG of the window, or of the whole page."""
    data = self.call('Page.captureScreenshot', captureBeyondViewport=whole)
    path.write_bytes(base64.b64decode(data['data']))

  def complaints(self) -> list[Any]:
    """Returns console messages, exceptions and log entries."""
    self.run('0')  # Whatever came before this has been read.
    return [event for event in self.events if event[0] in (
        'Runtime.consoleAPICalled', 'Runtime.exceptionThrown',
        'Log.entryAdded')]

  def requests(self) -> list[str]:
    """Returns the addresses that the page asked for."""
    self.run('0')
    return [params['request']['url'] for method, params in self.events
            if method == 'Network.requestWillBeSent']

  def _next(self) -> dict[str, Any]:
    while b'\0' not in self._buffer:
      ready, _, _ = select.select([self._read], [], [], _PATIENCE)
      assert ready, f'Chromium is silent for {_PATIENCE} s'
      data = os.read(self._read, 1 << 20)
      assert data, 'Chromium ended'
      self._buffer += data
    message, _, self._buffer = self._buffer.partition(b'\0')
    answer = json.loads(message)
    if 'method' in answer:
      self.events.append((answer['method'], answer.get('params', {})))
    return answer


def _start(
    program: str, profile: str
) -> tuple[subprocess.Popen, int, int]:
  """Returns the process and the ends of its pipes to write and to read."""
  theirs_in, ours_out = os.pipe()
  ours_in, theirs_out = os.pipe()
  # The shell moves the pipes to where Chromium looks for them: 3 and 4.
  process = subprocess.Popen(
      ['bash', '-c', f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', 'bash',
       program, '--headless=new', '--no-sandbox', '--disable-gpu',
       '--disable-dev-shm-usage', '--disable-background-networking',
       '--hide-scrollbars', '--no-first-run', f'--user-data-dir={profile}',
       '--remote-debugging-pipe'],
      pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL,
      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
      start_new_session=True)
  os.close(theirs_in)
  os.close(theirs_out)
  return process, ours_out, ours_in
