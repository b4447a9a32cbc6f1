"""A publisher of data sets on this machine, who may do everything wrong."""

from collections.abc import Iterator
import contextlib
import dataclasses
import hashlib
import http.server
import json
import re
import threading
from typing import Any


@dataclasses.dataclass
class Publisher:
  """A Dataverse installation with three files, and what it does wrong.

  Attributes:
    files: name -> bytes as served.
    extra: name -> keys that its entry in the listing gets.
    failures: paths' last parts -> how many requests to answer with 503.
    cut: name -> bytes after which the first answer breaks off.
    redirect: where file requests are sent, if anywhere.
    requests: (path, Range header) of every request.
  """

  files: dict[str, bytes]
  extra: dict[str, dict] = dataclasses.field(default_factory=dict)
  failures: dict[str, int] = dataclasses.field(default_factory=dict)
  cut: dict[str, int] = dataclasses.field(default_factory=dict)
  redirect: str = ''
  requests: list = dataclasses.field(default_factory=list)
  url: str = ''

  def listing(self) -> bytes:
    """Returns what it says of its files."""
    entries = []
    for number, (name, content) in enumerate(self.files.items()):
      digest = hashlib.md5(content).hexdigest()
      file = {
          'id': number,
          'filename': name,
          'filesize': len(content),
          'md5': digest,
          'checksum': {'type': 'MD5', 'value': digest},
      } | self.extra.get(name, {})
      entries.append({'label': name, 'restricted': False, 'dataFile': file})
    data = {'latestVersion': {'files': entries}}
    return json.dumps({'status': 'OK', 'data': data}).encode()

  def answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
    """Answers a request."""
    asked = handler.headers.get('Range')
    self.requests.append((handler.path, asked))
    last = handler.path.split('?')[0].split('/')[-1]
    if self.failures.get(last, 0):
      self.failures[last] -= 1
      handler.send_error(503)
      return
    if 'datafile' not in handler.path:
      self._send(handler, 200, self.listing(), 0)
      return
    if self.redirect:
      handler.send_response(302)
      handler.send_header('Location', self.redirect)
      handler.end_headers()
      return
    name = list(self.files)[int(last)]
    start = int(re.fullmatch(r'bytes=(\d+)-', asked)[1]) if asked else 0
    self._send(
        handler,
        206 if asked else 200,
        self.files[name],
        start,
        self.cut.pop(name, None),
    )

  def _send(
      self, handler: Any, status: int, content: Any, start: Any, cut: Any = None
  ) -> None:
    handler.send_response(status)
    handler.send_header('Content-Length', str(len(content) - start))
    if status == 206:
      span = f'bytes {start}-{len(content) - 1}/{len(content)}'
      handler.send_header('Content-Range', span)
    handler.end_headers()
    handler.wfile.write(content[start:cut])


@contextlib.contextmanager
def serving(publisher: Publisher) -> Iterator[Publisher]:
  """Yields the publisher, at its `url`."""

  class Handler(http.server.BaseHTTPRequestHandler):

    def do_GET(self) -> None:
      publisher.answer(self)

    def log_message(self, *args: Any) -> None:
      del args

  with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
    # A short poll: shutting down waits for it.
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    publisher.url = f'http://127.0.0.1:{server.server_port}'
    try:
      yield publisher
    finally:
      server.shutdown()
      thread.join()
