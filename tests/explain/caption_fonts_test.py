"""Protects captions: any script is drawn, or its absence said."""

from collections.abc import Callable
from collections.abc import Iterator
import importlib.metadata
import pathlib
import types
from typing import Any

from fontTools import fontBuilder
from fontTools.pens import ttGlyphPen
import numpy as np
import pytest

from medxfer.explain import caption_fonts


def _font(path: pathlib.Path, characters: str) -> None:
  """Writes a font in which each of some characters is a black square."""
  pen = ttGlyphPen.TTGlyphPen(None)
  for place in ((0, 0), (0, 700), (700, 700), (700, 0)):
    (pen.lineTo if place != (0, 0) else pen.moveTo)(place)
  pen.closePath()
  square = pen.glyph()
  names = ['.notdef', *(f'u{ord(c):04x}' for c in characters)]
  builder = fontBuilder.FontBuilder(1000)
  builder.setupGlyphOrder(names)
  builder.setupCharacterMap(dict(zip(map(ord, characters), names[1:])))
  builder.setupGlyf({name: square for name in names})
  builder.setupHorizontalMetrics({name: (800, 0) for name in names})
  builder.setupHorizontalHeader(ascent=800, descent=-200)
  builder.setupNameTable({'familyName': 'Squares', 'styleName': 'Regular'})
  builder.setupOS2()
  builder.setupPost()
  builder.save(path)


@pytest.fixture(name='installed')
def _installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> Iterator[Callable[..., Any]]:
  """Installs fonts: a function of names and characters."""
  found = []

  def install(name: str, characters: str) -> None:
    _font(tmp_path / name, characters)
    found.append(str(tmp_path / name))

  monkeypatch.setattr(
      'matplotlib.font_manager.findSystemFonts', lambda: list(found)
  )
  monkeypatch.setattr(importlib.metadata, 'distributions', lambda: [])
  _forget()
  yield install
  _forget()


def _forget() -> None:
  for known in (
      caption_fonts._font_of,
      caption_fonts._installed,
      caption_fonts._told,
  ):
    known.cache_clear()


def _escaped(text: str) -> list:
  return [
      part for _, part in caption_fonts._runs(caption_fonts._printable(text))
  ]


def test_letters_of_an_installed_font_are_drawn(
    installed: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
  """Between those of the usual one, and as wide as they are there."""
  installed('NotoSquares-Regular.ttf', '黑色')
  runs = list(caption_fonts._runs('0.7 黑色 x'))
  assert [part for _, part in runs] == ['0.7 ', '黑色', ' x']
  ink = caption_fonts.line('黑', 60, 18)
  assert (ink[:, :12] < 128).sum() > (
      caption_fonts.line('.', 60, 18) < 128
  ).sum()
  assert capsys.readouterr().err == ''


@pytest.mark.parametrize(
    'text, escapes',
    [
        ('黑色素瘤', r'\u9ed1\u8272\u7d20\u7624'),
        ('कि', r'\u0915\u093f'),
        ('🩺', r'\U0001fa7a'),
        ('M\udcfcller', r'M\xfcller'),
    ],
)
def test_what_no_font_has_is_an_escape(
    installed: Callable[..., Any], text: str, escapes: str
) -> None:
  """Classes stay apart from one another; no empty boxes."""
  del installed
  assert ''.join(_escaped(text)) == escapes


def test_it_is_said_once(
    installed: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
  """With the character, and what to install."""
  del installed
  caption_fonts.line('黑色', 60, 18)
  caption_fonts.line('素', 60, 18)
  said = capsys.readouterr().err
  assert said.count('note:') == 1 and '黑' in said and 'fonts-noto-cjk' in said


def test_a_font_of_boxes_for_everything_is_no_font(
    installed: Callable[..., Any],
) -> None:
  """Matplotlib itself brings one."""
  installed('LastResort.ttf', '黑')
  assert _escaped('黑') == [r'\u9ed1']


def test_plain_fonts_come_first(installed: Callable[..., Any]) -> None:
  """A heavy or slanted face is for what no other has."""
  installed('NotoA-BoldItalic.ttf', '黑色')
  installed('Other-Regular.ttf', '黑')
  assert 'Other' in caption_fonts._font_of('黑').path
  assert 'NotoA' in caption_fonts._font_of('色').path


def test_fonts_of_python_packages_are_found(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: pathlib.Path,
    installed: Callable[..., Any],
) -> None:
  """Who may not install system packages can install these."""
  del installed
  _font(tmp_path / 'Packed.ttf', '黑')
  file = types.SimpleNamespace(
      suffix='.ttf', locate=lambda: tmp_path / 'Packed.ttf'
  )
  monkeypatch.setattr(
      importlib.metadata,
      'distributions',
      lambda: [
          types.SimpleNamespace(files=[file]),
          types.SimpleNamespace(files=None),
      ],
  )
  assert _escaped('黑') == ['黑']


def test_damaged_fonts_are_passed_over(
    installed: Callable[..., Any], tmp_path: pathlib.Path
) -> None:
  """A broken file among thousands ends nothing."""
  installed('A.ttf', '黑')
  (tmp_path / 'A.ttf').write_bytes(b'no font')
  assert _escaped('黑') == [r'\u9ed1']


@pytest.mark.parametrize('text', ['العربية', 'עברית', 'меланома', 'naïve'])
def test_scripts_of_the_usual_font_need_no_other(
    installed: Callable[..., Any], text: str
) -> None:
  """It comes with Matplotlib, and has them."""
  del installed
  assert _escaped(text) == [text]
  assert (caption_fonts.line(text, 90, 18) < 128).any()


def test_a_line_keeps_to_its_room() -> None:
  """Cut, and its size as asked for."""
  found = caption_fonts.line('x' * 99 + '黑' * 9, 90, 18)
  assert found.shape == (18, 90, 3) and found.dtype == np.uint8
