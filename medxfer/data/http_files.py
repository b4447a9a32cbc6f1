"""Fetching files over http(s) that are whole and verified, or not there.

A file streams into NAME.part, is resumed from there and gets its name once its
size and checksum are right. pooch, which verifies downloads as well, starts a
broken one anew: too much for 2.6 GB.
"""

from collections.abc import Callable
import dataclasses
import hashlib
import http.client
import ipaddress
import pathlib
import time
from typing import TypeVar
import urllib.error
import urllib.parse
import urllib.request

from medxfer import errors

_CHUNK = 1 << 20
_Result = TypeVar('_Result')
_AGENT = 'medxfer (data set download)'
# What a server may answer now and not a moment later.
_PASSING = frozenset({408, 416, 425, 429, 500, 502, 503, 504})
_NETWORK = (OSError, http.client.HTTPException)


@dataclasses.dataclass(frozen=True)
class Patience:
  """How long to try.

  Attributes:
    attempts: requests for one file.
    timeout: seconds without a byte before a request is given up.
    pause: seconds before the second attempt; doubles every time.
  """

  attempts: int = 5
  timeout: float = 60.0
  pause: float = 2.0


@dataclasses.dataclass(frozen=True)
class Source:
  """A file to fetch and what is known of it.

  Attributes:
    name: file name on this machine.
    url: where it is.
    size: bytes; None where the publisher does not say.
    algorithm: of the checksum, as `hashlib` calls it.
    checksum: lower-case hexadecimal digits.
    limit: bytes that are never exceeded, for a file of unknown size.
  """

  name: str
  url: str
  size: int | None
  algorithm: str
  checksum: str
  limit: int = 64 << 20


class _Redirects(urllib.request.HTTPRedirectHandler):
  """Follows a redirect to https, or within the loopback interface."""

  def redirect_request(
      self, req, fp, code, msg, headers, newurl
  ) -> urllib.request.Request | None:
    parts = urllib.parse.urlsplit(newurl)
    local = _is_loopback(parts.hostname) and _is_loopback(
        urllib.parse.urlsplit(req.full_url).hostname
    )
    if parts.scheme != 'https' and not (parts.scheme == 'http' and local):
      raise errors.DataError(
          f'{req.full_url} redirects to {newurl}, which is not https; nothing'
          ' was fetched from there. Check --base_url'
      )
    return super().redirect_request(req, fp, code, msg, headers, newurl)


def check_url(url: str) -> str:
  """Returns `url` without a trailing slash.

  Args:
    url: address of a server.

  Raises:
    errors.UsageError: it is not an http or https address.
  """
  parts = urllib.parse.urlsplit(url)
  if parts.scheme not in ('http', 'https') or not parts.hostname:
    raise errors.UsageError(
        f'{url} is not an address; give one that starts with https://'
    )
  return url.rstrip('/')


def read(url: str, *, limit: int, patience: Patience = Patience()) -> bytes:
  """Reads a small answer.

  Args:
    url: http(s) address.
    limit: bytes that the answer may have.
    patience: how long to try.

  Raises:
    errors.DataError: the server refuses, fails or says too much.
  """

  def attempt() -> bytes:
    with _open(url, patience) as answer:
      return answer.read(limit + 1)

  content = _retry(attempt, url, patience)
  if len(content) > limit:
    raise errors.DataError(
        f'{url} answered with more than {limit} bytes; check --base_url'
    )
  return content


