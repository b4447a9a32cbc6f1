"""Protects DICOM: a picture as a viewer shows it, or a reason why not."""

import io
import pathlib

import numpy as np
import pydicom
import pytest

from medxfer import errors
from medxfer import spec as specs
from medxfer.data import deep_grey
from medxfer.data import dicom
from medxfer.data import dicom_headers
from medxfer.data import folders
from medxfer.data import images
from medxfer.recipes import folder as folder_recipe
from medxfer.report.page import write as page
from medxfer.runs import predict
from medxfer.runs import run
from tests.data import dicom_files

_RAMP = np.arange(4096).reshape(64, 64)


def _eight(content: bytes) -> np.ndarray:
  found = dicom.read(content, 'x')
  assert isinstance(found, deep_grey.Grey)
  return deep_grey.eight_bits(found, deep_grey.Range(0, 4095), 'x')


def test_values_without_a_window_have_the_range_of_the_data_set() -> None:
  """As any deep grey image."""
  np.testing.assert_array_equal(
      _eight(dicom_files.content(_RAMP)), np.rint(_RAMP * (255 / 4095))
  )


def test_white_is_zero_in_monochrome1() -> None:
  """Forgotten, it turns every lung inside out."""
  plain = _eight(dicom_files.content(_RAMP))
  turned = _eight(
      dicom_files.content(_RAMP, PhotometricInterpretation='MONOCHROME1')
  )
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
  content = dicom_files.content(_RAMP, **keys)
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
    (tmp_path / f'{i}.dcm').write_bytes(dicom_files.content(_RAMP, **keys))
  names = [dicom_headers.patient(tmp_path / f'{i}.dcm') for i in range(4)]
  assert names[0] == names[1] != names[2] and names[3] == ''
  assert 'Muster' not in names[0] and names[0].startswith('patient_')
  assert dicom_headers.patient(tmp_path / 'gone.dcm') == ''


def test_the_first_of_several_frames_is_read(tmp_path: pathlib.Path) -> None:
  """And their number is known."""
  stack = np.stack([_RAMP, _RAMP[::-1]])
  content = dicom_files.content(stack, NumberOfFrames=2)
  np.testing.assert_array_equal(
      _eight(content), _eight(dicom_files.content(_RAMP))
  )
  (tmp_path / 'x.dcm').write_bytes(content)
  assert dicom_headers.frames(tmp_path / 'x.dcm') == 2
  (tmp_path / 'x.dcm').write_bytes(dicom_files.content(_RAMP))
  assert dicom_headers.frames(tmp_path / 'x.dcm') == 1


@pytest.mark.parametrize(
    'content, message',
    [
        (dicom_files.content(_RAMP, PixelData=None), r'without pixels \(DX\)'),
        (dicom_files.content(_RAMP)[:400], 'x: '),
        (dicom_files.content(_RAMP)[:-5000], 'pixels cannot be read'),
        (b'\0' * 128 + b'DICM' + b'\xff' * 500, 'x: '),
        (
            dicom_files.content(_RAMP, Rows=20_000, Columns=20_000),
            'too many pixels',
        ),
        (
            dicom_files.content(
                _RAMP, SamplesPerPixel=3, PhotometricInterpretation='RGB'
            ),
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
    if not dicom_headers.is_dicom(content[: dicom_headers.HEAD]):
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


@pytest.fixture
def hospital(tmp_path: pathlib.Path) -> pathlib.Path:
  """Class folders of DICOM files: twelve patients with two pictures each."""
  draw = np.random.default_rng(0)
  for i in range(24):
    label = 'ill' if i % 4 < 2 else 'well'
    values = draw.integers(0, 2000, (40, 40)) + 1000 * (label == 'ill')
    path = tmp_path / 'hospital' / label / f'{i:02}.dcm'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        dicom_files.content(
            values,
            PatientID=f'Mustermann {i // 2}',
            PatientName='Mustermann^Erika',
            WindowCenter=2000,
            WindowWidth=4000,
        )
    )
  (tmp_path / 'hospital' / 'ill' / 'report.dcm').write_bytes(
      dicom_files.content(_RAMP, PixelData=None, Rows=None)
  )
  return tmp_path / 'hospital'


def test_a_folder_of_dicom_is_read_with_its_patients(
    hospital: pathlib.Path,
) -> None:
  """Reports are counted; patients are groups, and said."""
  examples = folders.read(hospital)
  assert len(examples) == 24 and examples.groups_known
  assert len(set(examples.groups)) == 12
  assert examples.left_out == {'ill/report.dcm': 'DICOM without pixels'}
  assert any('24 DICOM files' in note for note in examples.notes)
  pixels = images.read_rgb(
      examples.paths[0], grey_range=deep_grey.Range(0, 65535)
  )
  assert pixels.shape == (40, 40, 3) and pixels.max() > 150


@pytest.mark.slow
def test_nothing_personal_reaches_a_file(
    hospital: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """A run, its prediction and its report on DICOM."""
  config = folder_recipe.get_config('head,cpu,tiny,grouped')
  config.data.update(dir=str(hospital), image_size=(32, 32))
  config.model.update(init_from='random', head_units=(8, 8))
  config.training.update(epochs=1, batch_size=8)
  run.run(specs.from_config(config), tmp_path / 'run')
  predict.predict(
      [tmp_path / 'run'], [hospital / 'ill'], output=tmp_path / 'run' / 'p.csv'
  )
  page.report(tmp_path / 'run', tmp_path / 'run' / 'report')
  written = [path for path in (tmp_path / 'run').rglob('*') if path.is_file()]
  assert any(b'patient_' in path.read_bytes() for path in written)
  for path in written:
    assert b'uster' not in path.read_bytes(), path
