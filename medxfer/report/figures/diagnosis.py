"""What one classifier gets wrong: confusion, reliability, ROC curves."""

from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses
import functools
from typing import Any

from matplotlib import axes as mpl_axes
from matplotlib import patches
import numpy as np

from medxfer.evaluation import calibration
from medxfer.evaluation import metrics
from medxfer.evaluation import operating_point
from medxfer.evaluation import predictions as predictions_lib
from medxfer.report.figures import style
from medxfer.report.read import estimates
from medxfer.report.read import finished_run
from medxfer.report.read import settings as settings_lib
from medxfer.report.text import certainty
from medxfer.report.text import positive_class

# Past these, counts and curves would be a smear; the data table has them all.
_MOST_COUNTS = 20
_MOST_CURVES = len(style.CLASSES)


def confusion(column: settings_lib.Column, name: str) -> style.Chart:
  """Draws counts, shaded by their fraction of the true class."""
  scored = column.first.predictions
  names = scored.class_names
  counts = metrics.confusion(
      scored.labels, scored.predicted, len(names)
  ).astype(np.int64)
  fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
  # Many classes need room; a phone then shows them smaller.
  side = min(7.0, max(style.WIDTH, 0.8 + 0.3 * len(names)))
  recall = np.diagonal(fractions)
  return style.Chart(
      name=name,
      title=f'Confusion matrix: {column.title}',
      caption='Test images: true class by row, predicted class by column; '
      'shaded by the fraction of the row.',
      label='Confusion matrix. Fraction of each class that is recognised: '
      + ', '.join(
          f'{label} {100 * fraction:.0f} %'
          for label, fraction in zip(names, recall)
      )
      + '.',
      svg=style.draw(
          (side, 0.95 * side),
          functools.partial(_paint_confusion, names, counts, fractions),
      ),
      header=('True class', *names),
      rows=tuple(
          (label, *(f'{count:,}' for count in row))
          for label, row in zip(names, counts)
      ),
  )


def _paint_confusion(
    names: Sequence[str],
    counts: np.ndarray,
    fractions: np.ndarray,
    axes: mpl_axes.Axes,
) -> None:
  """Draws a cell for each pair of classes, darker for larger fractions."""
  for (i, j), fraction in np.ndenumerate(fractions):
    if fraction:
      axes.add_patch(
          patches.Rectangle(
              (j - 0.5, i - 0.5),
              1,
              1,
              facecolor=style.SHADE,
              alpha=float(fraction),
              edgecolor='none',
              in_layout=False,
          )
      )
    if len(names) <= _MOST_COUNTS:
      axes.text(
          j,
          i,
          f'{counts[i, j]:,}',
          ha='center',
          va='center',
          fontsize=7,
          in_layout=False,
          color=style.ON_DARK if fraction >= style.DARK else style.ON_PALE,
      )
  ticks, places = [style.shown(label) for label in names], range(len(names))
  turned = any(len(tick) > 5 for tick in ticks)
  axes.set_xticks(places, ticks, rotation=90 if turned else 0)
  axes.set_yticks(places, ticks)
  axes.set_xlim(-0.5, len(names) - 0.5)
  axes.set_ylim(len(names) - 0.5, -0.5)
  axes.set_xlabel('predicted')
  axes.set_ylabel('true')
  axes.tick_params(length=0)