def fetch(
    source: Source, folder: pathlib.Path, *, patience: Patience = Patience()
) -> pathlib.Path:
  """Fetches a file into `folder`, or resumes, or finds it there.

  Args:
    source: what to fetch.
    folder: where `source.name` and `source.name`.part are kept.
    patience: how long to try.

  Returns:
    The path of the verified file.

  Raises:
    errors.DataError: the server refuses or fails (the .part stays and is
      resumed next time), or the bytes are not those that were announced (the
      .part is removed).
  """
  path = folder / source.name
  if path.is_file() and _digest(path, source) == source.checksum:
    return path
  part = folder / f'{source.name}.part'
  if source.size is not None and _length(part) > source.size:
    part.unlink()
  if source.size is None or _length(part) < source.size:
    _retry(lambda: _stream(source, part, patience), source.url, patience)
  found = _digest(part, source)
  if found != source.checksum:
    part.unlink()
    raise errors.DataError(
        f'{source.name} has {source.algorithm} {found}, but {source.checksum}'
        ' was announced; the file was discarded. Run again, and report it to'
        ' the publisher if it stays so'
    )
  part.replace(path)
  return path


def _stream(source: Source, part: pathlib.Path, patience: Patience) -> None:
  """Appends what is missing to `part`."""
  # Without a size, half a file cannot be distinguished from a whole one.
  start = _length(part) if source.size is not None else 0
  try:
    opened = _open(source.url, patience, start)
  except urllib.error.HTTPError as error:
    if start and error.code == 416:
      # The server has no such part: the file has changed since.
      part.unlink()
    raise
  with opened as answer:
    if start and answer.status != 206:
      start = 0
    elif start and not _continues(answer, start):
      raise errors.DataError(
          f'{source.url} answered with another part of the file than was'
          f' asked for; delete {part} and run again'
      )
    bound = source.limit if source.size is None else source.size
    with open(part, 'ab' if start else 'wb') as file:
      written = start
      while chunk := answer.read(_CHUNK):
        written += len(chunk)
        if written > bound:
          break
        file.write(chunk)
  if written > bound:
    part.unlink()
    raise errors.DataError(
        f'{source.name} is larger than the {bound} bytes that were announced;'
        ' the file was discarded. Check --base_url and run again'
    )
  if source.size is not None and written < source.size:
    raise http.client.IncompleteRead(b'', source.size - written)


def _continues(answer: http.client.HTTPResponse, start: int) -> bool:
  said = answer.headers.get('Content-Range', '')
  return said.replace(' ', '').startswith(f'bytes{start}-')


def _open(
    url: str, patience: Patience, start: int = 0
) -> http.client.HTTPResponse:
  """Opens `url`, from byte `start` on."""
  headers = {'User-Agent': _AGENT, 'Accept-Encoding': 'identity'}
  if start:
    headers['Range'] = f'bytes={start}-'
  handlers: list[urllib.request.BaseHandler] = [_Redirects()]
  if _is_loopback(urllib.parse.urlsplit(url).hostname):
    handlers.append(urllib.request.ProxyHandler({}))
  opener = urllib.request.build_opener(*handlers)
  request = urllib.request.Request(url, headers=headers)
  return opener.open(request, timeout=patience.timeout)


def _retry(
    attempt: Callable[[], _Result], url: str, patience: Patience
) -> _Result:
  """Calls `attempt` until it succeeds or patience ends."""
  for count in range(patience.attempts):
    if count:
      time.sleep(patience.pause * 2 ** (count - 1))
    try:
      return attempt()
    except urllib.error.HTTPError as error:
      error.close()
      reason = f'answered {error.code} {error.reason}'
      if error.code not in _PASSING:
        break
    except _NETWORK as error:
      reason = f'failed ({getattr(error, "reason", None) or error!r})'
  raise errors.DataError(
      f'{url} {reason} (attempt {count + 1} of {patience.attempts}); check'
      ' --base_url and the network and run again, what has arrived is kept'
  )


def _is_loopback(host: str | None) -> bool:
  if host == 'localhost':
    return True
  try:
    return ipaddress.ip_address(host or '').is_loopback
  except ValueError:
    return False


def _length(path: pathlib.Path) -> int:
  return path.stat().st_size if path.is_file() else 0


def _digest(path: pathlib.Path, source: Source) -> str:
  with open(path, 'rb') as file:
    return hashlib.file_digest(file, source.algorithm).hexdigest()
