"""HAM10000 in the layout of its public download.

Tschandl, Rosendahl and Kittler, 'The HAM10000 dataset' (Scientific Data 5,
180161, 2018), doi:10.7910/DVN/DBW86T, CC BY-NC 4.0:

    DIR/HAM10000_metadata.csv
    DIR/HAM10000_images_part_1/ISIC_0024306.jpg ...
    DIR/HAM10000_images_part_2/...       (or all images in DIR/images/)

Copies of it are laid out otherwise: the table as .tab or without a suffix,
folders in folders or of diagnoses, PNG files, the same image twice. Files are
found by their names wherever they lie below DIR.

Only the table and the folder listings are read here, and nothing heavy is
imported: a wrong folder is refused at once.
"""

from collections.abc import Mapping
from collections.abc import Set
import pathlib
import re

import numpy as np

from medxfer import errors
from medxfer.data import examples as examples_lib
from medxfer.data import file_kinds
from medxfer.data import listing
from medxfer.data import registry
from medxfer.data import tables
from medxfer.data import unused_files

NAME = 'ham10000'
CLASS_NAMES = ('akiec', 'bcc', 'bkl', 'df', 'mel', 'nv', 'vasc')
METADATA = 'HAM10000_metadata.csv'
COLUMNS = (
    'lesion_id',
    'image_id',
    'dx',
    'dx_type',
    'age',
    'sex',
    'localization',
)
# Later copies say which collection an image is of.
_SOURCE = 'dataset'
# Dataverse hands it out without a suffix, or as .tab.
_TABLE = re.compile(
    r'HAM10000_metadata(\.(csv|tab|tsv|txt|xlsx?|ods))?', re.IGNORECASE
)
_FOLDERS = ('HAM10000_images_part_1', 'HAM10000_images_part_2', 'images')
# An id becomes part of a file's path, so nothing that steers a path passes.
_IMAGE_ID = re.compile(r'[A-Za-z0-9][A-Za-z0-9_-]*')
_ISIC = re.compile(r'ISIC_\d+')
_WAY_OUT = (
    'get the data set with `python -m medxfer download --dataset=ham10000 '
    '--output=DIR`, name its folder with --config.data.dir=DIR or '
    '$MEDXFER_DATA/ham10000, or add the modifier `phantom` to run without it'
)


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
  found = listing.below(folder)
  left_out = dict(found.left_out)
  table = _table(folder, left_out)
  rows = _rows(table)
  files = _files(folder, found, {row['image_id'] for row in rows}, left_out)
  bad = _bad_images(folder, table, rows, files, found)
  ids = [row['image_id'] for row in rows]
  kept = set(examples_lib.good(folder, ids, bad, on_bad_image))
  rows = [row for row in rows if row['image_id'] in kept]
  columns = {name: name for name in COLUMNS[3:]}
  if _SOURCE in rows[0]:
    columns['source'] = _SOURCE
  index = {name: i for i, name in enumerate(CLASS_NAMES)}
  return examples_lib.Examples(
      name=NAME,
      class_names=CLASS_NAMES,
      image_ids=tuple(row['image_id'] for row in rows),
      paths=tuple(found.images[files[row['image_id']]] for row in rows),
      labels=np.array([index[row['dx']] for row in rows], np.int32),
      groups=tuple(row['lesion_id'] for row in rows),
      columns={
          name: tuple(row[column] for row in rows)
          for name, column in columns.items()
      },
      skipped=bad,
      left_out=left_out,
      pages={
          row['image_id']: found.pages[files[row['image_id']]]
          for row in rows
          if files[row['image_id']] in found.pages
      },
  )


def _table(folder: pathlib.Path, left_out: dict[str, str]) -> pathlib.Path:
  """Finds the table, whatever it is called, and takes it out of `left_out`."""
  names = [
      name for name in left_out if _TABLE.fullmatch(name.rpartition('/')[2])
  ]
  names.sort(key=lambda name: (name != METADATA, name.count('/'), name))
  if not names:
    raise errors.DataError(_no_table(folder, left_out))
  table = folder / names[0]
  if names[0] != METADATA:
    for other in names[1:]:
      if _rows(folder / other) != _rows(table):
        raise errors.DataError(
            f'{folder}: two tables that differ, {names[0]} and {other}; keep '
            'one'
        )
  del left_out[names[0]]
  return table


def _no_table(folder: pathlib.Path, left_out: Mapping[str, str]) -> str:
  """Returns words for a folder without a table."""
  if unused_files.packed(left_out):
    return (
        f'{folder / METADATA}: no such file, but archives are there: '
        f'{unused_files.packed(left_out)}'
    )
  tables = [name for name, why in left_out.items() if why == file_kinds.TABLE]
  if tables:
    return (
        f'{folder / METADATA}: no such file; {tables[0]} is another table. '
        f"HAM10000's is called {METADATA} (or .tab, or without a suffix), "
        f'has {",".join(COLUMNS)} and comes with the images; put it into '
        'the folder'
    )
  return f'{folder / METADATA}: no such file; {_WAY_OUT}'


