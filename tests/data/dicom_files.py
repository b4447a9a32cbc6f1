"""DICOM files, made in a test."""

import io
from typing import Any

import numpy as np
import pydicom
from pydicom import dataset as dicom_dataset
from pydicom import uid


def content(values: np.ndarray, **keys: Any) -> bytes:
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
