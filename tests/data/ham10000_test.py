"""Protects the reading of HAM10000's layout: every wrong table is refused."""

from collections.abc import Callable
import pathlib
import shutil
from typing import Any

import pytest

from medxfer import errors
from medxfer.data import ham10000


@pytest.fixture
def folder(phantoms: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
  """A copy that a test may damage."""
  return shutil.copytree(phantoms, tmp_path / 'ham')


def _edit(folder: pathlib.Path, change: Callable[..., Any]) -> None:
  path = folder / ham10000.METADATA
  lines = path.read_text().splitlines()
  path.write_text('\n'.join(change(lines)) + '\n')


def _replace(row: Any, column: int, value: Any) -> Any:
  """Returns a change of one value; row 1 is the first after the header."""

  def change(lines: list) -> list:
    values = lines[row].split(',')
    values[lines[0].split(',').index(column)] = value
    return [*lines[:row], ','.join(values), *lines[row + 1 :]]

  return change


def test_the_table_is_whole_and_sorted(phantoms: pathlib.Path) -> None:
  """Ids, labels, groups and metadata belong to one another."""
  examples = ham10000.read(phantoms)
  rows = (phantoms / ham10000.METADATA).read_text().splitlines()[1:]
  expected = sorted(row.split(',')[1::-1] + row.split(',')[2:3] for row in rows)
  found = [
      [i, g, examples.class_names[label]]
      for i, g, label in zip(
          examples.image_ids, examples.groups, examples.labels
      )
  ]
  assert found == expected
  assert all(p.stem == i for p, i in zip(examples.paths, examples.image_ids))
  assert set(examples.columns) == {'dx_type', 'age', 'sex', 'localization'}


def test_one_folder_of_images_is_read_as_well(folder: pathlib.Path) -> None:
  """Some copies hold all images in images/."""
  parts = ham10000.read(folder)
  (folder / 'images').mkdir()
  for path in folder.glob('HAM10000_images_part_*/*.jpg'):
    path.rename(folder / 'images' / path.name)
  assert ham10000.read(folder).image_ids == parts.image_ids


@pytest.mark.parametrize(
    'change, message',
    [
        (
            lambda lines: [lines[0].replace('lesion_id', 'lesion'), *lines[1:]],
            'no column lesion_id',
        ),
        (lambda lines: lines[:1], 'no rows'),
        (lambda lines: [*lines, lines[1]], 'stands in the table twice'),
        (_replace(1, 'dx', 'acne'), "row 2: dx 'acne' is no diagnosis"),
        (_replace(2, 'image_id', '../secret'), "row 3: image_id '../secret'"),
        (_replace(2, 'image_id', '/etc/passwd'), 'is not a plain name'),
        (_replace(2, 'image_id', ''), 'is not a plain name'),
        (_replace(3, 'lesion_id', ''), 'row 4: lesion_id is empty'),
        (
            _replace(1, 'image_id', 'ISIC_9999999'),
            'there is no ISIC_9999999.jpg',
        ),
        (lambda lines: [*lines[:-1]], 'has no row in HAM10000_metadata.csv'),
        (lambda lines: [*lines, 'a,b'], 'too many or too few values'),
        (lambda lines: [*lines, lines[1] + ',x'], 'too many or too few values'),
    ],
)
def test_a_wrong_table_is_refused_by_row(
    folder: pathlib.Path, change: Callable[..., Any], message: str
) -> None:
  """A table that is guessed at gives wrong labels without a sound."""
  _edit(folder, change)
  with pytest.raises(errors.DataError, match=message):
    ham10000.read(folder)


def test_what_is_no_text_is_refused(folder: pathlib.Path) -> None:
  """A spreadsheet saved under the table's name is a common slip."""
  (folder / ham10000.METADATA).write_bytes(b'PK\x03\x04\xff\xfe\x00')
  with pytest.raises(errors.DataError, match='not a CSV table'):
    ham10000.read(folder)


@pytest.mark.parametrize(
    'remove, message',
    [
        ('', 'no such folder'),
        (ham10000.METADATA, 'no such file'),
        ('HAM10000_images_part_1', 'there is no ISIC_'),
    ],
)
def test_what_is_missing_is_named_with_the_way_out(
    folder: pathlib.Path, remove: str, message: str
) -> None:
  """A newcomer's first error must say where the data is had."""
  path = folder / remove if remove else folder
  shutil.rmtree(path) if path.is_dir() else path.unlink()
  with pytest.raises(errors.DataError, match=message):
    ham10000.read(folder)


def test_an_empty_folder_names_download_and_phantom(
    tmp_path: pathlib.Path,
) -> None:
  """The way out is part of the message."""
  with pytest.raises(errors.DataError, match='medxfer download.*phantom'):
    ham10000.read(tmp_path)


def test_an_image_that_is_there_twice(folder: pathlib.Path) -> None:
  """Kaggle's copy holds each twice; which of two that differ is meant is
  nobody's guess."""
  before = ham10000.read(folder)
  path = sorted(folder.glob('HAM10000_images_part_1/*.jpg'))[0]
  copy = folder / 'HAM10000_images_part_2' / path.name
  shutil.copy(path, copy)
  shutil.copy(path, path.with_name(f'{path.stem} (1).jpg'))
  examples = ham10000.read(folder)
  assert examples.paths == before.paths
  assert set(examples.left_out) == {
      f'HAM10000_images_part_1/{path.stem} (1).jpg',
      f'HAM10000_images_part_2/{path.name}',
  }
  copy.write_bytes(path.read_bytes() + b' ')
  with pytest.raises(errors.DataError, match='of that name is also at'):
    ham10000.read(folder)


def test_skip_leaves_out_and_lists(folder: pathlib.Path) -> None:
  """With `skip` the study goes on, but says what it lacks."""
  paths = sorted(folder.glob('HAM10000_images_part_1/*.jpg'))
  paths[0].unlink()
  paths[1].write_bytes(b'')
  with pytest.raises(errors.DataError, match='on_bad_image=skip'):
    ham10000.read(folder)
  examples = ham10000.read(folder, on_bad_image='skip')
  assert set(examples.skipped) == {paths[0].stem, paths[1].stem}
  assert not set(examples.skipped) & set(examples.image_ids)


def test_the_real_table(real_ham: Any) -> None:
  """FACTS of the public release: counts of images, lesions, classes."""
  examples = ham10000.read(real_ham)
  assert (len(examples), len(set(examples.groups))) == (10015, 7470)
  counts = dict(
      zip(examples.class_names, map(list(examples.labels).count, range(7)))
  )
  assert counts == {
      'akiec': 327,
      'bcc': 514,
      'bkl': 1099,
      'df': 115,
      'mel': 1113,
      'nv': 6705,
      'vasc': 142,
  }
