"""Protects DICOM: a picture as a viewer shows it, or a reason why not."""

import io
import pathlib
from typing import Any

import numpy as np
import pydicom
from pydicom import dataset as dicom_dataset
from pydicom import uid
import pytest

from medxfer import errors
from medxfer.data import deep_grey
from medxfer.data import dicom


def _content(values: np.ndarray, **keys: Any) -> bytes:
  """Returns a file of 12 bits, as a scanner would write it."""
  meta = dicom_dataset.FileMetaDataset()
  meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
  meta.MediaStorageSOPClassUID = uid.SecondaryCaptureImageStorage
  meta.MediaStorageSOPInstanceUID = uid.generate_uid()
  found = pydicom.Dataset()
  found.file_meta = meta
  found.SOPClassUID = meta.MediaStorageSOPClassUID
  found.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
  found.PatientID = 'Erika Mustermann'
  found.Modality = 'DX'
  found.Rows, found.Columns = values.shape[-2:]
  found.SamplesPerPixel = 1
  found.PhotometricInterpretation = 'MONOCHROME2'
  found.BitsAllocated, found.BitsStored, found.HighBit = 16, 12, 11
  found.PixelRepresentation = 0
  found.PixelData = values.astype('<u2').tobytes()
  for key, value in keys.items():
    if value is None:
      delattr(found, key)
    else:
      setattr(found, key, value)
  stream = io.BytesIO()
  pydicom.dcmwrite(stream, found, enforce_file_format=True)
  return stream.getvalue()


_RAMP = np.arange(4096).reshape(64, 64)


def _eight(content: bytes) -> np.ndarray:
  found = dicom.read(content, 'x')
  assert isinstance(found, deep_grey.Grey)
  return deep_grey.eight_bits(found, deep_grey.Range(0, 4095), 'x')


def test_values_without_a_window_have_the_range_of_the_data_set() -> None:
  """As any deep grey image."""
  np.testing.assert_array_equal(
      _eight(_content(_RAMP)), np.rint(_RAMP * (255 / 4095))
  )


def test_white_is_zero_in_monochrome1() -> None:
  """Forgotten, it turns every lung inside out."""
  plain = _eight(_content(_RAMP))
  turned = _eight(_content(_RAMP, PhotometricInterpretation='MONOCHROME1'))
  np.testing.assert_array_equal(turned, 255 - plain)


@pytest.mark.parametrize('function', ['LINEAR', 'LINEAR_EXACT'])
def test_a_window_is_that_of_pydicom(function: str) -> None:
  """After the values were rescaled, to half a grey level."""
  keys = dict(
      RescaleSlope=2,
      RescaleIntercept=-1024,
      WindowCenter=[40, 600],
      WindowWidth=[400, 1500],
      VOILUTFunction=function,
  )
  content = _content(_RAMP, **keys)
  read = pydicom.dcmread(io.BytesIO(content))
  rescaled = pydicom.pixels.apply_modality_lut(read.pixel_array, read)
  theirs = pydicom.pixels.apply_windowing(rescaled, read)
  theirs = (theirs - theirs.min()) / (theirs.max() - theirs.min()) * 255
  assert abs(_eight(content) - theirs).max() <= 0.51


def test_the_patient_is_a_group_that_tells_nothing(
    tmp_path: pathlib.Path,
) -> None:
  """The same for all files of one, and none without an id."""
  for i, keys in enumerate([{}, {}, {'PatientID': 'x'}, {'PatientID': ''}]):
    (tmp_path / f'{i}.dcm').write_bytes(_content(_RAMP, **keys))
  names = [dicom.patient(tmp_path / f'{i}.dcm') for i in range(4)]
  assert names[0] == names[1] != names[2] and names[3] == ''
  assert 'Muster' not in names[0] and names[0].startswith('patient_')
  assert dicom.patient(tmp_path / 'gone.dcm') == ''


def test_the_first_of_several_frames_is_read(tmp_path: pathlib.Path) -> None:
  """And their number is known."""
  stack = np.stack([_RAMP, _RAMP[::-1]])
  content = _content(stack, NumberOfFrames=2)
  np.testing.assert_array_equal(_eight(content), _eight(_content(_RAMP)))
  (tmp_path / 'x.dcm').write_bytes(content)
  assert dicom.frames(tmp_path / 'x.dcm') == 2
  (tmp_path / 'x.dcm').write_bytes(_content(_RAMP))
  assert dicom.frames(tmp_path / 'x.dcm') == 1


@pytest.mark.parametrize(
    'content, message',
    [
        (_content(_RAMP, PixelData=None), r'without pixels \(DX\)'),
        (_content(_RAMP)[:400], 'x: '),
        (_content(_RAMP)[:-5000], 'pixels cannot be read'),
        (b'\0' * 128 + b'DICM' + b'\xff' * 500, 'x: '),
        (_content(_RAMP, Rows=20_000, Columns=20_000), 'too many pixels'),
        (
            _content(_RAMP, SamplesPerPixel=3, PhotometricInterpretation='RGB'),
            'x: ',
        ),
    ],
)
def test_what_is_no_picture_is_refused(content: bytes, message: str) -> None:
  """In words."""
  with pytest.raises(errors.DataError, match=message):
    dicom.read(content, 'x')


def test_pydicoms_own_files_are_read_or_refused() -> None:
  """Those that it brings: of many makers and transfer syntaxes."""
  folder = pathlib.Path(pydicom.__file__).parent / 'data' / 'test_files'
  paths = sorted(folder.glob('*.dcm'))
  assert len(paths) > 20
  read = 0
  for path in paths:
    content = path.read_bytes()
    if not dicom.is_dicom(content[: dicom.HEAD]):
      continue
    try:
      found = dicom.read(content, path.name)
    except errors.DataError:
      continue
    read += 1
    if isinstance(found, np.ndarray):
      assert found.dtype == np.uint8 and found.shape[-1] == 3
    else:
      eight = deep_grey.eight_bits(found, deep_grey.Range(0, 4095), path.name)
      assert eight.dtype == np.uint8 and eight.ndim == 2
  assert read > 10
