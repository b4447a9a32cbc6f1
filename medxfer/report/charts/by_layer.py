"""Curves over the layers of the network: what transfers, what has moved."""

from collections.abc import Mapping

from matplotlib import axes as mpl_axes

from medxfer.model import layers
from medxfer.report import estimates
from medxfer.report.charts import style

# Place on the axis -> value; a layer's place, or how many of them.
Series = Mapping[int, estimates.Estimate]
_SHIFT = 0.09  # Between the bars of neighbours, which would hide each other.


def over_layers(
    name: str, title: str, caption: str, measure: str,
    series: Mapping[str, Mapping[str, estimates.Estimate | None]],
) -> style.Chart:
  """Draws a value of each of the thirteen convolutions.

  Args:
    name: stem of the file.
    title: one line.
    caption: how to read it.
    measure: what the values are.
    series: title of a curve -> layer -> value, or None where there is none.
  """
  places = {
      label: {place: values[layer]
              for place, layer in enumerate(layers.CONVOLUTIONS, start=1)
              if values[layer] is not None}
      for label, values in series.items()}
  ticks = {place: layer.removeprefix('block').replace('_conv', '.')
           for place, layer in enumerate(layers.CONVOLUTIONS, start=1)}
  return _chart(name, title, caption, 'layer (block.convolution)', measure,
                places, ticks)


def over_counts(
    name: str, title: str, caption: str, axis: str,
    series: Mapping[str, Series],
) -> style.Chart:
  """Draws macro F1 by a number of layers.

  Args:
    name: stem of the file.
    title: one line.
    caption: how to read it.
    axis: what is counted.
    series: title of a curve -> number of layers -> macro F1.
  """
  counts = sorted({count for values in series.values() for count in values})
  return _chart(name, title, caption, axis, 'macro F1', series,
                {count: str(count) for count in counts})


def _chart(
    name: str, title: str, caption: str, axis: str, measure: str,
    series: Mapping[str, Series], ticks: Mapping[int, str],
) -> style.Chart:
  def paint(axes: mpl_axes.Axes) -> None:
    for i, (label, values) in enumerate(series.items()):
      shift = (i - (len(series) - 1) / 2) * _SHIFT
      one = values.values()
      axes.errorbar(
          [place + shift for place in values], [e.value for e in one],
          yerr=[[e.value - _ends(e)[0] for e in one],
                [_ends(e)[1] - e.value for e in one]],
          color=style.CLASSES[i % len(style.CLASSES)],
          linestyle=style.DASHES[i % len(style.DASHES)],
          marker='o', markersize=3, elinewidth=0.6, linewidth=1.2,
          label=label)
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.set_xlabel(axis)
    axes.set_ylabel(measure)
    axes.grid(axis='y')
    axes.legend(loc='lower center', bbox_to_anchor=(0.5, 1.0),
                ncols=1 if len(series) < 4 else 2)

  return style.Chart(
      name=name, title=title, caption=caption,
      label=f'Line chart of {measure} by {axis}. ' + ' '.join(
          _told(label, values, ticks) for label, values in series.items()),
      svg=style.draw((style.WIDTH, 3.0), paint),
      header=(axis, *series),
      rows=tuple(
          (text, *(values[place].text() if place in values
                   else estimates.NOTHING for values in series.values()))
          for place, text in ticks.items()))


def _ends(estimate: estimates.Estimate) -> tuple[float, float]:
  """Returns where the bar of an estimate begins and ends."""
  if estimate.sd is not None:
    return estimate.value - estimate.sd, estimate.value + estimate.sd
  if estimate.low is None:
    return estimate.value, estimate.value
  # A percentile interval need not hold its point.
  return (min(estimate.low, estimate.value),
          max(estimate.high, estimate.value))


def _told(label: str, values: Series, ticks: Mapping[int, str]) -> str:
  if not values:
    return f'{label}: no values.'
  first, last = min(values), max(values)
  return (f'{label}: {estimates.number(values[first].value)} at '
          f'{ticks[first]}, {estimates.number(values[last].value)} at '
          f'{ticks[last]}.')
