"""HAM10000 in the layout of its public download.

Tschandl, Rosendahl and Kittler, 'The HAM10000 dataset' (Scientific Data 5,
180161, 2018), doi:10.7910/DVN/DBW86T, CC BY-NC 4.0:

    DIR/HAM10000_metadata.csv
    DIR/HAM10000_images_part_1/ISIC_0024306.jpg ...
    DIR/HAM10000_images_part_2/...       (or all images in DIR/images/)

Only the table and the folder listings are read here, and nothing heavy is
imported: a wrong folder is refused at once.
"""

from collections.abc import Mapping
import csv
import pathlib
import re

import numpy as np

from medxfer import errors
from medxfer.data import examples as examples_lib

NAME = 'ham10000'
CLASS_NAMES = ('akiec', 'bcc', 'bkl', 'df', 'mel', 'nv', 'vasc')
METADATA = 'HAM10000_metadata.csv'
COLUMNS = (
    'lesion_id', 'image_id', 'dx', 'dx_type', 'age', 'sex', 'localization')
_FOLDERS = ('HAM10000_images_part_1', 'HAM10000_images_part_2', 'images')
# An id becomes part of a file's path, so nothing that steers a path passes.
_IMAGE_ID = re.compile(r'[A-Za-z0-9][A-Za-z0-9_-]*')
_WAY_OUT = (
    'get the data set with `python -m tools.download --dataset=ham10000 '
    '--output=DIR`, name its folder with --config.data.dir=DIR or '
    '$MEDXFER_DATA/ham10000, or add the modifier `phantom` to run without it')


def read(
    folder: pathlib.Path, *, on_bad_image: str = 'fail'
) -> examples_lib.Examples:
  """Reads the table and finds the images.

  Args:
    folder: the download's folder.
    on_bad_image: 'fail' raises at the first image that is missing, empty or
      without a row; 'skip' leaves it out and lists it in `skipped`.

  Raises:
    DataError: the folder, the table or an image is missing or wrong.
  """
  if not folder.is_dir():
    raise errors.DataError(f'{folder}: no such folder; {_WAY_OUT}')
  rows = _rows(folder / METADATA)
  files = _files(folder)
  bad = _bad_images(rows, files)
  examples_lib.refuse_bad(bad, on_bad_image)
  rows = [row for row in rows if row['image_id'] not in bad]
  if not rows:
    raise errors.DataError(f'{folder}: no image is left of the table')
  index = {name: i for i, name in enumerate(CLASS_NAMES)}
  return examples_lib.Examples(
      name=NAME,
      class_names=CLASS_NAMES,
      image_ids=tuple(row['image_id'] for row in rows),
      paths=tuple(files[row['image_id']] for row in rows),
      labels=np.array([index[row['dx']] for row in rows], np.int32),
      groups=tuple(row['lesion_id'] for row in rows),
      columns={c: tuple(row[c] for row in rows) for c in COLUMNS[3:]},
      skipped=bad,
  )


def _rows(path: pathlib.Path) -> list[dict[str, str]]:
  """Returns the table's rows by image id, each checked."""
  if not path.is_file():
    raise errors.DataError(f'{path}: no such file; {_WAY_OUT}')
  try:
    with path.open(newline='', encoding='utf-8-sig') as file:
      reader = csv.DictReader(file, strict=True)
      missing = [c for c in COLUMNS if c not in (reader.fieldnames or ())]
      if missing:
        raise errors.DataError(
            f'{path}: no column {", ".join(missing)}; the table of the public '
            f'download has {",".join(COLUMNS)}')
      rows = list(reader)
  except (csv.Error, UnicodeDecodeError) as error:
    raise errors.DataError(
        f'{path}: not a CSV table in UTF-8 ({error}); {_WAY_OUT}') from error
  if not rows:
    raise errors.DataError(f'{path}: the table has no rows; {_WAY_OUT}')
  seen: set[str] = set()
  for number, row in enumerate(rows, start=2):
    problem = _problem(row, seen)
    if problem:
      raise errors.DataError(f'{path}, row {number}: {problem}')
    seen.add(row['image_id'])
  return sorted(rows, key=lambda row: row['image_id'])


def _problem(row: Mapping[str, str | None], seen: set[str]) -> str:
  """Returns what is wrong with a row, or ''."""
  if None in row or any(row[column] is None for column in COLUMNS):
    return 'too many or too few values; repair the row'
  if not _IMAGE_ID.fullmatch(row['image_id']):
    return (f'image_id {row["image_id"]!r} is not a plain name of letters, '
            'digits, _ and -; repair the row')
  if row['image_id'] in seen:
    return (f'image_id {row["image_id"]} stands in the table twice; remove '
            'one, or the same image may both train and test the network')
  if not row['lesion_id']:
    return 'lesion_id is empty; without it no split by lesion is possible'
  if row['dx'] not in CLASS_NAMES:
    return (f'dx {row["dx"]!r} is no diagnosis of HAM10000 '
            f'({", ".join(CLASS_NAMES)})')
  return ''


def _files(folder: pathlib.Path) -> dict[str, pathlib.Path]:
  """Returns image id -> file, over the folders that are there."""
  files: dict[str, pathlib.Path] = {}
  for name in _FOLDERS:
    for path in sorted((folder / name).glob('*.jpg')):
      if path.stem in files:
        raise errors.DataError(
            f'{path}: the image is also at {files[path.stem]}; keep one')
      files[path.stem] = path
  if not files:
    raise errors.DataError(
        f'{folder}: no .jpg file in {", ".join(_FOLDERS)}; {_WAY_OUT}')
  return files


def _bad_images(
    rows: list[dict[str, str]], files: Mapping[str, pathlib.Path]
) -> dict[str, str]:
  bad = {}
  for row in rows:
    path = files.get(row['image_id'])
    if path is None:
      bad[row['image_id']] = (
          f'{METADATA} lists it, but there is no {row["image_id"]}.jpg in '
          f'{", ".join(_FOLDERS)}')
    elif not path.is_file() or path.stat().st_size == 0:
      bad[row['image_id']] = f'{path} is empty or not a file'
  known = {row['image_id'] for row in rows}
  for image_id in sorted(files.keys() - known):
    bad[image_id] = f'{files[image_id]} has no row in {METADATA}'
  return bad
