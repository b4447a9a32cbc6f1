"""Files and folders that are there whole or not at all."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import csv
import io
import json
import os
import pathlib
import re
import secrets
import shutil
from typing import Any

from medxfer import errors

# Lone surrogates that stand for no byte of a file's name.
_NO_BYTES = re.compile('[\ud800-\udc7f\udd00-\udfff]')
_LIKE_ESCAPE = re.compile(r'\\(?=x[0-9a-f]{2})')
# Libraries hand whole paths to `glob`, or take some for URLs: in a folder
# `x[1]` Orbax saves what can never be restored, and JAX finds no trace.
_PLAIN = re.compile(r'(/(?!\.\.?/)[\w.+-][\w.+ -]*)+')
_OPEN_FILES = pathlib.Path('/proc/self/fd')


@contextlib.contextmanager
def plainly_named(path: pathlib.Path) -> Iterator[pathlib.Path]:
  """Yields a name of an absolute path that any library can deal with.

  Args:
    path: its folder must be there.

  Yields:
    `path`, or a name of the same that is good for this process and as long as
    the context is not left.
  """
  if _PLAIN.fullmatch(f'{path}'):
    yield path
    return
  folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
  try:
    yield _OPEN_FILES / f'{folder}' / path.name
  finally:
    os.close(folder)


def check_name(path: pathlib.Path) -> None:
  """Checks that `plainly_named` can do what it promises.

  Raises:
    DataError: this system has no second name for a folder like this.
  """
  if not _PLAIN.fullmatch(f'{path}') and not _OPEN_FILES.is_dir():
    raise errors.DataError(
        f'{path}: on a system without {_OPEN_FILES} this name may hold '
        'letters, digits, spaces and . _ + - alone; name another folder'
    )


def check_target(path: pathlib.Path, *, overwrite: bool) -> None:
  """Checks that a file may be written, before any work is done for it.

  Args:
    path: the file to write.
    overwrite: whether a file of that name may be replaced.

  Raises:
    UsageError: the file exists and may not be replaced, is a directory, or
      its folder does not exist.
  """
  if not path.parent.is_dir():
    raise errors.UsageError(f'{path}: its folder does not exist; create it')
  if path.is_dir():
    raise errors.UsageError(f'{path}: is a directory; name a file')
  if path.exists() and not overwrite:
    raise errors.UsageError(
        f'{path}: exists already; name another file or pass --overwrite'
    )


@contextlib.contextmanager
def replacing(path: pathlib.Path) -> Iterator[pathlib.Path]:
  """Yields a temporary name beside `path`, which takes its place at the end.

  Args:
    path: the file to write.

  Yields:
    The name to write to. If the body raises, that file is removed and `path`
    stays as it was.
  """
  temporary = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
  try:
    yield temporary
    with temporary.open('rb') as file:
      os.fsync(file.fileno())
    os.replace(temporary, path)
  finally:
    temporary.unlink(missing_ok=True)


def sweep(folder: pathlib.Path) -> None:
  """Removes what killed processes have left half-written in a folder.

  Only for whoever holds the folder alone: what another process is writing
  would go as well.
  """
  for path in folder.glob('.*.tmp'):
    if path.is_dir():
      shutil.rmtree(path)
    else:
      path.unlink()


def write_text(path: pathlib.Path, text: str) -> None:
  """Writes a text file in UTF-8; what is no text in it, as `text_of` does."""
  with replacing(path) as temporary:
    temporary.write_text(text_of(text), encoding='utf-8', newline='')


def text_of(text: str) -> str:
  r"""Returns a text in which what is none has become an escape.

  File systems take any bytes for a name, and Python reads those that are no
  text as lone surrogates: the byte FC becomes \xfc.
  """
  text = _NO_BYTES.sub(lambda found: f'\\u{ord(found[0]):04x}', text)
  return text.encode('utf-8', 'surrogateescape').decode(
      'utf-8', 'backslashreplace'
  )


def name_of(path: pathlib.Path) -> str:
  r"""Returns a path as text from which it can be told.

  As `text_of`; where a name looks like such an escape, its backslash is
  written as \x5c. Each \xNN is one byte of the name, all else stands for
  itself.
  """
  return text_of(_LIKE_ESCAPE.sub(r'\\x5c', os.fspath(path)))


def write_json(path: pathlib.Path, value: Any) -> None:
  """Writes JSON, indented; refuses NaN, which is no JSON."""
  write_text(path, json.dumps(value, indent=2, allow_nan=False) + '\n')


def mapping(path: pathlib.Path, value: Any) -> Mapping[str, Any]:
  """Returns an object of JSON.

  Raises:
    DataError: it is something else.
  """
  if not isinstance(value, Mapping):
    raise errors.DataError(f'{path}: holds {value!r:.40} in place of an object')
  return value


def parse_json(text: str | bytes) -> Any:
  """Parses JSON.

  Raises:
    ValueError: it is none, or lists in lists fill the stack.
  """
  try:
    return json.loads(text)
  except RecursionError:
    raise ValueError('it is nested too deeply') from None


def read_json(path: pathlib.Path) -> dict[str, Any]:
  """Reads a JSON file that holds an object.

  Raises:
    DataError: it is missing, no JSON, or something else than an object.
  """
  try:
    value = parse_json(path.read_bytes())
  except FileNotFoundError as error:
    raise errors.DataError(
        f'{path}: no such file; is {path.parent} the workdir of a run?'
    ) from error
  except ValueError as error:
    raise errors.DataError(f'{path}: damaged, not JSON ({error})') from error
  if not isinstance(value, dict):
    raise errors.DataError(
        f'{path}: damaged, {type(value).__name__} instead of a JSON object'
    )
  return value


def write_table(
    path: pathlib.Path, header: Iterable[str], rows: Iterable[Iterable[Any]]
) -> None:
  """Writes a CSV table with a header row."""
  text = io.StringIO()
  writer = csv.writer(text, lineterminator='\n')
  writer.writerow(header)
  writer.writerows(rows)
  write_text(path, text.getvalue())


def read_table(path: pathlib.Path) -> tuple[list[str], list[list[str]]]:
  """Returns the header and the rows of a CSV table.

  Raises:
    DataError: it is damaged.
  """
  try:
    text = path.read_text('utf-8')
    header, *rows = csv.reader(io.StringIO(text, newline=''), strict=True)
  except (ValueError, csv.Error) as error:
    raise errors.DataError(f'{path}: damaged, not CSV ({error})') from error
  return header, rows


def check_free(target: pathlib.Path) -> None:
  """Refuses a folder that would overwrite something.

  Raises:
    UsageError: `target` is a file or a folder that holds anything.
  """
  if target.is_dir():
    if any(target.iterdir()):
      raise errors.UsageError(
          f'{target} exists and is not empty; name a new folder or empty it'
      )
  elif target.exists() or target.is_symlink():
    raise errors.UsageError(f'{target} is not a folder; name a new folder')


@contextlib.contextmanager
def staged_folder(target: pathlib.Path) -> Iterator[pathlib.Path]:
  """Yields a new folder beside `target` that becomes `target` on success.

  Args:
    target: folder that is absent or empty; its parents are made.

  Yields:
    The temporary folder. It is removed on any failure.

  Raises:
    UsageError: `target` holds something, now or at the end.
    DataError: the folder cannot be made or renamed.
  """
  check_free(target)
  # mkdir, not mkdtemp: the finished folder keeps the user's usual rights.
  stage = target.with_name(
      f'.{target.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp'
  )
  try:
    target.parent.mkdir(parents=True, exist_ok=True)
    stage.mkdir()
  except OSError as error:
    raise errors.DataError(
        f'{target} cannot be made ({error.strerror}); name another folder'
    ) from error
  try:
    yield stage
    check_free(target)
    _rename(stage, target)
  finally:
    shutil.rmtree(stage, ignore_errors=True)


def _rename(stage: pathlib.Path, target: pathlib.Path) -> None:
  """Renames atomically; an empty target gives way, a full one does not."""
  try:
    if target.is_dir():
      target.rmdir()
    stage.rename(target)
  except OSError as error:
    check_free(target)
    raise errors.DataError(
        f'{target} cannot be made ({error.strerror}); name another folder'
    ) from error
