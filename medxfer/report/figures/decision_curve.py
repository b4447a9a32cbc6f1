"""The decision curve: is it worth to act by the network?"""

from matplotlib import axes as mpl_axes
import numpy as np

from medxfer.evaluation import net_benefit
from medxfer.report.figures import diagnosis
from medxfer.report.figures import style
from medxfer.report.read import estimates
from medxfer.report.read import settings as settings_lib
from medxfer.report.text import positive_class

_THRESHOLDS = np.linspace(0.01, 0.99, 99)
_SHOWN = slice(4, None, 10)  # Of them, in the table: 0.05, 0.15 ...
_SOURCE = '(Vickers and Elkin, 2006)'


def decision(column: settings_lib.Column, name: str) -> style.Chart:
  """Draws net benefit by threshold, of each class against the rest.

  Of two classes that of the positive one, beside acting on every image; of
  more, what each gains above acting on every image or on none.
  """
  if positive_class.of(column.first):
    return _of_two(column, name)
  return _of_more(column, name)


def _of_two(column: settings_lib.Column, name: str) -> style.Chart:
  scored = column.first.predictions
  positive = positive_class.of(column.first)
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
    axes.set_ylim(-0.1 * most, 1.1 * most)
    _finish(axes, 'net benefit')

  return style.Chart(
      name=name,
      title=f'Decision curve: {column.title}',
      caption=f'Net benefit on the test images of acting on {positive} from a '
      'probability on: true positives less false ones, weighed by the odds of '
      'the threshold. Red: by the network; dashed: on every image; grey: on '
      f'none {_SOURCE}.',
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


def _of_more(column: settings_lib.Column, name: str) -> style.Chart:
  scored = column.first.predictions
  names = scored.class_names
  shown = diagnosis.most_tested(scored, range(len(names)))
  support = np.bincount(scored.labels, minlength=len(names))
  # By how common each class is: rare ones would be flat lines.
  shares = np.maximum(support, 1) / len(scored.labels)
  gains = [
      net_benefit.gain(scored, k, _THRESHOLDS) / shares[k]
      for k in range(len(names))
  ]

  def paint(axes: mpl_axes.Axes) -> None:
    axes.axhline(0, color=style.SOFT, linestyle='--', linewidth=0.7)
    for i, k in enumerate(shown):
      axes.plot(
          _THRESHOLDS,
          gains[k],
          color=style.CLASSES[i],
          linewidth=1.2,
          linestyle=style.DASHES[i],
          label=style.shown(names[k]),
      )
    most = max(float(np.max(gains)), 0.01)
    axes.set_ylim(-0.3 * most, 1.5 * most)
    _finish(axes, 'standardized net benefit gained')
    axes.legend(loc='upper right', ncols=2, handlelength=2.6)

  return style.Chart(
      name=name,
      title=f'Decision curves: {column.title}',
      caption='What acting by the network on a class, from a probability on, '
      'gains on the test images above acting on every image or on none, '
      'whichever is better: true positives less false ones, weighed by the '
      f'odds of the threshold {_SOURCE}, divided by the fraction of images '
      'of the class (Kerr et al., 2016). Below 0 it does harm.',
      label='Decision curves of each class against the rest.',
      svg=style.draw((style.WIDTH, 3.0), paint),
      header=('Threshold', *names),
      rows=tuple(
          (
              f'{_THRESHOLDS[i]:.2f}',
              *(estimates.number(gain[i]) for gain in gains),
          )
          for i in range(len(_THRESHOLDS))[_SHOWN]
      ),
  )


def _finish(axes: mpl_axes.Axes, label: str) -> None:
  axes.set_xlim(0, 1)
  axes.set_xlabel('threshold')
  axes.set_ylabel(label)
  axes.grid()
