"""The download of HAM10000, against a server on this machine only."""

from collections.abc import Iterator
import io
import pathlib
import stat
import zipfile

import pytest

from medxfer import errors
from medxfer.data import archives
from medxfer.data import download
from medxfer.data import ham10000
from medxfer.data import http_files
from tests.data import publishing

_FAST = http_files.Patience(attempts=3, timeout=5.0, pause=0.0)
_HEADER = 'lesion_id,image_id,dx,dx_type,age,sex,localization,dataset'
_ROWS = [
    'HAM_0000000,ISIC_0024306,nv,histo,45.0,male,back,a',
    'HAM_0000001,ISIC_0024307,mel,histo,,female,face,b',
]
_TABLE = '\n'.join([_HEADER, *_ROWS, '']).encode()


def _jpeg(number: int) -> bytes:
  return b'\xff\xd8\xff' + bytes([number]) * 40_000 + b'\xff\xd9'


def _zip(members: dict[str, bytes], links: tuple[str, ...] = ()) -> bytes:
  buffer = io.BytesIO()
  with zipfile.ZipFile(buffer, 'w') as file:
    for name, content in members.items():
      info = zipfile.ZipInfo(name)
      if name in links:
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
      file.writestr(info, content)
  return buffer.getvalue()


@pytest.fixture(name='publisher')
def _publisher() -> Iterator[publishing.Publisher]:
  files = {
      'HAM10000_images_part_1.zip': _zip({'ISIC_0024306.jpg': _jpeg(1)}),
      'HAM10000_images_part_2.zip': _zip({'ISIC_0024307.jpg': _jpeg(2)}),
      'HAM10000_metadata.csv': _TABLE,
      'HAM10000_segmentations_lesion_tschandl.zip': b'not asked for',
  }
  with publishing.serving(publishing.Publisher(files)) as publisher:
    yield publisher


def _get(publisher: publishing.Publisher, output: pathlib.Path) -> list[str]:
  said = []
  plan = download.plan(publisher.url, patience=_FAST)
  download.fetch(plan, output, log=said.append, patience=_FAST)
  return said


def _refused(
    publisher: publishing.Publisher, output: pathlib.Path, match: str
) -> str:
  """Downloads in vain; neither the output nor a staging folder is left."""
  with pytest.raises(errors.DataError, match=match) as caught:
    _get(publisher, output)
  left = {path.name for path in output.parent.iterdir()}
  assert left <= {f'{output.name}.partial'}
  return str(caught.value)


def test_good_download_is_readable(
    publisher: publishing.Publisher, tmp_path: pathlib.Path
) -> None:
  """What arrives is HAM10000's layout, byte for byte, and nothing else."""
  _get(publisher, tmp_path / 'ham')
  assert [path.name for path in tmp_path.iterdir()] == ['ham']
  image = tmp_path / 'ham/HAM10000_images_part_2/ISIC_0024307.jpg'
  assert image.read_bytes() == _jpeg(2)
  assert (tmp_path / 'ham/HAM10000_metadata.csv').read_bytes() == _TABLE
  assert ham10000.read(tmp_path / 'ham').image_ids == (
      'ISIC_0024306',
      'ISIC_0024307',
  )


def test_plan_says_what_from_where_how_much(
    publisher: publishing.Publisher,
) -> None:
  """A user reads sizes, address and licence before anything is fetched."""
  text = download.plan(publisher.url, patience=_FAST).describe()
  size = sum(map(len, list(publisher.files.values())[:3]))
  for part in (publisher.url, f'{size:,} bytes', 'CC BY-NC 4.0', 'md5'):
    assert part in text
  assert len(publisher.requests) == 1


def test_wrong_checksum_is_discarded(
    publisher: publishing.Publisher, tmp_path: pathlib.Path
) -> None:
  """Bytes that were not announced are never unpacked, nor resumed."""
  publisher.extra['HAM10000_images_part_1.zip'] = {
      'checksum': {'type': 'MD5', 'value': '0' * 32}
  }
  _refused(publisher, tmp_path / 'ham', 'part_1.zip has md5')
  names = {path.name for path in (tmp_path / 'ham.partial').iterdir()}
  assert names == {'HAM10000_metadata.csv'}


def test_larger_than_announced_is_cut_off(
    publisher: publishing.Publisher, tmp_path: pathlib.Path
) -> None:
  """A server cannot fill the disk."""
  publisher.extra['HAM10000_images_part_1.zip'] = {'filesize': 1000}
  _refused(publisher, tmp_path / 'ham', 'larger than the 1000 bytes')


def test_smaller_than_announced_is_refused(
    publisher: publishing.Publisher, tmp_path: pathlib.Path
) -> None:
  """A file that ends early on every attempt is not taken for whole."""
  publisher.extra['HAM10000_images_part_1.zip'] = {'filesize': 10**6}
  said = _refused(publisher, tmp_path / 'ham', 'attempt 3 of 3')
  assert 'run again' in said


