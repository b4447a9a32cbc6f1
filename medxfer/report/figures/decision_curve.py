"""The decision curve of two classes: is it worth to act by the network?"""

from matplotlib import axes as mpl_axes
import numpy as np

from medxfer.evaluation import net_benefit
from medxfer.report.figures import style
from medxfer.report.read import estimates
from medxfer.report.read import settings as settings_lib
from medxfer.report.text import positive_class

_THRESHOLDS = np.linspace(0.01, 0.99, 99)
_SHOWN = slice(4, None, 10)  # Of them, in the table: 0.05, 0.15 ...


def decision(column: settings_lib.Column, name: str) -> style.Chart | None:
  """Draws net benefit by threshold; None of more than two classes."""
  scored = column.first.predictions
  positive = positive_class.of(column.first)
  if positive is None:
    return None
  k = scored.class_names.index(positive)
  ours = net_benefit.curve(scored, k, _THRESHOLDS)
  everyone = net_benefit.of_all(scored, k, _THRESHOLDS)
  most = max(float(ours.max()), float(everyone.max()), 0.01)

  def paint(axes: mpl_axes.Axes) -> None:
    axes.plot(
        _THRESHOLDS, everyone, color=style.SOFT, linestyle='--', linewidth=1
    )
    axes.axhline(0, color=style.SOFT, linewidth=1)
    axes.plot(_THRESHOLDS, ours, color=style.RED, linewidth=1)
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.1 * most, 1.1 * most)
    axes.set_xlabel('threshold')
    axes.set_ylabel('net benefit')
    axes.grid()

  return style.Chart(
      name=name,
      title=f'Decision curve: {column.title}',
      caption=f'Net benefit on the test images of acting on {positive} from a '
      'probability on: true positives less false ones, weighed by the odds of '
      'the threshold. Red: by the network; dashed: on every image; grey: on '
      'none (Vickers and Elkin, 2006).',
      label=f'Decision curve of {positive}.',
      svg=style.draw((style.WIDTH, 3.0), paint),
      header=('Threshold', 'By the network', 'On every image'),
      rows=tuple(
          (f'{t:.2f}', estimates.number(a), estimates.number(b))
          for t, a, b in zip(
              _THRESHOLDS[_SHOWN], ours[_SHOWN], everyone[_SHOWN]
          )
      ),
  )
