r"""One line of text in any script, by the fonts of this machine.

DejaVu Sans comes with Matplotlib and has European, Arabic and Hebrew letters.
What it lacks is drawn by an installed font that has it, of the system or in a
Python package. What no font has is shown as an escape, such as \u9ed1, and
that is said once.
"""

from collections.abc import Iterator
import functools
import importlib.metadata
import os
import pathlib
import re
import unicodedata

import numpy as np
from PIL import Image
from PIL import ImageDraw
from PIL import ImageFont

from medxfer import console
from medxfer import files

_SIZE = 12  # Pixels.
_SUFFIXES = ('.ttf', '.otf', '.ttc')
# Words in the names of fonts: plain ones first, Noto before others.
_NOT_PLAIN = (
    'bold',
    'italic',
    'oblique',
    'black',
    'light',
    'thin',
    'mono',
    'serif',
    'condensed',
)
# Has a box for every character there is.
_BOXES = re.compile('last.?resort', re.IGNORECASE)
_JOINING = ('Mn', 'Mc', 'Me', 'Cf')  # Categories of what joins a letter.

_Run = tuple[ImageFont.FreeTypeFont, str]


def line(text: str, width: int, height: int) -> np.ndarray:
  """Draws a line, cut where it is wider than there is room.

  Args:
    text: anything.
    width: of the picture.
    height: of it; pixels.

  Returns:
    Black on white, uint8 [height, width, 3].
  """
  image = Image.new('RGB', (width, height), 'white')
  draw, x = ImageDraw.Draw(image), 0.0
  baseline = _default().getmetrics()[0]
  for font, part in _fitted(_printable(text), width):
    draw.text((x, baseline), part, 'black', font=font, anchor='ls')
    x += font.getlength(part)
  return np.array(image)


def _printable(text: str) -> str:
  text = files.text_of(text)
  return ''.join(
      c if c.isprintable() or unicodedata.category(c) == 'Cf' else ' '
      for c in text
  )


def _fitted(text: str, width: int) -> list[_Run]:
  """Returns the runs of as much of a text as fits `width` pixels."""
  fitted = list(_runs(text))
  while text and sum(font.getlength(part) for font, part in fitted) > width:
    text = text[:-1]
    fitted = list(_runs(f'{text.rstrip()}…'))
  return fitted


def _runs(text: str) -> Iterator[_Run]:
  """Yields a text in pieces, each with a font that has all of it."""
  font, part = _default(), ''
  for character in text:
    category = unicodedata.category(character)
    own = _font_of(character)
    if category in _JOINING and part and ord(character) in _letters(font.path):
      own = font
    if own is None and category == 'Cf':
      continue  # It shows nothing by itself.
    if own is None:
      _say_missing(character)
      own = _default()
      character = character.encode('ascii', 'backslashreplace').decode()
    if own is not font:
      if part:
        yield font, part
      font, part = own, ''
    part += character
  if part:
    yield font, part


@functools.cache
def _default() -> ImageFont.FreeTypeFont:
  # Pillow's own font has no letters beyond Latin ones.
  import matplotlib

  folder = os.path.join(matplotlib.get_data_path(), 'fonts', 'ttf')
  return ImageFont.truetype(os.path.join(folder, 'DejaVuSans.ttf'), _SIZE)


@functools.cache
def _font_of(character: str) -> ImageFont.FreeTypeFont | None:
  """Returns the first font that draws a character, or None."""
  if ord(character) in _letters(_default().path):
    return _default()
  for path in _installed():
    if ord(character) in _letters(path):
      font = _opened(path)
      # Fonts of coloured pictures have nothing to draw in black.
      if font and font.getmask(character).getbbox():
        return font
  return None


@functools.cache
def _opened(path: str) -> ImageFont.FreeTypeFont | None:
  try:
    return ImageFont.truetype(path, _SIZE)
  except OSError:
    return None  # Damaged, or of pictures in other sizes.


@functools.cache
def _letters(path: str) -> frozenset[int]:
  """Returns the characters that a font has, by number."""
  from matplotlib import ft2font

  try:
    return frozenset(ft2font.FT2Font(path).get_charmap())
  except (OSError, RuntimeError, ValueError):
    return frozenset()  # Damaged.


@functools.cache
def _installed() -> tuple[str, ...]:
  """Returns the fonts of the system and of Python packages, plain first."""
  from matplotlib import font_manager

  found = set(font_manager.findSystemFonts())
  for package in importlib.metadata.distributions():
    found |= {
        os.fspath(file.locate())
        for file in package.files or ()
        if file.suffix.lower() in _SUFFIXES
    }
  return tuple(
      sorted((path for path in found if not _BOXES.search(path)), key=_rank)
  )


def _rank(path: str) -> tuple[int, bool, str]:
  name = pathlib.Path(path).name.lower()
  return (sum(word in name for word in _NOT_PLAIN), 'noto' not in name, path)


@functools.cache
def _told() -> set[str]:
  return set()


def _say_missing(character: str) -> None:
  if not _told():
    console.note(
        f'no installed font has {character} '
        f'({unicodedata.name(character, "without a name")}): pictures show '
        'escapes in its place. Install one that has it, such as Noto (Debian: '
        'fonts-noto-cjk for Chinese, Japanese and Korean, fonts-noto-core for '
        'other scripts; or any Python package that holds such a font)'
    )
  _told().add(character)
