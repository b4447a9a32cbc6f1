"""The opt-in download of HAM10000 from its public repository.

Tschandl, 'The HAM10000 dataset', Harvard Dataverse, doi:10.7910/DVN/DBW86T,
licence CC BY-NC 4.0. File ids, sizes and checksums come from the repository's
own listing (Dataverse native API), never from this source: what is fetched is
what is published now, verified before anything is unpacked.
"""

from collections.abc import Callable
import csv
import dataclasses
import io
import json
import pathlib
import re
import shutil

from medxfer import errors
from medxfer import files
from medxfer.data import archives
from medxfer.data import ham10000
from medxfer.data import http_files

BASE_URL = 'https://dataverse.harvard.edu'
DOI = 'doi:10.7910/DVN/DBW86T'
LICENCE = 'CC BY-NC 4.0 (https://creativecommons.org/licenses/by-nc/4.0/)'

PARTS = ('HAM10000_images_part_1', 'HAM10000_images_part_2')
# The name has changed between the published versions.
_TABLE_NAMES = ('HAM10000_metadata', ham10000.METADATA, 'HAM10000_metadata.tab')
_ALGORITHMS = {
    'MD5': 'md5',
    'SHA-1': 'sha1',
    'SHA-256': 'sha256',
    'SHA-512': 'sha512',
}
_LISTING_LIMIT = 16 << 20
_BY_HAND = (
    f'get the files by hand from https://doi.org/{DOI.removeprefix("doi:")}'
)


@dataclasses.dataclass(frozen=True)
class Plan:
  """What a download would fetch.

  Attributes:
    base_url: the repository.
    table: HAM10000_metadata, with commas or tabs.
    archives: the image archives, in the order of `PARTS`.
  """

  base_url: str
  table: http_files.Source
  archives: tuple[http_files.Source, ...]

  @property
  def size(self) -> int:
    """Bytes to fetch, as far as the repository says."""
    return sum(item.size or 0 for item in (self.table, *self.archives))

  def describe(self) -> str:
    """Returns what is fetched, from where, how much, under which licence."""
    lines = [f'HAM10000 ({DOI}) from {self.base_url}:']
    for item in (*self.archives, self.table):
      size = 'size not said' if item.size is None else f'{item.size:,} bytes'
      lines.append(f'  {item.name}: {size}, {item.algorithm} {item.checksum}')
    lines.append(f'  in all {self.size:,} bytes')
    lines.append(f'Licence of the images: {LICENCE}')
    return '\n'.join(lines)


def plan(
    base_url: str = BASE_URL,
    *,
    patience: http_files.Patience = http_files.Patience(),
) -> Plan:
  """Asks the repository what it holds.

  Args:
    base_url: address of a Dataverse installation.
    patience: how long to try.

  Returns:
    Addresses, sizes and checksums; nothing is fetched yet.

  Raises:
    errors.UsageError: `base_url` is not an http(s) address.
    errors.DataError: the server fails, or its listing lacks a file, a size or
      a checksum.
  """
  base_url = http_files.check_url(base_url)
  url = f'{base_url}/api/datasets/:persistentId/?persistentId={DOI}'
  content = http_files.read(url, limit=_LISTING_LIMIT, patience=patience)
  try:
    entries = json.loads(content)['data']['latestVersion']['files']
    files = {entry['dataFile']['filename']: entry for entry in entries}
  except (ValueError, KeyError, TypeError) as error:
    raise errors.DataError(
        f'{url} is not the listing of a Dataverse data set; check --base_url'
        f' or {_BY_HAND}'
    ) from error
  tables = [name for name in _TABLE_NAMES if name in files]
  images = [f'{part}.zip' for part in PARTS]
  for name in (*images, *(tables or [ham10000.METADATA])):
    if name not in files:
      raise errors.DataError(
          f'{url} lists no {name}; the data set may have moved, {_BY_HAND}'
      )
  return Plan(
      base_url=base_url,
      table=_source(files[tables[0]], base_url),
      archives=tuple(_source(files[name], base_url) for name in images),
  )


