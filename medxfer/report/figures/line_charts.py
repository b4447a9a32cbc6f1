"""Curves over the layers of the network: what transfers, what has moved."""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import math
from typing import Any

from matplotlib import axes as mpl_axes

from medxfer.report.figures import style
from medxfer.report.read import estimates

_SHIFT = 0.09  # Between the bars of neighbours, which would hide each other.


@dataclasses.dataclass(frozen=True)
class Curve:
  """One line of a chart.

  Attributes:
    title: in the legend.
    role: number of its colour and dash, the same in all charts of a study.
    values: layer, or number of layers -> value, None where there is none.
  """

  title: str
  role: int
  values: Mapping[Any, estimates.Estimate | None]


def over_layers(
    name: str,
    title: str,
    caption: str,
    measure: str,
    layers: Sequence[str],
    lines: Sequence[Curve],
) -> style.Chart:
  """Draws a value of each convolution.

  Args:
    name: stem of the file.
    title: one line.
    caption: how to read it.
    measure: what the values are.
    layers: the convolutions, first to last.
    lines: their values by layer.
  """
  places = [
      dataclasses.replace(
          line,
          values={
              place: line.values[layer]
              for place, layer in enumerate(layers, start=1)
          },
      )
      for line in lines
  ]
  ticks: dict[float, str] = {
      place: layer.removeprefix('block').replace('_conv', '.')
      for place, layer in enumerate(layers, start=1)
  }
  return _chart(
      name, title, caption, 'layer (block.convolution)', measure, places, ticks
  )


def over_counts(
    name: str, title: str, caption: str, axis: str, lines: Sequence[Curve]
) -> style.Chart:
  """Draws macro F1 by a number of layers.

  Args:
    name: stem of the file.
    title: one line.
    caption: how to read it.
    axis: what is counted.
    lines: their values by number of layers.
  """
  counts = sorted({count for line in lines for count in line.values})
  ticks: dict[float, str] = {count: str(count) for count in counts}
  return _chart(name, title, caption, axis, 'macro F1', lines, ticks)


def over_sizes(
    name: str,
    title: str,
    caption: str,
    sizes: Sequence[int],
    lines: Sequence[Curve],
) -> style.Chart:
  """Draws macro F1 by number of training images, on a logarithmic axis.

  Args:
    name: stem of the file.
    title: one line.
    caption: how to read it.
    sizes: numbers of images, ascending.
    lines: their values by the logarithm to base two of the number.
  """
  return _chart(
      name,
      title,
      caption,
      'training images',
      'macro F1',
      lines,
      {math.log2(size): f'{size:,}' for size in sizes},
  )


def _chart(
    name: str,
    title: str,
    caption: str,
    axis: str,
    measure: str,
    lines: Sequence[Curve],
    ticks: Mapping[float, str],
) -> style.Chart:
  known = [
      {place: one for place, one in line.values.items() if one}
      for line in lines
  ]

  def paint(axes: mpl_axes.Axes) -> None:
    for i, (line, values) in enumerate(zip(lines, known)):
      _paint_line(axes, line, values, (i - (len(lines) - 1) / 2) * _SHIFT)
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.set_xlabel(axis)
    axes.set_ylabel(measure)
    axes.grid(axis='y')
    axes.legend(
        loc='lower center',
        bbox_to_anchor=(0.5, 1.0),
        ncols=1 if len(lines) < 4 else 2,
    )

  return style.Chart(
      name=name,
      title=title,
      caption=caption,
      label=f'Line chart of {measure} by {axis}. '
      + ' '.join(
          _told(line.title, values, ticks) for line, values in zip(lines, known)
      ),
      svg=style.draw((style.WIDTH, 3.0), paint),
      header=(axis, *(line.title for line in lines)),
      rows=tuple(
          (
              text,
              *(
                  values[place].text() if place in values else estimates.NOTHING
                  for values in known
              ),
          )
          for place, text in ticks.items()
      ),
  )


def _paint_line(
    axes: mpl_axes.Axes,
    line: Curve,
    values: Mapping[int, estimates.Estimate],
    shift: float,
) -> None:
  """Draws a curve with its error bars, moved sideways by `shift`."""
  one = values.values()
  axes.errorbar(
      [place + shift for place in values],
      [e.value for e in one],
      yerr=[
          [e.value - _ends(e)[0] for e in one],
          [_ends(e)[1] - e.value for e in one],
      ],
      color=style.CLASSES[line.role],
      linestyle=style.DASHES[line.role],
      marker='o',
      markersize=3,
      elinewidth=0.6,
      linewidth=1.2,
      label=line.title,
  )


def _ends(estimate: estimates.Estimate) -> tuple[float, float]:
  """Returns where the bar of an estimate begins and ends."""
  if estimate.interval:
    low, high = estimate.interval
    # A percentile interval need not hold its point.
    return min(low, estimate.value), max(high, estimate.value)
  spread = estimate.sd or 0.0
  return estimate.value - spread, estimate.value + spread


def _told(
    title: str,
    values: Mapping[int, estimates.Estimate],
    ticks: Mapping[float, str],
) -> str:
  if not values:
    return f'{title}: no values.'
  ends = (
      f'{estimates.number(values[place].value)} at {ticks[place]}'
      for place in (min(values), max(values))
  )
  return f'{title}: {", ".join(ends)}.'
