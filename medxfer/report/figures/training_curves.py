"""Figure 7.1: accuracy by epoch, from ImageNet against from random weights."""

from typing import Any

from matplotlib import axes as mpl_axes
from matplotlib import ticker

from medxfer.report.figures import style
from medxfer.report.read import estimates
from medxfer.report.read import settings as settings_lib


def training(setting: settings_lib.Setting, name: str) -> style.Chart | None:
  """Draws the training of two arms, colours and dashes as in the thesis.

  Args:
    setting: whose ImageNet and random arms are shown, or those of the two
      that it has.
    name: stem of the file.

  Returns:
    The figure; None if neither has a history.
  """
  shown = [
      (column, colour, dash)
      for column, colour, dash in (
          (setting.pretrained, style.RED, '--'),
          (setting.random, style.BLUE, '-'),
      )
      if column and column.first.history
  ]
  if not shown:
    return None

  def paint(axes: mpl_axes.Axes) -> None:
    for column, colour, dash in shown:
      _paint_column(axes, column, color=colour, linestyle=dash)
    axes.set_xlabel('epoch')
    axes.set_ylabel('accuracy')
    axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    axes.grid()
    axes.legend(loc='lower center', bbox_to_anchor=(0.5, 1.0), ncols=1)

  ends = [
      f'{column.title}: training accuracy '
      f'{_series(column)[1][0]:.2f} after the first and '
      f'{_series(column)[1][-1]:.2f} after the last of '
      f'{len(column.first.history)} epochs.'
      for column, *_ in shown
  ]
  return style.Chart(
      name=name,
      title=f'Figure 7.1: training, {setting.title}',
      caption='Accuracy on training images (thick) and validation images '
      '(thin, dots) by epoch; ImageNet weights red and dashed, random '
      'weights blue, as in the thesis. Lowest seed.',
      label='Line chart of accuracy by epoch. ' + ' '.join(ends),
      svg=style.draw((style.WIDTH, 3.2), paint),
      header=(
          'Epoch',
          *(
              f'{column.title}: {subset}'
              for column, *_ in shown
              for subset in ('training', 'validation')
          ),
      ),
      rows=_rows([_series(column) for column, *_ in shown]),
  )


def _paint_column(
    axes: mpl_axes.Axes, column: settings_lib.Column, **look: Any
) -> None:
  """Draws the accuracies of one arm, training thick and validation thin."""
  epochs, train, val = _series(column)
  axes.plot(
      epochs,
      train,
      marker='o' if len(epochs) == 1 else None,
      label=f'{column.title}: training',
      **look,
  )
  axes.plot(
      epochs,
      val,
      linewidth=0.7,
      marker='.',
      markersize=4,
      label=f'{column.title}: validation',
      **look,
  )


def _series(
    column: settings_lib.Column,
) -> tuple[list[int], list[float], list[float]]:
  history = column.first.history
  return (
      [int(epoch['epoch']) for epoch in history],
      [epoch['train_accuracy'] for epoch in history],
      [epoch['val_accuracy'] for epoch in history],
  )


def _rows(
    series: list[tuple[list[int], list[float], list[float]]],
) -> tuple[tuple[str, ...], ...]:
  tables = [dict(zip(epochs, zip(train, val))) for epochs, train, val in series]
  epochs = sorted({epoch for table in tables for epoch in table})
  return tuple(
      (
          str(epoch),
          *(
              estimates.number(value)
              for table in tables
              for value in table.get(epoch, (None, None))
          ),
      )
      for epoch in epochs
  )
