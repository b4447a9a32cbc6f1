"""Protects the one rule of what is an image: nothing vanishes, no word less."""

import io
import os
import pathlib

from PIL import Image
import pytest

from medxfer.data import file_kinds
from medxfer.data import images
from medxfer.data import listing
from medxfer.data import unused_files

_APPLE_DOUBLE = bytes.fromhex('0005160700020000') + bytes(100)
_DICOM = bytes(128) + b'DICM' + bytes(200)


def _image(form: str = 'JPEG', pages: int = 1) -> bytes:
  stream = io.BytesIO()
  more = [Image.new('RGB', (8, 8), (9 * i + 9, 0, 0)) for i in range(pages - 1)]
  options = {'save_all': True, 'append_images': more} if more else {}
  Image.new('RGB', (8, 8)).save(stream, form, **options)
  return stream.getvalue()


_JPEG = _image()


def _fill(folder: pathlib.Path, files: dict) -> pathlib.Path:
  for name, content in files.items():
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
  return folder


@pytest.mark.parametrize(
    'form', ['JPEG', 'PNG', 'TIFF', 'BMP', 'GIF', 'WEBP', 'PPM', 'JPEG2000']
)
@pytest.mark.parametrize('suffix', ['', '.jfif', '.JPG', '.txt', '.2'])
def test_the_content_says_what_is_an_image(
    tmp_path: pathlib.Path, form: str, suffix: str
) -> None:
  """All that the reader reads, whatever a scanner called it."""
  _fill(tmp_path, {f'IM0001{suffix}': _image(form)})
  found = listing.below(tmp_path)
  assert list(found.images) == [f'IM0001{suffix}']
  assert not found.left_out and not found.bad and not found.pages
  assert images.read_rgb(*found.images.values()).shape == (8, 8, 3)


@pytest.mark.parametrize(
    'mode, form',
    [
        ('1', 'PPM'),
        ('L', 'PPM'),
        ('I;16', 'PNG'),
        ('CMYK', 'JPEG'),
        ('1', 'BMP'),
        ('P', 'BMP'),
        ('L', 'TIFF'),
        ('F', 'TIFF'),
        ('LA', 'PNG'),
    ],
)
def test_every_mode_of_a_format_is_known(mode: str, form: str) -> None:
  """Signatures vary within a format."""
  stream = io.BytesIO()
  Image.new(mode, (300, 8)).save(stream, form)
  assert file_kinds.of('x', stream.getvalue()[: file_kinds.HEAD]) == ''


@pytest.mark.parametrize(
    'head',
    [
        b'BMI,age\n21,80\nlong enough to be a header',
        b'P1,0.3\nP2,0.4\n',
        b'P2 was seen twice',
        b'II. Second part',
        b'GIF',
        b'RIFF1234WAVE',
    ],
)
def test_text_is_no_image(head: bytes) -> None:
  """A table whose first column is the BMI starts like a bitmap."""
  assert file_kinds.of('notes', head)


@pytest.mark.parametrize(
    'name',
    [
        '._x.jpg',
        '.DS_Store',
        '.x.jpg',
        '__MACOSX/._x.jpg',
        '__MACOSX/x.jpg',
        '.ipynb_checkpoints/x-checkpoint.jpg',
        '@eaDir/x.jpg/SYNOPHOTO_THUMB_M.jpg',
        'a/@eaDir/x.jpg/SYNOPHOTO_THUMB_XL.jpg',
        '#recycle/x.jpg',
        '@Recycle/x.jpg',
        '.@__thumb/x.jpg',
        'Icon\r',
        '.AppleDouble/x.jpg',
        '$RECYCLE.BIN/x.jpg',
        '$recycle.bin/S-1/x.jpg',
        'System Volume Information/x.jpg',
        'lost+found/x.jpg',
        '.thumbnails/x.png',
        '.Trash-1000/files/x.jpg',
        'Thumbs.db',
        'THUMBS.DB',
        'desktop.ini',
        'Desktop.ini',
        'x.jpg~',
        'SYNOPHOTO_THUMB_S.jpg',
        'x.jpg:Zone.Identifier',
        '__pycache__/x.jpg',
    ],
)
def test_what_systems_leave_is_left_out_and_counted(
    tmp_path: pathlib.Path, name: str
) -> None:
  """A thumbnail is a copy of an image; AppleDouble is none at all."""
  _fill(tmp_path, {name: _JPEG, 'a/1.jpg': _JPEG})
  found = listing.below(tmp_path)
  assert list(found.images) == ['a/1.jpg']
  assert found.left_out == {name: file_kinds.SYSTEM} and not found.bad
  assert 'left out: 1 file: 1 hidden or system file (' in unused_files.said(
      found.left_out
  )