def test_truncated_answer_is_resumed(
    publisher: publishing.Publisher, tmp_path: pathlib.Path
) -> None:
  """A connection that breaks costs the rest only, within one run."""
  publisher.cut['HAM10000_images_part_1.zip'] = 10_000
  _get(publisher, tmp_path / 'ham')
  asked = [span for path, span in publisher.requests if path.endswith('/0')]
  assert asked == [None, 'bytes=10000-']


def test_part_of_an_earlier_run_is_resumed(
    publisher: publishing.Publisher, tmp_path: pathlib.Path
) -> None:
  """An interrupted download goes on when the command is run again."""
  part = tmp_path / 'ham.partial/HAM10000_images_part_2.zip.part'
  part.parent.mkdir()
  part.write_bytes(publisher.files['HAM10000_images_part_2.zip'][:777])
  _get(publisher, tmp_path / 'ham')
  assert ('/api/access/datafile/1', 'bytes=777-') in publisher.requests
  assert not part.parent.exists()


def test_part_of_another_file_is_found_out(
    publisher: publishing.Publisher, tmp_path: pathlib.Path
) -> None:
  """Resuming over foreign bytes ends at the checksum; the next run works."""
  part = tmp_path / 'ham.partial/HAM10000_images_part_2.zip.part'
  part.parent.mkdir()
  part.write_bytes(b'?' * 777)
  _refused(publisher, tmp_path / 'ham', 'part_2.zip has md5')
  _get(publisher, tmp_path / 'ham')


def test_verified_files_are_not_fetched_twice(
    publisher: publishing.Publisher, tmp_path: pathlib.Path
) -> None:
  """A failure at the second archive does not cost the first again."""
  publisher.failures['1'] = 3
  _refused(publisher, tmp_path / 'ham', '503')
  publisher.requests.clear()
  _get(publisher, tmp_path / 'ham')
  paths = [path for path, _ in publisher.requests]
  assert '/api/access/datafile/0' not in paths


def test_passing_server_error_is_retried(
    publisher: publishing.Publisher, tmp_path: pathlib.Path
) -> None:
  """One 503 does not end a download of hours."""
  publisher.failures['0'] = 1
  _get(publisher, tmp_path / 'ham')


def test_server_that_is_gone_is_named(tmp_path: pathlib.Path) -> None:
  """No server: one message with the address and the way out."""
  with pytest.raises(errors.DataError, match='127.0.0.1:9.*--base_url'):
    download.plan('http://127.0.0.1:9', patience=_FAST)


@pytest.mark.parametrize('url', ['file:///etc', 'ftp://host', 'host', ''])
def test_only_http_addresses(url: str) -> None:
  """--base_url cannot be made to read local files."""
  with pytest.raises(errors.UsageError, match='https://'):
    download.plan(url)


@pytest.mark.parametrize('to', ['http://example.com/x', 'file:///etc/passwd'])
def test_redirect_to_other_than_https_is_refused(
    publisher: publishing.Publisher, tmp_path: pathlib.Path, to: str
) -> None:
  """A server cannot send the download out of https, or to local files."""
  publisher.redirect = to
  _refused(publisher, tmp_path / 'ham', 'not https|not allowed')


def test_listing_without_checksum_is_refused(
    publisher: publishing.Publisher, tmp_path: pathlib.Path
) -> None:
  """What cannot be verified is not fetched."""
  publisher.extra['HAM10000_images_part_2.zip'] = {
      'checksum': None,
      'md5': None,
  }
  _refused(publisher, tmp_path / 'ham', 'part_2.zip without')
  assert len(publisher.requests) == 1


def test_listing_without_a_file_is_refused(
    publisher: publishing.Publisher, tmp_path: pathlib.Path
) -> None:
  """A moved or renamed file is named, with where to get it by hand."""
  del publisher.files['HAM10000_images_part_2.zip']
  _refused(publisher, tmp_path / 'ham', 'no HAM10000_images_part_2.zip.*doi')


