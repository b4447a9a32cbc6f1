"""Protects the table image,label[,group]: each row is an image, or refused."""

from collections.abc import Callable
import pathlib

from PIL import Image
import pytest

from medxfer import errors
from medxfer.data import labelled_table


@pytest.fixture
def table(tmp_path: pathlib.Path) -> Callable[[str], pathlib.Path]:
  """Writes a table beside four images."""
  (tmp_path / 'more').mkdir()
  for i, name in enumerate(('a.png', 'b.jpg', 'more/c.png', 'd [1].png')):
    Image.new('RGB', (40, 40), (50 * i, 0, 0)).save(tmp_path / name)

  def write(text: str) -> pathlib.Path:
    path = tmp_path / 'labels.csv'
    path.write_text(text)
    return path

  return write


def test_rows_are_images_with_labels_groups_and_columns(
    table: Callable[[str], pathlib.Path], tmp_path: pathlib.Path
) -> None:
  """Below the folder, by absolute path, or without a suffix."""
  found = labelled_table.read(
      table(
          'image;label;group;sex\na.png;mel;7;f\nmore/c;nv;7;\n'
          f'{tmp_path / "b.jpg"};nv;9;m\nd [1];mel;9;m\n'
      )
  )
  assert found.class_names == ('mel', 'nv')
  assert found.labels.tolist() == [0, 1, 1, 0]
  assert [path.name for path in found.paths] == [
      'a.png',
      'c.png',
      'b.jpg',
      'd [1].png',
  ]
  assert found.groups == ('7', '7', '9', '9') and found.groups_known
  assert found.columns == {'sex': ('f', '', 'm', 'm')}


def test_without_groups_nobody_says_what_belongs_together(
    table: Callable[[str], pathlib.Path],
) -> None:
  """Every image is a group of its own."""
  found = labelled_table.read(table('image,label\na.png,mel\nb.jpg,nv\n'))
  assert found.groups == ('a.png', 'b.jpg') and not found.groups_known


@pytest.mark.parametrize(
    'text, message',
    [
        ('image,dx\na.png,mel\n', 'no column label; the first row is'),
        ('a,b\nc,d\n', 'no column image and no column label'),
        ('image,label\n', 'no rows'),
        ('image,label\na.png,\n', "row 2: the image 'a.png' has no label"),
        ('image,label\n,mel\n', 'row 2: no image is named'),
        ('image,label\na.png,mel\na.png,nv\n', 'row 3.*has a row already'),
        ('image,label\na.png,mel,7\n', 'row 2: too many or too few'),
        ('image,label,group\na.png,mel,\n', "row 2: the group of 'a.png'"),
        ('image,label\na.png,mel\nz.png,nv\n', 'z.png: labels.csv lists it'),
        ('image,label\na.png,mel\nmore,nv\n', 'more: .*empty or not a file'),
        ('image,label\nlabels.csv,mel\n', 'not an image by its content'),
    ],
)
def test_a_wrong_table_is_refused(
    table: Callable[[str], pathlib.Path], text: str, message: str
) -> None:
  """With the row, or the image."""
  with pytest.raises(errors.DataError, match=message):
    labelled_table.read(table(text))


def test_bad_images_can_be_left_out(
    table: Callable[[str], pathlib.Path],
) -> None:
  """And are listed with the reason."""
  found = labelled_table.read(
      table('image,label\na.png,mel\nz.png,nv\n'), on_bad_image='skip'
  )
  assert found.image_ids == ('a.png',)
  assert 'there is no file' in found.skipped['z.png']