def test_a_folder_that_is_hidden_itself_may_be_read(
    tmp_path: pathlib.Path,
) -> None:
  """Only what lies below counts: data may be kept in ~/.data."""
  _fill(tmp_path / '.data', {'1.jpg': _JPEG})
  assert list(listing.below(tmp_path / '.data').images) == ['1.jpg']


def test_version_control_is_one_entry(tmp_path: pathlib.Path) -> None:
  """git-annex keeps every image once more, by the thousand."""
  _fill(
      tmp_path,
      {'.git/annex/1.jpg': _JPEG, '.git/HEAD': b'ref', 'a/1.jpg': _JPEG},
  )
  assert listing.below(tmp_path).left_out == {'.git/': file_kinds.VERSIONS}


@pytest.mark.parametrize(
    'name, content, reason',
    [
        ('report.dcm', _DICOM, file_kinds.NO_PIXELS),
        ('IM0001', _DICOM, file_kinds.NO_PIXELS),
        ('IM2', b'\x08\0\x05\0CS\x0a\0ISO_IR 100', file_kinds.OLD_DICOM),
        ('x.DCM', b'damaged', file_kinds.OLD_DICOM),
        ('brain.nii.gz', b'\x1f\x8b\x08', 'NIfTI or Analyze volume'),
        ('brain.nii', bytes(344) + b'n+1\0', 'NIfTI or Analyze volume'),
        ('scan', bytes(344) + b'n+1\0', 'NIfTI or Analyze volume'),
        ('x.zip', b'PK\x03\x04', 'ZIP archive'),
        ('y', b'PK\x03\x04', 'ZIP archive'),
        ('x.tar.gz', b'\x1f\x8b\x08', 'archive'),
        ('x.rar', b'Rar!\x1a', 'archive'),
        ('report.pdf', b'%PDF-1.4', 'PDF'),
        ('x.mp4', b'\0\0\0 ftypisom', 'video'),
        ('us', b'RIFF1234AVI LIST', 'video'),
        ('labels.csv', b'a,b', 'table'),
        ('l.xlsx', b'PK\x03\x04', 'table'),
        ('l.CSV', b'BMI,b', 'table'),
        ('x.heic', b'\0\0\0 ftypheic', 'HEIC or AVIF picture'),
        ('x', b'\0\0\0 ftypavif', 'HEIC or AVIF picture'),
        ('x.cr2', b'II*\0\x10\0\0\0CR\x02', 'camera RAW picture'),
        ('x.NEF', _image('TIFF'), 'camera RAW picture'),
        ('x.svs', _image('TIFF'), 'whole-slide image'),
        ('x.psd', b'8BPS', 'picture of a kind that is not read'),
        ('x.npy', b'\x93NUMPY', 'array'),
        ('1.jpg.part', _JPEG, file_kinds.UNFINISHED),
        ('1.jpg.crdownload', _JPEG, file_kinds.UNFINISHED),
        ('README', b'Read me', 'text'),
        ('a.xml', b'<annotation>', 'text'),
        ('x.bin', b'\1\2\3', file_kinds.UNKNOWN),
        ('none', b'', file_kinds.EMPTY),
        ('stem', _APPLE_DOUBLE, file_kinds.SYSTEM),
        ('x.jpg', _APPLE_DOUBLE, file_kinds.SYSTEM),
    ],
)
def test_what_is_known_but_not_read_is_named(
    tmp_path: pathlib.Path, name: str, content: bytes, reason: str
) -> None:
  """A hospital's DICOM files must not be missed in silence."""
  found = listing.below(_fill(tmp_path, {f'a/{name}': content}))
  assert found.left_out == {f'a/{name}': reason}
  assert not found.images


