"""Protects the reading of HAM10000 as its copies on the web lay it out."""

from collections.abc import Callable
import csv
import pathlib
import shutil
from typing import Any

from PIL import Image
import pytest

from medxfer import errors
from medxfer.data import file_kinds
from medxfer.data import ham10000

_PARTS = ('HAM10000_images_part_1', 'HAM10000_images_part_2')


@pytest.fixture
def folder(phantoms: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
  """A copy that a test may lay out anew."""
  return shutil.copytree(phantoms, tmp_path / 'ham')


def _rows(folder: pathlib.Path) -> list:
  with (folder / ham10000.METADATA).open(newline='') as file:
    return list(csv.reader(file))


def _write(
    folder: pathlib.Path,
    name: str,
    rows: list,
    delimiter: str = ',',
    encoding: str = 'utf-8',
    newline: str = '\n',
) -> None:
  (folder / ham10000.METADATA).unlink()
  text = newline.join(delimiter.join(row) for row in rows) + newline
  (folder / name).write_bytes(text.encode(encoding))


def _nested(folder: pathlib.Path) -> None:
  for part in _PARTS:
    (folder / part).rename(folder / 'tmp')
    (folder / part).mkdir()
    (folder / 'tmp').rename(folder / part / part)


def _by_class(folder: pathlib.Path) -> None:
  for lesion, image, dx, *_ in _rows(folder)[1:]:
    path = next(folder.glob(f'*/{image}.jpg'))
    (folder / dx).mkdir(exist_ok=True)
    path.rename(folder / dx / path.name)


def _wrapped(folder: pathlib.Path) -> None:
  shutil.move(folder, folder.parent / 'tmp')
  folder.mkdir()
  shutil.move(folder.parent / 'tmp', folder / 'archive')


def _as_png(folder: pathlib.Path) -> None:
  for path in list(folder.glob('*/*.jpg')):
    Image.open(path).save(path.with_suffix('.png'))
    path.unlink()


@pytest.mark.parametrize(
    'change',
    [
        _nested,
        _by_class,
        _wrapped,
        _as_png,
        lambda f: _write(
            f,
            'HAM10000_metadata.tab',
            [[f'"{value}"' for value in row] for row in _rows(f)],
            '\t',
        ),
        lambda f: _write(f, 'HAM10000_metadata', _rows(f)),
        lambda f: _write(f, 'ham10000_metadata.CSV', _rows(f)),
        lambda f: _write(
            f, ham10000.METADATA, _rows(f), encoding='utf-8-sig', newline='\r\n'
        ),
        lambda f: _write(f, ham10000.METADATA, _rows(f), ';'),
        lambda f: _write(f, ham10000.METADATA, _rows(f), encoding='utf-16'),
        lambda f: _write(f, ham10000.METADATA, _rows(f), newline='\r'),
        lambda f: _write(
            f,
            ham10000.METADATA,
            [[str(i), *row] for i, row in enumerate(_rows(f))],
        ),
    ],
)
def test_another_layout_is_the_same_data_set(
    phantoms: pathlib.Path, folder: pathlib.Path, change: Callable[..., Any]
) -> None:
  """Each is what a public copy or a spreadsheet makes of it."""
  expected = ham10000.read(phantoms)
  change(folder)
  examples = ham10000.read(folder)
  assert examples.image_ids == expected.image_ids
  assert examples.labels.tolist() == expected.labels.tolist()
  assert examples.groups == expected.groups
  assert examples.columns == expected.columns
  assert not examples.skipped and not examples.left_out


def test_the_eighth_column_is_the_source(folder: pathlib.Path) -> None:
  """The copy on Dataverse tells the collections apart."""
  rows = _rows(folder)
  _write(
      folder,
      ham10000.METADATA,
      [[*row, 'rosendahl' if i else 'dataset'] for i, row in enumerate(rows)],
  )
  source = ham10000.read(folder).columns['source']
  assert source == ('rosendahl',) * (len(rows) - 1)


def test_the_same_images_twice_are_read_once(
    phantoms: pathlib.Path, folder: pathlib.Path
) -> None:
  """Kaggle's copy has each part again, in small letters."""
  for part in _PARTS:
    shutil.copytree(folder / part, folder / part.lower())
  examples = ham10000.read(folder)
  assert {path.parent.name for path in examples.paths} == set(_PARTS)
  assert len(examples.left_out) == len(examples)
  assert set(examples.left_out.values()) == {file_kinds.COPY}


def test_what_lies_beside_the_images_is_said(folder: pathlib.Path) -> None:
  """Masks, tables of pixels, figures of a notebook, a Mac's shadows."""
  path = sorted(folder.glob('*/*.jpg'))[0]
  for name in ('hmnist_8_8_L.csv', 'LICENSE.txt', f'._{path.name}'):
    (folder / name).write_text('x')
  masks = folder / 'HAM10000_segmentations_lesion_tschandl'
  masks.mkdir()
  shutil.copy(path, masks / f'{path.stem}_segmentation.png')
  shutil.copy(path, folder / 'confusion.png')
  before = len(ham10000.read(folder))
  assert ham10000.read(folder).left_out == {
      'hmnist_8_8_L.csv': file_kinds.TABLE,
      'LICENSE.txt': 'text',
      f'._{path.name}': file_kinds.SYSTEM,
      'confusion.png': file_kinds.NO_ROW,
      f'{masks.name}/{path.stem}_segmentation.png': file_kinds.MASK,
  }
  assert before == len(_rows(folder)) - 1


def _twist(folder: pathlib.Path) -> None:
  rows = _rows(folder)
  for name, value in (('a', 'male'), ('b', 'female')):
    (folder / name).mkdir()
    text = '\n'.join(
        ','.join([*row[:5], 'sex' if not i else value, row[6]])
        for i, row in enumerate(rows)
    )
    (folder / name / ham10000.METADATA).write_text(text)
  (folder / ham10000.METADATA).unlink()


def _subset(folder: pathlib.Path) -> None:
  for path in sorted(folder.glob('*/*.jpg'))[-30:]:
    path.unlink()


def _packed(folder: pathlib.Path) -> None:
  for part in _PARTS:
    shutil.rmtree(folder / part)
  (folder / 'HAM10000_images_part_1.zip').write_bytes(b'PK\x03\x04')


def _test_image(folder: pathlib.Path) -> None:
  path = sorted(folder.glob('*/*.jpg'))[0]
  shutil.copy(path, path.with_name('ISIC_0034524.jpg'))


@pytest.mark.parametrize(
    'change, message',
    [
        (_twist, 'two tables that differ, a/HAM.*b/HAM.*keep one'),
        (
            _subset,
            'lists it, but there is no .*the first of 30 bad images.*skip',
        ),
        (_packed, 'no image; unpack HAM10000_images_part_1.zip'),
        (
            lambda f: _packed(f) or (f / ham10000.METADATA).unlink(),
            'unpack HAM',
        ),
        (_test_image, 'ISIC_0034524.* test images of ISIC 2018.*skip'),
        (
            lambda f: (f / ham10000.METADATA).rename(f / 'GroundTruth.csv'),
            'GroundTruth.csv is another table.*lesion_id.*put it into the '
            'folder',
        ),
        (
            lambda f: (f / ham10000.METADATA).write_bytes(b'PK\x03\x04'),
            'a spreadsheet or an archive.*save it as CSV',
        ),
    ],
)
def test_what_is_ambiguous_is_refused_in_words_that_fit(
    folder: pathlib.Path, change: Callable[..., Any], message: str
) -> None:
  """Nobody is told to fetch what lies there."""
  change(folder)
  with pytest.raises(errors.DataError, match=message) as raised:
    ham10000.read(folder)
  assert 'medxfer download' not in str(raised.value)


def test_a_subset_on_purpose_is_read_with_skip(folder: pathlib.Path) -> None:
  """Half the images are a data set, too, if one says so."""
  _subset(folder)
  examples = ham10000.read(folder, on_bad_image='skip')
  assert len(examples.skipped) == 30
  assert len(examples) == len(_rows(folder)) - 31
