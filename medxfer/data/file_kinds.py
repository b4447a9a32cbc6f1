"""What a file is, by its name and its first bytes.

The first bytes decide what is an image, not the suffix: scanners write JPEGs
without one, and a browser saves an error page as `x.jpg`. Names decide what a
system put beside the images, and name what is known, but not read.

Signatures are those of the formats' specifications; see also the table of
`file(1)`.
"""

import re

from medxfer.data import dicom_headers

# Enough for DICOM (132 bytes), NIfTI (348) and the header of tar (262).
HEAD = 1024

# The nouns of the reasons why a file is left out; `plural` knows them.
SYSTEM = 'hidden or system file'
VERSIONS = 'folder of version control'
MASK = 'segmentation mask'
THUMBNAIL = 'thumbnail'
EMPTY = 'empty file'
NO_FILE = 'pipe, socket or device'
BROKEN = 'broken link'
BACK = 'link that leads back'
LOCKED = 'file that may not be read'
UNFINISHED = 'unfinished download'
UNKNOWN = 'file of unknown kind'
OUTSIDE = 'image outside of the class folders'
NO_ROW = 'image without a row in the table'
TABLE = 'table'
UNLABELLED = 'unlabelled image'
OTHER_SIDE = 'image of an unused side'
COPY = 'copy, byte for byte, of a file that is read'
NO_PIXELS = 'DICOM without pixels'
OLD_DICOM = 'DICOM without its preamble'

# The formats of `data.images`. Stricter than Pillow, which takes a table that
# starts with 'BMI' for a bitmap and a line 'P1,0.3' for a pixmap.
_IMAGES = re.compile(
    rb'\xff\xd8\xff(?!\xf7)'
    rb'|\x89PNG\r\n\x1a\n'
    rb'|II[*+]\0|MM\0[*+]|MM\*\0|II\0\*'
    rb'|BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0'
    rb'|GIF8[79]a'
    rb'|RIFF.{4}WEBP'
    rb'|P[1-6fyF]\s+(\d+\s+[\d#]|#)'
    rb'|\xff\x4f\xff\x51|\0\0\0\x0cjP  \r\n\x87\n',
    re.DOTALL,
)
# They may hold several pictures; `listing` counts them.
_PAGED = re.compile(
    rb'II[*+]\0|MM\0[*+]|MM\*\0|II\0\*|GIF8[79]a'
    rb'|RIFF.{4}WEBPVP8X.{4}[\x02-\xff]|\x89PNG.{,1000}acTL',
    re.DOTALL,
)
# With one of these, a file that cannot be read is a bad image.
SUFFIXES = frozenset(
    '.jpg .jpeg .jpe .jfif .jif .pjpeg .png .apng .bmp .gif .webp .tif .tiff '
    '.ppm .pgm .pbm .pnm .pfm .jp2 .j2k .j2c .jpc .jpf .jpx'.split()
)

_SYSTEM = frozenset(
    name.casefold()
    for name in (
        # macOS
        '__MACOSX',
        'Icon\r',
        'Network Trash Folder',
        'Temporary Items',
        'TheVolumeSettingsFolder',
        'Desktop DB',
        'Desktop DF',
        # Windows
        'Thumbs.db',
        'ehthumbs.db',
        'ehthumbs_vista.db',
        'desktop.ini',
        '$RECYCLE.BIN',
        'RECYCLER',
        'RECYCLED',
        'System Volume Information',
        'FOUND.000',
        'Picasa.ini',
        'ZbThumbnail.info',
        # Synology, QNAP and other network storage
        '@eaDir',
        '#recycle',
        '#snapshot',
        '@Recycle',
        '@Recently-Snapshot',
        '@tmp',
        '@sharebin',
        '@appstore',
        '~snapshot',
        'trashbox',
        'Network Recycle Bin',
        # Linux and Python
        'lost+found',
        '__pycache__',
    )
)
_SYSTEM_PATTERN = re.compile(
    r'\..*|.*~|.*:Zone\.Identifier|.*@SynoEAStream|SYNO(PHOTO|FILE)_THUMB_.*',
    re.DOTALL,
)
_APPLE_DOUBLE = (b'\0\x05\x16\x07\0', b'\0\x05\x16\0\0')
_VERSIONS = frozenset(('.git', '.svn', '.hg', '.bzr', '.dvc', '.datalad'))