@pytest.mark.parametrize(
    'content, words',
    [
        (b'', 'is empty'),
        (b'\x89PN', 'not an image by its content'),
        (b'no image', 'but: text'),
        (_DICOM, 'but: DICOM'),
        (b'<!DOCTYPE html><html>', 'but: HTML page'),
        (
            b'version https://git-lfs.github.com/spec/v1\n',
            'but: Git LFS pointer',
        ),
        (b'\0\0\0 ftypheic', 'but: HEIC'),
        (b'\xff\xd8\xff\xf7', 'but: JPEG-LS'),
    ],
)
@pytest.mark.parametrize('suffix', ['.jpg', '.PNG', '.jfif'])
def test_what_should_be_an_image_is_a_bad_one(
    tmp_path: pathlib.Path, content: bytes, words: str, suffix: str
) -> None:
  """Its class counts on it: `on_bad_image` decides, not the listing."""
  name = f'1{suffix}'
  found = listing.below(_fill(tmp_path, {name: content}))
  assert list(found.images) == list(found.bad) == [name]
  assert words in found.bad[name] and not found.left_out


@pytest.mark.parametrize(
    'mask',
    [
        'a/1_segmentation.png',
        'a/1_mask.png',
        'a/1 mask.png',
        'a/1-Seg.jpg',
        'a/1_mask_2.png',
        'a/1_segmentation_1.png',
        'a/1_superpixels.png',
        'a/masks/1.png',
        'a/masks/1_mask.png',
        'a/Mask/1.png',
    ],
)
def test_masks_of_images_are_no_images(
    tmp_path: pathlib.Path, mask: str
) -> None:
  """The mask of a lesion tells its class, and nothing of the skin."""
  found = listing.below(
      _fill(tmp_path, {'a/1.jpg': _JPEG, 'b/2.jpg': _JPEG, mask: _JPEG})
  )
  assert list(found.images) == ['a/1.jpg', 'b/2.jpg']
  assert found.left_out == {mask: file_kinds.MASK}


def test_masks_in_a_folder_beside_the_images(tmp_path: pathlib.Path) -> None:
  """COVID/images/1.png and COVID/masks/1.png, as a public collection."""
  found = listing.below(
      _fill(
          tmp_path, {f'C/{name}/1.png': _JPEG for name in ('images', 'masks')}
      )
  )
  assert found.left_out == {'C/masks/1.png': file_kinds.MASK}


@pytest.mark.parametrize(
    'folder', ['thumbs', 'Thumbnails', '_thumb', 'thumbnail', 'previews']
)
def test_thumbnails_of_images_are_no_images(
    tmp_path: pathlib.Path, folder: str
) -> None:
  """Programs that show albums keep them beside the images."""
  found = listing.below(
      _fill(
          tmp_path,
          {f'a/{name}': _JPEG for name in ('1.jpg', f'{folder}/1.png')},
      )
  )
  assert found.left_out == {f'a/{folder}/1.png': file_kinds.THUMBNAIL}
  alone = listing.below(_fill(tmp_path / 'b', {f'{folder}/2.png': _JPEG}))
  assert not alone.left_out


@pytest.mark.parametrize(
    'name', ['mask/1.jpg', 'with_mask/1.jpg', 'b/1_mask.jpg', 'a/mask.jpg']
)
def test_a_name_alone_makes_no_mask(tmp_path: pathlib.Path, name: str) -> None:
  """Faces with and without masks are classes, too."""
  _fill(tmp_path, {'a/1.jpg': _JPEG, name: _JPEG})
  assert len(listing.below(tmp_path).images) == 2


@pytest.mark.parametrize(
    'form, pages', [('TIFF', 5), ('GIF', 3), ('WEBP', 2), ('PNG', 4)]
)
def test_several_pictures_in_a_file_are_counted(
    tmp_path: pathlib.Path, form: str, pages: int
) -> None:
  """Only the first is read, and the others are said."""
  found = listing.below(_fill(tmp_path, {'a/x': _image(form, pages)}))
  assert found.pages == {'a/x': pages}
  assert unused_files.pages_said(found.pages) == (
      f'pages: 1 image holds several pictures (a/x: {pages}); only the first '
      'is read'
  )


def test_a_damaged_file_of_several_pages_is_an_image(
    tmp_path: pathlib.Path,
) -> None:
  """Whoever decodes it says what is wrong."""
  found = listing.below(_fill(tmp_path, {'x.tif': b'II*\0' + b'\xff' * 20}))
  assert list(found.images) == ['x.tif'] and not found.pages


