"""Tables of text as people have them: from Excel, Dataverse, an old Mac.

Commas, semicolons, tabs or bars; UTF-8 with or without a mark, UTF-16 with
one; any line ends. All are told from the file itself.
"""

import csv
import io
import pathlib
from typing import Any

from medxfer import errors

# Column -> value; see `read` for None.
Row = dict[Any, Any]
_MARKS = {
    b'\xef\xbb\xbf': 'utf-8-sig',
    b'\xff\xfe': 'utf-16',
    b'\xfe\xff': 'utf-16',
}
_DELIMITERS = ',;\t|'
_SAVE = 'save it as CSV in UTF-8'


def read(path: pathlib.Path) -> tuple[tuple[str, ...], list[tuple[int, Row]]]:
  """Reads a table whose first row names its columns.

  Returns:
    The names, and (row, values by name) of every row that is not empty, rows
    numbered as in a spreadsheet. As in `csv.DictReader`, a value is None where
    the row is too short, and the key None holds what is too many.

  Raises:
    DataError: the file cannot be read, or is no table of text.
  """
  try:
    text = _text(path.read_bytes())
    lines = io.StringIO(text, newline=None)
    # Excel's own way to name the delimiter.
    if not text.startswith('sep='):
      head = lines.readline()
      lines.seek(0)
    else:
      lines.readline()
      position = lines.tell()
      head = lines.readline()
      lines.seek(position)
    reader = csv.DictReader(
        lines, strict=True, delimiter=max(_DELIMITERS, key=head.count)
    )
    names = tuple(name.strip() for name in reader.fieldnames or ())
    reader.fieldnames = names
    rows = [(reader.line_num, row) for row in reader]
  except OSError as error:
    raise errors.DataError(
        f'{path}: cannot be read ({error.strerror})'
    ) from error
  except (csv.Error, ValueError) as error:
    raise errors.DataError(
        f'{path}: not a CSV table in UTF-8 ({error}); {_SAVE}'
    ) from error
  return names, [(number, row) for number, row in rows if any(row.values())]


def _text(data: bytes) -> str:
  """Decodes a file; a ValueError says why it is no text."""
  if data.startswith(b'PK'):
    raise ValueError('it is a spreadsheet or an archive')
  encoding = next(
      (name for mark, name in _MARKS.items() if data.startswith(mark)), 'utf-8'
  )
  text = data.decode(encoding)
  if '\0' in text:
    raise ValueError('it holds bytes that are no text')
  return text
