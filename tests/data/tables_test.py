"""Protects the reading of tables as spreadsheets and hospitals write them."""

import pathlib
import sys

import pytest

from medxfer import errors
from medxfer.data import folders
from medxfer.data import tables

_TEXT = 'image,group\n1.png,"p, 1"\n2.png,肺\n'
_ROWS = [
    (2, {'image': '1.png', 'group': 'p, 1'}),
    (3, {'image': '2.png', 'group': '肺'}),
]


@pytest.mark.parametrize('delimiter', [',', ';', '\t', '|'])
@pytest.mark.parametrize('newline', ['\n', '\r\n', '\r'])
@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16'])
def test_every_usual_form_is_the_same_table(
    tmp_path: pathlib.Path, delimiter: str, newline: str, encoding: str
) -> None:
  """Excel in Europe, Dataverse and old Macs write what others cannot read."""
  text = (
      _TEXT.replace(',', delimiter)
      .replace(f'p{delimiter} 1', 'p, 1')
      .replace('\n', newline)
  )
  (tmp_path / 't').write_bytes(text.encode(encoding))
  assert tables.read(tmp_path / 't') == (('image', 'group'), _ROWS)


@pytest.mark.parametrize(
    'text',
    [
        'sep=;\nimage;group\n1.png;p\n',
        'image,group\n1.png,p\n\n,\n',
        ' image , group\n1.png,p',
    ],
)
def test_what_spreadsheets_add_is_no_row(
    tmp_path: pathlib.Path, text: str
) -> None:
  """Excel's line about the delimiter, and empty rows below the last one."""
  (tmp_path / 't').write_text(text)
  names, rows = tables.read(tmp_path / 't')
  assert names == ('image', 'group')
  assert [row for _, row in rows] == [{'image': '1.png', 'group': 'p'}]


@pytest.mark.parametrize(
    'content, message',
    [
        (b'PK\x03\x04', 'a spreadsheet or an archive.*save it as CSV'),
        (b'a,b\n\xff\xfe', 'not a CSV table in UTF-8'),
        (b'a\0b', 'bytes that are no text'),
        (b'a,b\n"x', 'not a CSV table'),
    ],
)
def test_what_is_no_table_is_refused(
    tmp_path: pathlib.Path, content: bytes, message: str
) -> None:
  """With the way out."""
  (tmp_path / 't').write_bytes(content)
  with pytest.raises(errors.DataError, match=message):
    tables.read(tmp_path / 't')


def test_rows_that_are_too_short_or_long_are_told(
    tmp_path: pathlib.Path,
) -> None:
  """The caller names the row; nothing is filled in."""
  (tmp_path / 't').write_text('a,b\n1\n1,2,3\n')
  assert tables.read(tmp_path / 't')[1] == [
      (2, {'a': '1', 'b': None}),
      (3, {'a': '1', 'b': '2', None: ['3']}),
  ]


def test_a_table_that_is_not_there_is_named(tmp_path: pathlib.Path) -> None:
  """As one line."""
  with pytest.raises(errors.DataError, match='cannot be read'):
    tables.read(tmp_path / 't')


def test_in_a_locale_without_utf_8_the_way_out_is_its_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
  """Names of files are read by it; there is nothing to rename."""
  name = pathlib.PurePath('\udce7\udc97\udca3')
  with pytest.raises(errors.DataError, match='rename it$'):
    folders.check_name(name)
  monkeypatch.setattr(sys, 'getfilesystemencoding', lambda: 'ascii')
  with pytest.raises(errors.DataError, match='set LC_ALL=C.UTF-8'):
    folders.check_name(name)