def test_answer_that_is_no_listing_is_refused(
    publisher: publishing.Publisher,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
  """A login page instead of JSON is no traceback."""
  monkeypatch.setattr(publisher, 'listing', lambda: b'<html>')
  _refused(publisher, tmp_path / 'ham', 'not the listing')


@pytest.mark.parametrize('name', ['HAM10000_metadata.tab', 'HAM10000_metadata'])
@pytest.mark.parametrize('quote', ['', '"'])
def test_table_with_tabs_becomes_commas(
    publisher: publishing.Publisher,
    tmp_path: pathlib.Path,
    name: str,
    quote: str,
) -> None:
  """Whatever the ingest made of the table, a comma-separated one results."""
  lines = [_HEADER.split(',')] + [
      [f'{quote}{cell}{quote}' for cell in row.split(',')] for row in _ROWS
  ]
  del publisher.files['HAM10000_metadata.csv']
  publisher.files[name] = '\n'.join(map('\t'.join, lines)).encode()
  _get(publisher, tmp_path / 'ham')
  assert (tmp_path / 'ham/HAM10000_metadata.csv').read_bytes() == _TABLE


def test_ingested_table_is_fetched_as_uploaded(
    publisher: publishing.Publisher, tmp_path: pathlib.Path
) -> None:
  """Its checksum is that of the upload, its size that of the conversion."""
  publisher.files['HAM10000_metadata.tab'] = publisher.files.pop(
      'HAM10000_metadata.csv'
  )
  publisher.extra['HAM10000_metadata.tab'] = {
      'originalFileFormat': 'text/csv',
      'filesize': 5,
  }
  _get(publisher, tmp_path / 'ham')
  paths = [path for path, _ in publisher.requests]
  assert '/api/access/datafile/3?format=original' in paths


@pytest.mark.parametrize(
    'name', ['../ISIC_0024306.jpg', '/ISIC_0024306.jpg', 'a\\..\\b.jpg']
)
def test_member_that_points_outside_is_refused(
    publisher: publishing.Publisher, tmp_path: pathlib.Path, name: str
) -> None:
  """An archive writes nowhere but into its folder."""
  publisher.files['HAM10000_images_part_1.zip'] = _zip({name: _jpeg(1)})
  _refused(publisher, tmp_path / 'ham', 'points outside')
  assert not list(tmp_path.rglob('*.jpg'))


def test_link_in_archive_is_refused(
    publisher: publishing.Publisher, tmp_path: pathlib.Path
) -> None:
  """A symbolic link named like an image reads nothing of the user's."""
  publisher.files['HAM10000_images_part_1.zip'] = _zip(
      {'ISIC_0024306.jpg': b'/etc/passwd'}, links=('ISIC_0024306.jpg',)
  )
  _refused(publisher, tmp_path / 'ham', 'link')


def test_unexpected_members_are_left_out_and_said(
    publisher: publishing.Publisher, tmp_path: pathlib.Path
) -> None:
  """Only images are unpacked, without the archive's own folders."""
  publisher.files['HAM10000_images_part_1.zip'] = _zip(
      {
          'HAM10000_images_part_1/': b'',
          'HAM10000_images_part_1/ISIC_0024306.jpg': _jpeg(1),
          '__MACOSX/._ISIC_0024306.jpg': b'?',
          'run.sh': b'?',
      }
  )
  said = _get(publisher, tmp_path / 'ham')
  files = [path.name for path in (tmp_path / 'ham').rglob('*.*')]
  assert sorted(files) == [
      'HAM10000_metadata.csv',
      'ISIC_0024306.jpg',
      'ISIC_0024307.jpg',
  ]
  assert any('left out 2 other members' in line for line in said)


@pytest.mark.parametrize(
    'limit, match',
    [
        ('_MOST_MEMBERS', '1 members'),
        ('_MOST_BYTES', 'too many bytes'),
        ('_MOST_MEMBER_BYTES', 'too many bytes'),
    ],
)
def test_archive_bomb_is_refused(
    publisher: publishing.Publisher,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    match: str,
) -> None:
  """Count and uncompressed bytes are bounded before they are written."""
  monkeypatch.setattr(archives, limit, 0)
  _refused(publisher, tmp_path / 'ham', match)


@pytest.mark.parametrize(
    'content, match',
    [
        (b'no zip', 'part_1.zip: damaged .* Delete it'),
        (_zip({'ISIC_0024306.jpg': b'?'}), 'part_1.zip holds .* no JPEG'),
    ],
)
def test_archive_that_holds_no_images_is_refused(
    publisher: publishing.Publisher,
    tmp_path: pathlib.Path,
    content: bytes,
    match: str,
) -> None:
  """A verified checksum does not make a file an image archive."""
  publisher.files['HAM10000_images_part_1.zip'] = content
  _refused(publisher, tmp_path / 'ham', match)


def test_row_without_image_is_refused(
    publisher: publishing.Publisher, tmp_path: pathlib.Path
) -> None:
  """Table and images must match before the data set appears."""
  publisher.files['HAM10000_images_part_2.zip'] = _zip({})
  _refused(publisher, tmp_path / 'ham', '2 rows for 1 images, ISIC_0024307')


def test_full_folder_is_left_alone(
    publisher: publishing.Publisher, tmp_path: pathlib.Path
) -> None:
  """A download never mixes with, or replaces, what a user has."""
  (tmp_path / 'keep').write_text('mine')
  plan = download.plan(publisher.url, patience=_FAST)
  with pytest.raises(errors.UsageError, match='not empty'):
    download.fetch(plan, tmp_path, patience=_FAST)
  assert len(publisher.requests) == 1