def _source(entry: dict, base_url: str) -> http_files.Source:
  """Reads one entry of the listing."""
  file = entry['dataFile']
  name = file['filename']
  said = file.get('checksum') or {'type': 'MD5', 'value': file.get('md5')}
  try:
    address = f'{base_url}/api/access/datafile/{int(file["id"])}'
    # A table that Dataverse has converted: its checksum is that of the file
    # as it was uploaded, its size that of the conversion.
    if file.get('originalFileFormat'):
      address += '?format=original'
      size = file.get('originalFileSize')
      size = None if size is None else int(size)
    else:
      size = int(file['filesize'])
    algorithm = _ALGORITHMS[said['type'].upper()]
    checksum = said['value'].lower()
    if not re.fullmatch('[0-9a-f]{32,128}', checksum):
      raise ValueError(checksum)
  except (KeyError, TypeError, ValueError, AttributeError) as error:
    raise errors.DataError(
        f'{base_url} lists {name} without an id, a size or a checksum that'
        f' can be verified; nothing was fetched, {_BY_HAND}'
    ) from error
  if entry.get('restricted'):
    raise errors.DataError(f'{name} is restricted at {base_url}; {_BY_HAND}')
  return http_files.Source(name, address, size, algorithm, checksum)


def fetch(
    plan: Plan,
    output: pathlib.Path,
    *,
    log: Callable[[str], None] = print,
    patience: http_files.Patience = http_files.Patience(),
) -> None:
  """Fetches, verifies and unpacks HAM10000.

  Files arrive in OUTPUT.partial and are resumed from there; OUTPUT appears at
  the end, whole, and OUTPUT.partial goes.

  Args:
    plan: from `plan`.
    output: folder that is absent or empty.
    log: is told every step.
    patience: how long to try.

  Raises:
    errors.UsageError: `output` holds something.
    errors.DataError: a file cannot be fetched, is not what was announced, or
      holds something that an image archive should not.
  """
  output = pathlib.Path(output)
  files.check_free(output)
  partial = output.with_name(f'{output.name}.partial')
  try:
    partial.mkdir(parents=True, exist_ok=True)
    # JPEG files do not shrink in a zip: once packed, once unpacked.
    _check_space(partial, 2 * plan.size)
    paths = []
    for item in (plan.table, *plan.archives):
      log(f'fetching {item.name} from {item.url}')
      paths.append(http_files.fetch(item, partial, patience=patience))
    with files.staged_folder(output) as stage:
      for part, path in zip(PARTS, paths[1:], strict=True):
        log(f'unpacking {path.name}')
        skipped = archives.unpack_images(path, stage / part)
        if skipped:
          log(f'  left out {len(skipped)} other members, e.g. {skipped[0]}')
      write_table(paths[0], stage)
  except OSError as error:
    raise errors.DataError(
        f'{output} cannot be written ({error.strerror}); free some space or'
        ' name another folder. What was fetched is kept in'
        f' {partial}'
    ) from error
  shutil.rmtree(partial, ignore_errors=True)
  log(f'HAM10000 is in {output}')


def _check_space(folder: pathlib.Path, needed: int) -> None:
  free = shutil.disk_usage(folder).free
  if free < needed:
    raise errors.DataError(
        f'{folder} has {free:,} bytes free, {needed:,} are needed; free some'
        ' space or name a folder on another disk'
    )


def write_table(path: pathlib.Path, stage: pathlib.Path) -> None:
  """Writes HAM10000_metadata.csv, comma separated, beside unpacked images.

  Args:
    path: the table as published, with commas or tabs.
    stage: folder that holds `PARTS`; gets the table.

  Raises:
    errors.DataError: a column is missing, or rows and images do not match.
  """
  try:
    text = path.read_text(encoding='utf-8-sig')
    delimiter = '\t' if '\t' in text.split('\n', 1)[0] else ','
    reader = csv.DictReader(io.StringIO(text, newline=''), delimiter=delimiter)
    rows, columns = list(reader), reader.fieldnames or []
  except (UnicodeDecodeError, csv.Error) as error:
    raise errors.DataError(
        f'{path} is not a table ({error}); delete it and run again'
    ) from error
  missing = [name for name in ham10000.COLUMNS if name not in columns]
  named = [] if missing else [row['image_id'] for row in rows]
  found = {file.stem for part in PARTS for file in (stage / part).iterdir()}
  odd = sorted(found.symmetric_difference(map(str, named)))
  # csv marks a row that is too long or too short with None.
  ragged = any(None in row or None in row.values() for row in rows)
  if missing or odd or ragged or len(named) != len(found):
    reason = (
        f'no column {missing[0]}'
        if missing
        else (
            'rows of unequal length'
            if ragged
            else f'{len(named)} rows for {len(found)} images'
            + (f', {odd[0]} is in one only' if odd else '')
        )
    )
    raise errors.DataError(
        f'{path.name} has {reason}; delete {path} and run again, or'
        f' {_BY_HAND}'
    )
  target = stage / ham10000.METADATA
  with open(target, 'w', newline='', encoding='utf-8') as file:
    table = csv.DictWriter(file, columns, lineterminator='\n')
    table.writeheader()
    table.writerows(rows)
