"""One look for all figures, on white paper and on a page, light or dark.

Figures are drawn in a handful of colours that stand for roles. In a file they
stay as they are; on the page each becomes a CSS variable, so that the page's
theme colours them.
"""

from collections.abc import Callable
import dataclasses
import io
import re
from typing import Any
import warnings

import matplotlib
from matplotlib import axes as mpl_axes
from matplotlib import figure as mpl_figure

INK, SOFT, GRID, PAPER = '#1c1e21', '#5c6169', '#d8d9d4', '#fefefe'
BLUE, RED = '#1f5fa8', '#b3321f'
FILL = '#3f74b5'  # Of bars.
# A shade grows from paper to SHADE; text on it is ON_DARK from `DARK` on;
# both colours have a contrast of 4.5 there, as on the dark page.
SHADE, ON_PALE, ON_DARK, DARK = '#0b3d77', '#010101', '#fdfdfd', 0.7
# Classes: told apart with the common colour-vision deficiencies, and by dash.
CLASSES = (
    '#1e5fa9',
    '#b3330f',
    '#1c7f5f',
    '#8a5a00',
    '#7a4a9e',
    '#0f7f96',
    '#a63a74',
    '#5d6068',
)
DASHES = (
    '-',
    '--',
    '-.',
    ':',
    (0, (6, 1, 1, 1)),
    (0, (3, 1)),
    (0, (1, 1)),
    (0, (8, 3)),
)
_ROLES = {
    INK: 'ink',
    SOFT: 'soft',
    GRID: 'grid',
    PAPER: 'paper',
    BLUE: 'blue',
    RED: 'red',
    FILL: 'fill',
    SHADE: 'shade',
    ON_PALE: 'on-pale',
    ON_DARK: 'on-dark',
    **{colour: f'class-{i}' for i, colour in enumerate(CLASSES)},
}
WIDTH = 3.4  # Inches: at the width of a phone, text has its usual size.
_WIDEST_NAME = 18
_RC: dict[Any, Any] = {
    'axes.edgecolor': SOFT,
    'axes.labelcolor': INK,
    'axes.linewidth': 0.6,
    'axes.spines.right': False,
    'axes.spines.top': False,
    'axes.axisbelow': True,
    'axes.unicode_minus': True,
    'figure.facecolor': PAPER,
    'axes.facecolor': PAPER,
    'savefig.facecolor': PAPER,
    'font.size': 8,
    'axes.labelsize': 8,
    'xtick.labelsize': 7.5,
    'ytick.labelsize': 7.5,
    'legend.fontsize': 7.5,
    'grid.color': GRID,
    'grid.linewidth': 0.5,
    'hatch.linewidth': 0.5,
    'legend.frameon': False,
    'lines.linewidth': 1.5,
    'text.color': INK,
    'xtick.color': SOFT,
    'ytick.color': SOFT,
    'xtick.labelcolor': INK,
    'ytick.labelcolor': INK,
    'svg.fonttype': 'none',  # Text stays text: selectable, scalable.
    'svg.hashsalt': 'medxfer',  # The same figure is the same file.
    'text.parse_math': False,  # A class may be called '$x$'.
}


@dataclasses.dataclass(frozen=True)
class Chart:
  """A figure of the report.

  Attributes:
    name: stem of its file.
    title: one line.
    caption: what it shows and how to read it.
    label: what it says, for those who cannot see it.
    svg: the figure, as a file.
    header: headings of its data.
    rows: its data.
  """

  name: str
  title: str
  caption: str
  label: str
  svg: str
  header: tuple[str, ...]
  rows: tuple[tuple[str, ...], ...]


def draw(
    size: tuple[float, float], paint: Callable[[mpl_axes.Axes], None]
) -> str:
  """Returns a figure as the text of an SVG file.

  Args:
    size: width and height in inches.
    paint: draws on the axes it is given.
  """
  with matplotlib.rc_context(_RC), warnings.catch_warnings():
    # A name in another script is set by the reader's fonts, not by ours.
    warnings.filterwarnings('ignore', message='Glyph .* missing from')
    figure = mpl_figure.Figure(figsize=size, layout='constrained')
    paint(figure.add_subplot())
    # Laid out once: saving would draw the figure twice to do it.
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.execute(figure)
    figure.set_layout_engine('none')
    text = io.StringIO()
    figure.savefig(text, format='svg', metadata={'Date': None})
  return text.getvalue()


def inline(svg: str, prefix: str) -> str:
  """Returns the drawing for a page: themed, and with names of its own.

  Args:
    svg: as `draw` returns it.
    prefix: of its ids, which are then unique on the page.
  """
  svg = svg[svg.index('<svg') :]
  svg = re.sub(
      r'<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->',
      '',
      svg,
      flags=re.DOTALL,
  )
  svg = re.sub(r'\b(id="|xlink:href="#|url\(#)', rf'\g<1>{prefix}-', svg)
  svg = re.sub(r'font: ([\d.]+)px [^;\"]*', r'font-size: \1px', svg)
  svg = re.sub(r' (?:width|height)="[\d.]+pt"', '', svg, count=2)
  for colour, role in _ROLES.items():
    svg = svg.replace(colour, f'var(--{role})')
  return re.sub(r'\n\s*', '\n', svg)


def shown(name: str) -> str:
  """Returns a name from data as one printable line that fits a figure."""
  name = ''.join(c if c.isprintable() else '�' for c in name)
  if len(name) <= _WIDEST_NAME:
    return name
  return name[: _WIDEST_NAME - 1] + '…'
