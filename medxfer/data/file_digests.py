"""Digests of the contents of files: names, lengths and times are not enough."""

from collections.abc import Sequence
import concurrent.futures
import hashlib
import os
import pathlib

from medxfer import errors
from medxfer import progress


def read(paths: Sequence[pathlib.Path]) -> tuple[bytes | None, ...]:
  """Returns a SHA-256 digest of each file; None for one that cannot be read.

  All bytes are read: two exports of the same pictures may agree in names,
  lengths and times, and not every file system has inodes and times of change
  that tell them apart. Reading costs about a tenth of decoding.

  Args:
    paths: the files.
  """
  threads = min(8, os.cpu_count() or 1)
  with concurrent.futures.ThreadPoolExecutor(threads) as pool:
    return tuple(
        progress.track(
            pool.map(_digest, paths),
            total=len(paths),
            title='checking files',
            unit='files',
        )
    )


def refuse_changed(name: str, content: bytes, digest: bytes | None) -> None:
  """Compares the bytes of a file with what `read` has found in it.

  Args:
    name: of the file.
    content: its bytes.
    digest: of `read`; None is not compared.

  Raises:
    Changed: they are others.
  """
  if digest and digest != hashlib.sha256(content).digest():
    raise Changed(
        f'{name}: the file has changed since this run began to read its '
        'images; let nothing write to them, and start again'
    )


class Changed(errors.DataError):
  """A file does not hold what it held when its digest was made."""


def _digest(path: pathlib.Path) -> bytes | None:
  try:
    # Not `hashlib.file_digest`: small files are read faster at once.
    return hashlib.sha256(path.read_bytes()).digest()
  except OSError:
    return None
