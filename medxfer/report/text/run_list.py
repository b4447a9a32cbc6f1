"""The table of all runs of a report."""

from medxfer.report.read import collect
from medxfer.report.read import estimates
from medxfer.report.read import finished_run
from medxfer.report.read import recipes
from medxfer.report.read import titles
from medxfer.report.text import tables

_MINUTE, _HOUR = 60, 3600


def runs(collection: collect.Collection, name: str) -> tables.Table:
  """Lists every run that is shown."""
  return tables.Table(
      name,
      'Every run of this report',
      (),
      (
          'Run',
          'Arm',
          'Data',
          'Split',
          'Recipe',
          'Pixels',
          'Seed',
          'Epochs',
          'Training',
          'Accuracy',
          'Macro F1',
          'Images skipped',
          'Notes',
          'Device',
      ),
      tuple(_row(run) for run in collection.all_runs),
      (
          'Accuracy and macro F1 are of test images. From a network with a '
          'note no conclusion is drawn.',
      ),
  )


def _row(run: finished_run.Run) -> tuple[tables.Cell, ...]:
  summary, spec = run.summary, run.spec
  height, width = spec.data.image_size
  network = titles.network_title(run.architecture)
  return (
      tables.words(run.name),
      tables.words(', '.join(filter(None, (spec.arm, network)))),
      tables.words(titles.dataset_title(run.dataset)),
      tables.words(titles.split_title(run.dataset, run.split)),
      tables.words(
          estimates.NOTHING
          if run.is_baseline
          else recipes.title(recipes.of(spec))
      ),
      tables.figure(height * width, text=f'{height}×{width}'),
      tables.figure(spec.seed, 0),
      tables.figure(len(run.history) or None, 0),
      tables.figure(
          summary['train_seconds'], text=duration(summary['train_seconds'])
      ),
      tables.figure(summary['test']['accuracy']),
      tables.figure(summary['test']['f1_macro']),
      tables.figure(summary.get('skipped'), 0),
      tables.words('; '.join(run.notes) or estimates.NOTHING),
      tables.words(run.device or estimates.NOTHING),
  )


def duration(seconds: float) -> str:
  """Returns a time in words."""
  if seconds >= _HOUR:
    return f'{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:.0f} min'
  if seconds >= _MINUTE:
    return f'{seconds // _MINUTE:.0f} min {seconds % _MINUTE // 1:.0f} s'
  return f'{seconds:.1f} s'
