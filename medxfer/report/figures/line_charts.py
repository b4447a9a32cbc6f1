"""Curves over the layers of the network: what transfers, what has moved."""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses

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
  values: Mapping[str | int, estimates.Estimate | None]


def over_layers(
    name: str, title: str, caption: str, measure: str,
    layers: Sequence[str], lines: Sequence[Curve],
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
      dataclasses.replace(line, values={
          place: line.values[layer]
          for place, layer in enumerate(layers, start=1)
          if line.values[layer] is not None}) for line in lines]
  ticks = {place: layer.removeprefix('block').replace('_conv', '.')
           for place, layer in enumerate(layers, start=1)}
  return _chart(name, title, caption, 'layer (block.convolution)', measure,
                places, ticks)


def over_counts(
    name: str, title: str, caption: str, axis: str,
    lines: Sequence[Curve],
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
  return _chart(name, title, caption, axis, 'macro F1', lines,
                {count: str(count) for count in counts})


def _chart(
    name: str, title: str, caption: str, axis: str, measure: str,
    lines: Sequence[Curve], ticks: Mapping[int, str],
) -> style.Chart:
  def paint(axes: mpl_axes.Axes) -> None:
    for i, line in enumerate(lines):
      shift = (i - (len(lines) - 1) / 2) * _SHIFT
      one = line.values.values()
      axes.errorbar(
          [place + shift for place in line.values], [e.value for e in one],
          yerr=[[e.value - _ends(e)[0] for e in one],
                [_ends(e)[1] - e.value for e in one]],
          color=style.CLASSES[line.role], linestyle=style.DASHES[line.role],
          marker='o', markersize=3, elinewidth=0.6, linewidth=1.2,
          label=line.title)
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.set_xlabel(axis)
    axes.set_ylabel(measure)
    axes.grid(axis='y')
    axes.legend(loc='lower center', bbox_to_anchor=(0.5, 1.0),
                ncols=1 if len(lines) < 4 else 2)

  return style.Chart(
      name=name, title=title, caption=caption,
      label=f'Line chart of {measure} by {axis}. ' + ' '.join(
          _told(line, ticks) for line in lines),
      svg=style.draw((style.WIDTH, 3.0), paint),
      header=(axis, *(line.title for line in lines)),
      rows=tuple(
          (text, *(line.values[place].text() if place in line.values
                   else estimates.NOTHING for line in lines))
          for place, text in ticks.items()))


def _ends(estimate: estimates.Estimate) -> tuple[float, float]:
  """Returns where the bar of an estimate begins and ends."""
  if estimate.low is None and estimate.sd is not None:
    return estimate.value - estimate.sd, estimate.value + estimate.sd
  if estimate.low is None:
    return estimate.value, estimate.value
  # A percentile interval need not hold its point.
  return (min(estimate.low, estimate.value),
          max(estimate.high, estimate.value))


def _told(line: Curve, ticks: Mapping[int, str]) -> str:
  if not line.values:
    return f'{line.title}: no values.'
  ends = (f'{estimates.number(line.values[place].value)} at {ticks[place]}'
          for place in (min(line.values), max(line.values)))
  return f'{line.title}: {", ".join(ends)}.'