# Kind -> what the file starts with.
_HEADS = {
    OLD_DICOM: rb'[\x02\x08]\0.\0[A-Z]{2}',
    'HEIC or AVIF picture': rb'.{4}ftyp(hei|hev|mif|msf|avi[fs]|hej)',
    'camera RAW picture': rb'II\*\0.{4}CR|.{4}ftypcrx|FUJIFILMCCD-RAW'
    rb'|IIU\0|IIR[OS]|\0MRM',
    'JPEG XL picture': rb'\xff\x0a|\0\0\0\x0cJXL ',
    'JPEG-LS picture': rb'\xff\xd8\xff\xf7',
    'picture of a kind that is not read': rb'8BPS|%!PS|v/1\x01|SIMPLE  ='
    rb'|\0\0[\x01\x02]\0.\0..[\0\x01]|gimp xcf'
    rb'|\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<svg',
    'NIfTI or Analyze volume': rb'.{344}(n\+1|ni1)\0|\x5c\x01\0\0|\0\0\x01\x5c',
    'volume (NRRD, MetaImage)': rb'NRRD000|ObjectType\s*=',
    'array': rb'\x93NUMPY|\x89HDF\r\n|MATLAB 5\.0|CDF[\x01\x02]',
    'ZIP archive': rb'PK[\x03\x05]',
    'archive': rb'\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf\x27\x1c|Rar!|.{257}ustar'
    rb'|\x28\xb5\x2f\xfd',
    'PDF': rb'%PDF',
    'video': rb'.{4}(ftyp|moov|mdat)|RIFF.{4}AVI |\x1aE\xdf\xa3'
    rb'|\0\0\x01[\xba\xb3]|FLV|0&\xb2u',
    'Git LFS pointer': rb'version https://git-lfs',
    'HTML page': rb'(?i)\s*<(!doctype html|html)',
}
# Kind -> suffixes, for what starts like something else or like nothing.
_ENDINGS = {
    UNFINISHED: '.part .partial .crdownload .filepart .download .opdownload '
    '.!qb .!ut .aria2',
    OLD_DICOM: '.dcm .dicom .dic .ima',
    'NIfTI or Analyze volume': '.nii .nii.gz .hdr',
    'volume (NRRD, MetaImage)': '.nrrd .nhdr .mha .mhd .mgz .mgh .mnc',
    'camera RAW picture': '.cr2 .cr3 .crw .nef .nrw .arw .srf .sr2 .dng .orf '
    '.rw2 .raf .pef .srw .x3f .3fr .erf .kdc .mrw .raw',
    'HEIC or AVIF picture': '.heic .heif .hif .avif',
    'whole-slide image': '.svs .ndpi .scn .mrxs .vms .vmu .bif .czi',
    'picture of a kind that is not read': '.psd .eps .ps .svg .ico .cur .exr '
    '.fits .tga .pcx .xcf .hdp .jxr',
    TABLE: '.csv .tsv .tab .xls .xlsx .ods .parquet .feather .sav .dta',
    'array': '.npy .npz .mat .h5 .hdf5 .pkl .pt .tfrecord',
    'document': '.doc .docx .odt .rtf .ppt .pptx',
    'video': '.mp4 .avi .mov .mkv .mpg .mpeg .wmv .webm .m4v',
}
_ENDING = {
    suffix: kind
    for kind, suffixes in _ENDINGS.items()
    for suffix in suffixes.split()
}
# These tell what a container that can be read as an image, too, stands for.
_OVERRULE = frozenset((UNFINISHED, 'camera RAW picture', 'whole-slide image'))
_HEAD = {kind: re.compile(head, re.DOTALL) for kind, head in _HEADS.items()}
_BINARY = re.compile(rb'[\0-\x08\x0e-\x1a\x1c-\x1f]')
_MASK = re.compile(
    r'(?P<of>.+?)[ _.-]*(segmentations?|segmented|seg|masks?|superpixels'
    r'|ground[ _-]?truth)([ _.-]?\d+)?',
    re.IGNORECASE,
)
_MASK_FOLDER = re.compile(
    r'(lung|lesion|tumou?r|binary)?[ _-]?(masks?|segmentations?'
    r'|ground[ _-]?truths?)',
    re.IGNORECASE,
)
_THUMBNAIL_FOLDER = re.compile(r'_?(thumb(nail)?|preview)s?', re.IGNORECASE)
# Beside a folder of masks, these hold what is masked.
IMAGE_FOLDERS = ('images', 'image', 'imgs', 'img', 'Images', 'original')
_NUMBERED = re.compile(
    r'(?P<of>.+?)( ?\(\d+\)| - Copy( \(\d+\))?| copy( \d+)?)'
)
_PLURALS = {
    NO_FILE: 'pipes, sockets or devices',
    VERSIONS: 'folders of version control',
    BACK: 'links that lead back',
    OUTSIDE: 'images outside of the class folders',
    NO_ROW: 'images without a row in the table',
    OTHER_SIDE: 'images of an unused side',
    LOCKED: 'files that may not be read',
    UNKNOWN: 'files of unknown kind',
    COPY: 'copies, byte for byte, of files that are read',
    'picture of a kind that is not read': 'pictures of kinds that are not read',
    'volume (NRRD, MetaImage)': 'volumes (NRRD, MetaImage)',
    OLD_DICOM: OLD_DICOM,
    NO_PIXELS: NO_PIXELS,
    'PDF': 'PDF',
    'text': 'text',
}


