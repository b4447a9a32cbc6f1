"""What DICOM files say of themselves, without their pixels.

The patient's id is hashed; no other personal tag is read.
"""

import hashlib
import pathlib
from typing import Any

_MARK = b'DICM'
_PREAMBLE = 128
HEAD = _PREAMBLE + len(_MARK)  # Bytes that tell a DICOM file.
_SALT = b'medxfer'


def is_dicom(head: bytes) -> bool:
  """Whether a file of these first bytes is DICOM."""
  return head[_PREAMBLE:HEAD] == _MARK


def frames(path: pathlib.Path) -> int:
  """Returns the number of frames: 0 of a report, 1 of a damaged file."""
  try:
    header = _header(path)
    if 'Rows' not in header:
      return 0
    return max(int(header.get('NumberOfFrames') or 1), 1)
  except Exception:
    return 1  # Reading the pixels tells what is wrong.


def patient(path: pathlib.Path) -> str:
  """Returns a name for the patient that tells nothing of them; '' of none.

  Args:
    path: a file of any kind.
  """
  try:
    with path.open('rb') as file:
      if not is_dicom(file.read(HEAD)):
        return ''
    found = str(_header(path).get('PatientID') or '').strip()
  except Exception:
    return ''
  if not found:
    return ''
  digest = hashlib.blake2b(found.encode(), digest_size=6, key=_SALT)
  return f'patient_{digest.hexdigest()}'


def _header(path: pathlib.Path) -> Any:
  import pydicom

  return pydicom.dcmread(path, stop_before_pixels=True)