def reliability(column: settings_lib.Column, name: str) -> style.Chart:
  """Draws accuracy against confidence, with the images behind each bin."""
  run = column.first
  bins = calibration.reliability(run.predictions)
  error = run.summary['test']['ece']
  full = [row for row in bins if row['count']]
  before = _uncalibrated(run)
  most = max(row['count'] for row in full)

  def paint(axes: mpl_axes.Axes) -> None:
    for row in full:
      width = row['high'] - row['low']
      axes.bar(
          row['low'] + width / 2,
          row['accuracy'],
          width=0.92 * width,
          color=style.FILL,
          alpha=0.3 + 0.7 * row['count'] / most,
      )
    axes.plot([0, 1], [0, 1], color=style.SOFT, linestyle='--', linewidth=1)
    for rows, colour in (before, style.SOFT), (full, style.RED):
      axes.plot(
          [row['confidence'] for row in rows],
          [row['accuracy'] for row in rows],
          color=colour,
          marker='o',
          markersize=3,
          linewidth=1,
      )
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel('confidence')
    axes.set_ylabel('accuracy')
    axes.text(0.03, 0.95, f'ECE {error:.3f}', va='top')
    axes.grid()

  return style.Chart(
      name=name,
      title=f'Reliability: {column.title}',
      caption='Accuracy of the test images by the confidence of their '
      'prediction, 15 bins; the fuller a bin, the darker. On the '
      'dashed line, confidence is what it says. ECE: expected '
      'calibration error.'
      + (' Grey: before calibration on validation images.' * bool(before)),
      label=f'Reliability diagram; the expected calibration error is '
      f'{error:.3f}.',
      svg=style.draw((style.WIDTH, 3.0), paint),
      header=('Confidence', 'Images', 'Mean confidence', 'Accuracy'),
      rows=tuple(
          (
              f'{row["low"]:.2f}–{row["high"]:.2f}',
              f'{row["count"]:,}',
              estimates.number(row['confidence']),
              estimates.number(row['accuracy']),
          )
          for row in bins
      ),
  )


def _uncalibrated(run: finished_run.Run) -> list[dict[str, Any]]:
  """Returns the bins of a network before it was calibrated; [] of others."""
  found = certainty.fitted(run)
  if not found:
    return []
  raw = dataclasses.replace(
      run.predictions, probabilities=found.undo(run.predictions.probabilities)
  )
  return [row for row in calibration.reliability(raw) if row['count']]


def most_tested(
    scored: predictions_lib.Predictions, classes: Iterable[int]
) -> list[int]:
  """Returns those of some classes that have the most test images, in order.

  Args:
    scored: the test images.
    classes: of which as many are returned as one figure has room for.
  """
  support = np.bincount(scored.labels, minlength=len(scored.class_names))
  return sorted(sorted(classes, key=lambda k: -support[k])[:_MOST_CURVES])


def roc(column: settings_lib.Column, name: str) -> style.Chart:
  """Draws the ROC curve of each class against the rest."""
  scored = column.first.predictions
  names = scored.class_names
  support = np.bincount(scored.labels, minlength=len(names))
  areas = metrics.auroc_per_class(scored.labels, scored.probabilities)
  defined = [k for k in range(len(names)) if not np.isnan(areas[k])]
  # With two classes both curves say the same.
  found = positive_class.of(column.first)
  shown = (
      [k for k in defined if names[k] == found]
      if found
      else most_tested(scored, defined)
  )

  def paint(axes: mpl_axes.Axes) -> None:
    axes.plot([0, 1], [0, 1], color=style.SOFT, linestyle='--', linewidth=0.7)
    for i, k in enumerate(shown):
      false, true, _ = operating_point.roc(scored, k)
      axes.plot(
          false,
          true,
          color=style.CLASSES[i],
          linewidth=1.2,
          linestyle=style.DASHES[i],
          label=f'{style.shown(names[k])} {areas[k]:.3f}',
      )
    axes.set_xlim(-0.01, 1)
    axes.set_ylim(0, 1.01)
    axes.set_xlabel('false positive rate')
    axes.set_ylabel('true positive rate')
    axes.grid()
    if shown:
      axes.legend(
          loc='lower right', title='AUROC', title_fontsize=7.5, handlelength=2.6
      )

  rest = len(defined) - len(shown) if len(names) > 2 else 0
  return style.Chart(
      name=name,
      title=f'ROC curves: {column.title}',
      caption='Each class against the rest, test images, with the area under '
      'its curve.'
      + (
          f' The {len(shown)} classes with the most test images; '
          f'{rest} more are in the data.'
          if rest
          else ''
      ),
      label='ROC curves. Areas: '
      + ', '.join(f'{names[k]} {areas[k]:.3f}' for k in defined)
      + '.',
      svg=style.draw((style.WIDTH, 3.0), paint),
      header=('Class', 'Test images', 'AUROC'),
      rows=tuple(
          (label, f'{n:,}', estimates.number(None if np.isnan(area) else area))
          for label, n, area in zip(names, support, areas)
      ),
  )
