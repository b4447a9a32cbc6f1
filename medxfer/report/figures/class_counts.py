"""Figures 5.1 and 5.2: how many images each class has."""

from matplotlib import axes as mpl_axes

from medxfer.data import splits
from medxfer.report.figures import style
from medxfer.report.read import finished_run
from medxfer.report.read import thesis
from medxfer.report.read import titles


def distribution(run: finished_run.Run, name: str) -> style.Chart:
  """Draws the images by class of the data set that a run used."""
  counts = {
      label: sum(subsets.values()) for label, subsets in run.images.items()
  }
  total = sum(counts.values())
  labels = list(counts)[::-1]

  def paint(axes: mpl_axes.Axes) -> None:
    bars = axes.barh(
        range(len(labels)),
        [counts[k] for k in labels],
        height=0.7,
        color=style.FILL,
    )
    axes.set_yticks(range(len(labels)), [style.shown(k) for k in labels])
    axes.bar_label(
        bars, [f'{counts[k]:,}' for k in labels], padding=3, fontsize=7.5
    )
    axes.set_xlim(0, max(counts.values()) * 1.15)
    axes.set_xlabel('images')
    axes.tick_params(left=False)
    axes.grid(axis='x')

  title = titles.dataset_title(run.dataset)
  table = thesis.table(run.dataset.name)
  largest = max(counts, key=counts.__getitem__)
  return style.Chart(
      name=name,
      title=f'Figure {table.figure}: images by class, {title}'
      if table
      else f'Images by class, {title}',
      caption=f'All {total:,} images that were used, by class.',
      label=f'Bar chart of {total:,} images in {len(counts)} classes; '
      f'the largest is {largest} with {counts[largest]:,} images.',
      svg=style.draw((style.WIDTH, 0.6 + 0.24 * len(labels)), paint),
      header=('Class', 'Images', 'Fraction', *splits.SUBSETS),
      rows=tuple(
          (
              label,
              f'{counts[label]:,}',
              f'{100 * counts[label] / total:.1f} %',
              *(f'{run.images[label][subset]:,}' for subset in splits.SUBSETS),
          )
          for label in counts
      ),
  )
