"""Figure 6.1: a network with its trained and its frozen parts, by arm."""

from collections.abc import Mapping
from collections.abc import Sequence
import textwrap

from matplotlib import axes as mpl_axes
from matplotlib import patches

from medxfer.model.architectures import Architecture
from medxfer.report.figures import style
from medxfer.report.read import settings as settings_lib

_GAP = 0.8  # Between blocks, in widths of a layer: a pooling lies there.
_BOX, _LINE = 0.26, 0.15  # Inches, the heights of a box and of a line of text.
_CHARACTERS = 50  # Of a line.


def network(
    architecture: Architecture,
    columns: Sequence[settings_lib.Column],
    name: str,
) -> style.Chart:
  """Draws a row per arm, a box per layer: filled if it trains.

  Args:
    architecture: of the networks.
    columns: networks; of those that train the same layers, one row.
    name: stem of the file.
  """
  arms: dict[frozenset[str], list[str]] = {}
  for column in columns:
    titles = arms.setdefault(column.trained, [])
    if column.title not in titles:
      titles.append(column.title)
  blocks = {**architecture.blocks, 'head': architecture.head}
  rows = [('; '.join(titles), trained) for trained, titles in arms.items()]
  return style.Chart(
      name=name,
      title=f'Figure 6.1: {architecture.title}, trained and frozen',
      caption=f'{architecture.title}, blocks 1 to {len(architecture.blocks)} '
      'and the head: a box is a layer, a line a max pooling. '
      'Filled boxes train, hatched ones stay as they were. The head '
      'has three dense layers and always trains.',
      label=f'Diagram of {architecture.title}. '
      + ' '.join(
          f'{title}: trains {_said(trained, blocks)}.'
          for title, trained in rows
      ),
      svg=style.draw(
          (style.WIDTH, _height(rows)), lambda axes: _paint(axes, rows, blocks)
      ),
      header=('Arm', *(_title(block) for block in blocks)),
      rows=tuple(
          (title, *(_state(trained, names) for names in blocks.values()))
          for title, trained in rows
      ),
  )


def _height(rows: Sequence[tuple[str, frozenset[str]]]) -> float:
  return 0.3 + sum(_row_height(title) for title, _ in rows)


def _row_height(title: str) -> float:
  return _BOX + _LINE * (len(_lines(title)) + 0.8)


def _lines(title: str) -> list[str]:
  return textwrap.wrap(title, _CHARACTERS) or ['']


def _paint(
    axes: mpl_axes.Axes,
    rows: Sequence[tuple[str, frozenset[str]]],
    blocks: Mapping[str, Sequence[str]],
) -> None:
  """Draws from the top down, in inches."""
  top = 0.2
  _paint_names(axes, blocks, top)
  for title, trained in rows:
    for i, line in enumerate(_lines(title)):
      axes.text(
          0,
          top + _LINE * (i + 1.2),
          line,
          fontsize=7.5,
          va='baseline',
          in_layout=False,
      )
    bottom = top + _row_height(title)
    _paint_row(axes, blocks, trained, bottom - _BOX)
    top = bottom
  width = sum(map(len, blocks.values())) + _GAP * (len(blocks) - 1)
  axes.set_xlim(-0.1, width + 0.1)
  axes.set_ylim(top + 0.05, 0)
  axes.set_axis_off()


def _paint_names(
    axes: mpl_axes.Axes, blocks: Mapping[str, Sequence[str]], bottom: float
) -> None:
  left = 0.0
  for block, names in blocks.items():
    short = 'Head' if block == 'head' else block.removeprefix('block')
    axes.text(
        left + len(names) / 2,
        bottom,
        short,
        ha='center',
        va='baseline',
        fontsize=7.5,
        color=style.SOFT,
        in_layout=False,
    )
    left += len(names) + _GAP


def _paint_row(
    axes: mpl_axes.Axes,
    blocks: Mapping[str, Sequence[str]],
    trained: frozenset[str],
    top: float,
) -> None:
  left = 0.0
  for block, names in blocks.items():
    for j, layer in enumerate(names):
      trains = layer in trained
      axes.add_patch(
          patches.Rectangle(
              (left + j + 0.08, top),
              0.84,
              _BOX,
              linewidth=0.7,
              edgecolor=style.BLUE if trains else style.SOFT,
              facecolor=style.BLUE if trains else style.PAPER,
              hatch=None if trains else '/////',
          )
      )
    left += len(names) + _GAP
    if block != 'head':
      axes.plot(
          [left - _GAP / 2] * 2,
          [top, top + _BOX],
          color=style.SOFT,
          linewidth=0.8,
      )


def _title(block: str) -> str:
  return block.replace('block', 'Block ').capitalize()


def _state(trained: frozenset[str], names: Sequence[str]) -> str:
  count = sum(name in trained for name in names)
  if count in (0, len(names)):
    return 'trains' if count else 'frozen'
  return f'{count} of {len(names)} train'


def _said(trained: frozenset[str], blocks: Mapping[str, Sequence[str]]) -> str:
  parts = [
      _title(block).lower()
      for block, names in blocks.items()
      if any(name in trained for name in names)
  ]
  return ', '.join(parts)
