"""Image archives from elsewhere: the expected files, and nothing else.

A checksum says that an archive is the published one, not that it is harmless;
paths, kinds and sizes are checked as if it were not.
"""

import pathlib
import re
import stat
import zipfile

from medxfer import containers
from medxfer import errors

# The published archives hold about 5,000 images and 1.4 GB each.
_MEMBER = re.compile(r'(?:[A-Za-z0-9_]+/)?(ISIC_\d{7}\.jpg)')
_MOST_MEMBERS = 20_000
_MOST_BYTES = 8 << 30
_MOST_MEMBER_BYTES = 64 << 20


def unpack_images(archive: pathlib.Path, folder: pathlib.Path) -> list[str]:
  """Unpacks ISIC_nnnnnnn.jpg and nothing else.

  Args:
    archive: a zip file.
    folder: is made; gets the images, without the archive's folders.

  Returns:
    Names of members that were left out.

  Raises:
    errors.DataError: damaged, too large, or with a member that points
      outside, is a link, comes twice or is no JPEG file.
  """
  folder.mkdir()
  skipped, budget = [], _MOST_BYTES
  with containers.opened_zip(archive, 'Delete it and run again.') as members:
    listing = members.infolist()
    if len(listing) > _MOST_MEMBERS:
      raise _bad(archive, f'{len(listing)} members')
    for member in listing:
      name = _safe_name(archive, member)
      if name is None:
        if not member.filename.endswith('/'):
          skipped.append(member.filename)
        continue
      budget -= member.file_size
      if member.file_size > _MOST_MEMBER_BYTES or budget < 0:
        raise _bad(archive, f'too many bytes at {member.filename}')
      content = members.read(member)
      if not content.startswith(b'\xff\xd8'):
        raise _bad(archive, f'{member.filename}, which is no JPEG file')
      try:
        (folder / name).open('xb').write(content)
      except FileExistsError as error:
        raise _bad(archive, f'{name} twice') from error
  return skipped


def _safe_name(archive: pathlib.Path, member: zipfile.ZipInfo) -> str | None:
  """The image's file name, None for a harmless other member."""
  name = member.filename
  if (
      name.startswith('/')
      or '\\' in name
      or ':' in name
      or ('..' in name.split('/'))
  ):
    raise _bad(archive, f'the path {name!r}, which points outside')
  kind = stat.S_IFMT(member.external_attr >> 16)
  if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
    raise _bad(archive, f'{name}, which is a link or a device')
  match = _MEMBER.fullmatch(name)
  return match[1] if match else None


def _bad(archive: pathlib.Path, what: str) -> errors.DataError:
  return errors.DataError(
      f'{archive.name} holds {what}; nothing was kept of it. Delete'
      f' {archive} and run again'
  )
