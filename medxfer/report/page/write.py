"""From a folder of runs to a folder with the report, whole or not at all."""

from collections.abc import Iterator
import contextlib
import pathlib
import secrets
import shutil

from medxfer import errors
from medxfer import files
from medxfer.explain import pictures
from medxfer.report.page import contents as contents_lib
from medxfer.report.page import html
from medxfer.report.page import render
from medxfer.report.read import collect

PAGE = 'index.html'
_TABLES, _FIGURES = 'tables', 'figures'
_MARK = f'<meta name="generator" content="{html.GENERATOR}">'
# The mark stands near the top of the page.
_HEAD = 2000


def report(
    root: pathlib.Path, output: pathlib.Path | None = None
) -> tuple[pathlib.Path, collect.Collection]:
  """Writes tables, figures and the page.

  Args:
    root: a workdir, a study, or any folder above some.
    output: the folder to write; `root`/report if None. An older report gives
      way, anything else does not.

  Returns:
    The page, and what it was made of.

  Raises:
    UsageError: there is no such folder, or `output` holds something else.
    DataError: no run can be reported, or `output` cannot be written.
  """
  if not root.is_dir():
    raise errors.UsageError(f'{root}: no such folder; give another --workdir')
  target = output or root / 'report'
  if not _is_report(target):
    files.check_free(target)  # Before any work is done for it.
  collection = collect.collect(root)
  contents = contents_lib.make(collection)
  with _placed(target) as stage:
    _write(stage, contents)
  return target / PAGE, collection


@contextlib.contextmanager
def _placed(target: pathlib.Path) -> Iterator[pathlib.Path]:
  """Yields a folder that becomes `target` on success."""
  if not _is_report(target):
    with files.staged_folder(target) as stage:
      yield stage
    return
  target = target.resolve()  # A link to a report stays a link.
  fresh, old = (
      target.with_name(f'.{target.name}.{secrets.token_hex(4)}.{state}')
      for state in ('new', 'old')
  )
  with files.staged_folder(fresh) as stage:
    yield stage
  target.rename(old)
  fresh.rename(target)
  shutil.rmtree(old, ignore_errors=True)


def _is_report(folder: pathlib.Path) -> bool:
  """Whether a folder holds a report and nothing else."""
  if not folder.is_dir():
    return False
  names = {path.name for path in folder.iterdir()}
  if PAGE not in names or names - {PAGE, _TABLES, _FIGURES}:
    return False
  with (folder / PAGE).open('rb') as file:
    return _MARK.encode() in file.read(_HEAD)


def _write(stage: pathlib.Path, contents: contents_lib.Contents) -> None:
  (stage / _TABLES).mkdir()
  (stage / _FIGURES).mkdir()
  for table in contents.tables():
    for suffix, text in (
        ('.md', render.markdown),
        ('.tex', render.latex),
        ('.csv', render.comma_separated),
    ):
      files.write_text(stage / _TABLES / f'{table.name}{suffix}', text(table))
  for chart in contents.charts():
    files.write_text(stage / _FIGURES / f'{chart.name}.svg', chart.svg)
  for picture in contents.explained.pictures:
    pictures.write(
        stage / _FIGURES / f'{picture.name}.png',
        pictures.tile(
            [tile.pixels for tile in picture.tiles],
            [tile.caption for tile in picture.tiles],
            columns=4,
        ),
    )
  files.write_text(stage / PAGE, html.html(contents))
