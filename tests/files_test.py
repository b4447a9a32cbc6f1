"""Protects names: what is no text is written so that it can be told."""

import os
import pathlib
import re

import pytest

from medxfer import files


def _back(text: str) -> bytes:
  """Reads a name as the documentation of `name_of` says."""
  return re.sub(
      rb'\\x([0-9a-f]{2})',
      lambda m: bytes.fromhex(m[1].decode()),
      text.encode(),
  )


@pytest.mark.parametrize(
    'name, written',
    [
        (b'plain.jpg', 'plain.jpg'),
        (b'M\xfcller.jpg', r'M\xfcller.jpg'),
        (rb'M\xfcller.jpg', r'M\x5cxfcller.jpg'),
        ('黑.jpg'.encode(), '黑.jpg'),
        (rb'a\b', r'a\b'),
        (b'\xff\xfe', r'\xff\xfe'),
        (b'a\\\xfc', r'a\\xfc'),
    ],
)
def test_every_name_is_written_and_can_be_told(
    name: bytes, written: str
) -> None:
  """Two names never become one row."""
  found = files.name_of(pathlib.Path(os.fsdecode(name)))
  assert found == written
  assert _back(found) == name


def test_a_text_file_takes_what_is_no_text(tmp_path: pathlib.Path) -> None:
  """After hours of work, a name must not be what stops the table."""
  files.write_table(
      tmp_path / 't.csv', ['image'], [['M\udcfcller'], ['\ud800']]
  )
  assert (tmp_path / 't.csv').read_text(encoding='utf-8') == (
      'image\nM\\xfcller\n\\ud800\n'
  )