def test_odd_files_end_nothing(tmp_path: pathlib.Path) -> None:
  """A pipe would wait for ever; a link may lead nowhere, or in a circle."""
  _fill(tmp_path, {'a/1.jpg': _JPEG, 'x.jpg/2.jpg': _JPEG})
  os.mkfifo(tmp_path / 'pipe')
  os.mkfifo(tmp_path / 'pipe.jpg')
  for name, target in (
      ('gone', 'nowhere'),
      ('gone.png', 'nowhere'),
      ('self', 'self'),
      ('a/up', '..'),
      ('root', '/'),
      ('null', '/dev/null'),
  ):
    (tmp_path / name).symlink_to(target)
  found = listing.below(tmp_path)
  assert list(found.images) == [
      'a/1.jpg',
      'gone.png',
      'pipe.jpg',
      'x.jpg/2.jpg',
  ]
  assert list(found.bad) == ['gone.png', 'pipe.jpg']
  assert found.left_out == {
      'a/up': file_kinds.BACK,
      'gone': file_kinds.BROKEN,
      'null': file_kinds.NO_FILE,
      'pipe': file_kinds.NO_FILE,
      'root': file_kinds.BACK,
      'self': file_kinds.BROKEN,
  }


def test_links_are_followed(tmp_path: pathlib.Path) -> None:
  """People link rather than copy."""
  _fill(tmp_path, {'src/1.jpg': _JPEG, 'src/sub/2.jpg': _JPEG})
  data = tmp_path / 'data'
  (data / 'a').mkdir(parents=True)
  (data / 'a' / 'x.jpg').symlink_to(tmp_path / 'src/1.jpg')
  (data / 'b').symlink_to(tmp_path / 'src')
  (tmp_path / 'way').symlink_to(data)
  for folder in (data, tmp_path / 'way'):
    assert list(listing.below(folder).images) == [
        'a/x.jpg',
        'b/1.jpg',
        'b/sub/2.jpg',
    ]


def test_folders_that_link_to_one_another_end(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """Each is entered a few times; in every order there were 10! ways."""
  names = [str(i) for i in range(10)]
  for name in names:
    _fill(tmp_path, {f'{name}/x.jpg': _JPEG})
    for other in set(names) - {name}:
      (tmp_path / name / other).symlink_to(tmp_path / other)
  entered, scan = [], os.scandir
  monkeypatch.setattr(
      os, 'scandir', lambda place: entered.append(place) or scan(place)
  )
  found = listing.below(tmp_path)
  assert len(entered) <= 200
  assert {f'{name}/x.jpg' for name in names} <= set(found.images)
  assert set(found.left_out.values()) == {file_kinds.BACK}


def test_a_name_that_is_no_utf8_comes_as_it_is(tmp_path: pathlib.Path) -> None:
  """A ZIP from Windows brings such names; they lead back to the file."""
  name = os.fsdecode(b'M\xfcller')
  _fill(tmp_path, {f'{name}.jpg': _JPEG, f'{name}.dcm': _DICOM})
  found = listing.below(tmp_path)
  assert list(found.images) == [f'{name}.jpg']
  assert unused_files.said(found.left_out) == (
      r'left out: 1 file: 1 DICOM without pixels (M\udcfcller.dcm)'
  )
  assert images.read_rgb(*found.images.values()).shape == (8, 8, 3)


def test_a_line_counts_every_reason(tmp_path: pathlib.Path) -> None:
  """With examples: a count alone says not where to look."""
  _fill(
      tmp_path,
      {f'._{i}.jpg': _APPLE_DOUBLE for i in range(1200)}
      | {'b.dcm': _DICOM, 'a\n.dcm': _DICOM, 'no': b'\1'},
  )
  assert unused_files.said(listing.below(tmp_path).left_out) == (
      'left out: 1,203 files: 1,200 hidden or system files (._0.jpg, ._1.jpg, '
      '...), 2 DICOM without pixels '
      '(a\\n.dcm, b.dcm), 1 file of unknown kind (no)'
  )


def test_a_file_is_opened_once(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """Every start of a run lists its data."""
  (tmp_path / 'a').mkdir()
  for i in range(50):
    (tmp_path / 'a' / f'{i}.jpg').write_bytes(_JPEG)
  opened, real = [], open
  monkeypatch.setattr(
      'builtins.open', lambda *a, **k: opened.append(a[0]) or real(*a, **k)
  )
  assert len(listing.below(tmp_path).images) == 50
  assert len(opened) == 50
