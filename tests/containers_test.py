"""Protects the reading of zip and NumPy files: damage is one kind of error."""

import errno
import io
import os
import pathlib
import zipfile

import numpy as np
import pytest

from medxfer import containers
from medxfer import errors

_TEXT = bytes(range(256)) * 64


def _archive(path: pathlib.Path, method: int) -> bytearray:
  with zipfile.ZipFile(path, 'w', method) as archive:
    archive.writestr('member', _TEXT)
  return bytearray(path.read_bytes())


def _read(path: pathlib.Path) -> bytes | None:
  with containers.opened_zip(path, 'Fetch it again.') as archive:
    return archive.read('member')


@pytest.mark.parametrize(
    'method',
    [
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
        zipfile.ZIP_BZIP2,
        zipfile.ZIP_LZMA,
    ],
)
def test_any_damage_to_a_zip_file_is_said_in_one_way(
    tmp_path: pathlib.Path, method: int
) -> None:
  """Each of four decompressors has an error of its own."""
  path = tmp_path / 'a.zip'
  sound = _archive(path, method)
  assert _read(path) == _TEXT
  for place in range(0, len(sound), max(1, len(sound) // 200)):
    for changed in (
        sound[:place],
        sound[place:],
        sound[:place] + b'\xff\xff' + sound[place + 2 :],
    ):
      path.write_bytes(changed)
      try:
        # Either what was damaged is not looked at ...
        assert _read(path) == _TEXT
      except errors.DataError as error:
        # ... or it is said.
        assert 'a.zip: damaged' in str(error)
        assert 'Fetch it again.' in str(error)


def test_a_full_disk_is_no_damage(tmp_path: pathlib.Path) -> None:
  """Whoever fetches the archive again does not get more room."""
  _archive(tmp_path / 'a.zip', zipfile.ZIP_STORED)
  with pytest.raises(OSError, match='No space'):
    with containers.opened_zip(tmp_path / 'a.zip', ''):
      raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    'change',
    [
        (b"'shape': (2,", b"'shape2, (2,"),  # Cut by Python's own tokenizer.
        (b"'<f4'", b"'|O8'"),
        (b"'<f4'", b"'<V4'"),
        (b"'<f4'", b'[()] '),
        (b'NUMPY\x01', b'NUMPY\x03'),
        (b'(2, 3)', b'(2, -)'),
        (b'{', b'{' * 3),
    ],
)
def test_a_damaged_numpy_header_is_a_value_error(change: tuple) -> None:
  """It is a line of Python, and what it announces may be a pickle."""
  file = io.BytesIO()
  np.save(file, np.zeros((2, 3), np.float32))
  sound = file.getvalue()
  header = containers.read_npy_header(io.BytesIO(sound))
  assert header == ((2, 3), False, np.float32)
  assert change[0] in sound
  with pytest.raises(ValueError, match='NumPy header'):
    containers.read_npy_header(io.BytesIO(sound.replace(*change, 1)))
