"""Zip and NumPy files from anywhere: damage is one kind of error.

Their readers raise whatever they stumble over, from the kinds of several
decompressors to those of Python's own tokenizer.
"""

from collections.abc import Iterator
import contextlib
import errno
import lzma
import pathlib
import struct
from typing import IO
import warnings
import zipfile
import zlib

import numpy as np

from medxfer import errors

# RuntimeError: encrypted members, and methods that Python does not know.
_ZIP_DAMAGE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    EOFError,
    KeyError,
    OverflowError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    zlib.error,
)


@contextlib.contextmanager
def opened_zip(path: pathlib.Path, way_out: str) -> Iterator[zipfile.ZipFile]:
  """Opens a zip file for reading.

  Args:
    path: the file.
    way_out: the end of the message if it is damaged.

  Yields:
    The archive.

  Raises:
    DataError: it, or what the body reads of it, is damaged.
  """
  try:
    with zipfile.ZipFile(path) as archive:
      yield archive
  except (*_ZIP_DAMAGE, OSError) as error:
    # A place before the start of the file, or bz2's damage. A full disk is
    # neither.
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
      raise
    raise errors.DataError(
        f'{path}: damaged or truncated archive ({error}). {way_out}'
    ) from error


def read_npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
  """Reads the header of an .npy file; its data come next.

  Args:
    file: at its start.

  Returns:
    Shape, whether it is in Fortran's order, and dtype.

  Raises:
    ValueError: it is damaged, or not of version 1, which NumPy uses for every
      header this short, or announces what is not plain numbers.
  """
  try:
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
      raise ValueError(f'NumPy header of version {version}')
    with warnings.catch_warnings():
      warnings.simplefilter('ignore')  # "Created on Python 2".
      shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
  except OSError:
    raise
  except Exception as error:
    # It is a line of Python, which NumPy cuts into tokens.
    raise ValueError(f'damaged NumPy header ({error})') from error
  if dtype.kind not in 'biuf':
    raise ValueError(f'NumPy header of {dtype}; a pickle is never opened')
  return shape, fortran, dtype