def is_system(name: str) -> bool:
  """Whether a file or folder is hidden, or what a system leaves behind."""
  return bool(_SYSTEM_PATTERN.fullmatch(name)) or name.casefold() in _SYSTEM


def is_version_control(name: str) -> bool:
  """Whether a folder holds the history of others, often thousands of files."""
  return name in _VERSIONS


def of(name: str, head: bytes) -> str:
  """Returns why a file is not an image, as a noun; '' if it is one.

  Args:
    name: of the file.
    head: its first `HEAD` bytes; fewer if it is shorter.
  """
  ending = next(
      (
          kind
          for suffix, kind in _ENDING.items()
          if name.lower().endswith(suffix)
      ),
      '',
  )
  if head.startswith(_APPLE_DOUBLE):
    return SYSTEM
  if ending in _OVERRULE:
    return ending
  if dicom_headers.is_dicom(head):
    return ''
  for kind in ('camera RAW picture', OLD_DICOM):
    if _HEAD[kind].match(head):
      return kind
  if _IMAGES.match(head):
    return ''
  # A spreadsheet is a ZIP archive, and so is a document.
  if ending:
    return ending
  for kind, pattern in _HEAD.items():
    if pattern.match(head):
      return kind
  return UNKNOWN if _BINARY.search(head) else 'text'


def may_hold_pages(head: bytes) -> bool:
  """Whether an image of this head can hold more than one picture."""
  return bool(_PAGED.match(head))


def masked(stem: str) -> str:
  """Returns NAME of NAME_mask, NAME_segmentation and the like, else ''."""
  match = _MASK.fullmatch(stem)
  return match['of'] if match else ''


def numbered(stem: str) -> str:
  """Returns NAME of NAME (1), NAME - Copy and the like, else ''."""
  match = _NUMBERED.fullmatch(stem)
  return match['of'] if match else ''


def is_folder_of_masks(name: str) -> bool:
  """Whether a folder holds masks of other images, by its name."""
  return bool(_MASK_FOLDER.fullmatch(name))


def is_folder_of_thumbnails(name: str) -> bool:
  """Whether a folder holds small copies of images, by its name."""
  return bool(_THUMBNAIL_FOLDER.fullmatch(name))


def plural(reason: str, count: int) -> str:
  """Returns a reason's noun for that many files."""
  return reason if count == 1 else _PLURALS.get(reason, f'{reason}s')