def _rows(path: pathlib.Path) -> list[tables.Row]:
  """Returns the table's rows by image id, each checked."""
  names, rows = tables.read(path)
  missing = [c for c in COLUMNS if c not in names]
  if missing:
    raise errors.DataError(
        f'{path}: no column {", ".join(missing)}; the table of the public '
        f'download has {",".join(COLUMNS)}'
    )
  if not rows:
    raise errors.DataError(f'{path}: the table has no rows; {_WAY_OUT}')
  seen: set[str] = set()
  for number, row in rows:
    problem = _problem(row, seen)
    if problem:
      raise errors.DataError(f'{path}, row {number}: {problem}')
    seen.add(row['image_id'])
  return sorted((row for _, row in rows), key=lambda row: row['image_id'])


def _problem(row: tables.Row, seen: set[str]) -> str:
  """Returns what is wrong with a row, or ''."""
  if None in row or any(row[column] is None for column in COLUMNS):
    return 'too many or too few values; repair the row'
  if not _IMAGE_ID.fullmatch(row['image_id']):
    return (
        f'image_id {row["image_id"]!r} is not a plain name of letters, '
        'digits, _ and -; repair the row'
    )
  if row['image_id'] in seen:
    return (
        f'image_id {row["image_id"]} stands in the table twice; remove '
        'one, or the same image may both train and test the network'
    )
  if not row['lesion_id']:
    return 'lesion_id is empty; without it no split by lesion is possible'
  if row['dx'] not in CLASS_NAMES:
    return (
        f'dx {row["dx"]!r} is no diagnosis of HAM10000 '
        f'({", ".join(CLASS_NAMES)})'
    )
  return ''


def _files(
    folder: pathlib.Path,
    found: listing.Listing,
    ids: Set[str],
    left_out: dict[str, str],
) -> dict[str, str]:
  """Returns image id -> path below the folder, and fills `left_out`.

  The image that lies where the public download has it comes first; the same
  file in another place is left out.

  Raises:
    DataError: two files of one id differ, or there is no image.
  """
  if not found.images:
    way_out = unused_files.packed(left_out) or _WAY_OUT
    raise errors.DataError(
        f'{folder}: holds the table, but no image; {way_out}'
    )
  listing.say_twice(found.images)
  files: dict[str, str] = {}
  for name in sorted(found.images, key=_rank):
    stem = pathlib.PurePosixPath(name).stem
    original = files.get(stem) or files.get(file_kinds.numbered(stem))
    if original and listing.same_bytes(
        found.images[original], found.images[name]
    ):
      left_out[name] = file_kinds.COPY
    elif stem in files:
      raise errors.DataError(
          f'{folder / name}: another image of that name is also at '
          f'{folder / files[stem]}; keep one'
      )
    elif file_kinds.masked(stem) in ids:
      left_out[name] = file_kinds.MASK
    elif stem in ids or _ISIC.fullmatch(stem):
      files[stem] = name
    else:
      left_out[name] = file_kinds.NO_ROW
  return files


def _rank(name: str) -> tuple[bool, bool, str]:
  """Returns what sorts originals before what may be copies of them."""
  numbered = file_kinds.numbered(pathlib.PurePosixPath(name).stem)
  return name.split('/')[0] not in _FOLDERS, bool(numbered), name


def _bad_images(
    folder: pathlib.Path,
    table: pathlib.Path,
    rows: list[dict[str, str]],
    files: Mapping[str, str],
    found: listing.Listing,
) -> dict[str, str]:
  bad = {}
  for row in rows:
    name = files.get(row['image_id'])
    if name is None:
      bad[row['image_id']] = (
          f'{table.name} lists it, but there is no {row["image_id"]}.jpg (or '
          f'.png, ...) below {folder}'
      )
      if unused_files.packed(found.left_out):
        bad[row['image_id']] += f'; {unused_files.packed(found.left_out)}'
    elif name in found.bad:
      bad[row['image_id']] = found.bad[name]
  known = {row['image_id'] for row in rows}
  for image_id in sorted(files.keys() - known):
    bad[image_id] = (
        f'{folder / files[image_id]} has no row in {table.name}, so its '
        'diagnosis is unknown (the test images of ISIC 2018 have none)'
    )
  return bad


DATASET = registry.Dataset(
    name=NAME,
    title='HAM10000',
    description='10,015 dermatoscopic images of 7 kinds of skin lesion.',
    read=read,
    origin='`python -m medxfer download --dataset=ham10000` fetches it',
    group='lesion',
    group_column='lesion_id',
    source='source',
    subgroups=('dx_type', 'age', 'sex', 'localization'),
    phantom='ham10000',
    download='medxfer.data.download',
    recipe='ham',
    other='chest_xray',
    thesis_table='7.1',
)
