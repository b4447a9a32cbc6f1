"""What averaging the seeds of an arm brings, where they share test images."""

from collections.abc import Iterator

import numpy as np

from medxfer.evaluation import paired
from medxfer.evaluation import summary as summaries
from medxfer.report.read import settings as settings_lib
from medxfer.report.read import titles
from medxfer.report.text import tables
from medxfer.runs import averages

_SHOWN = {'accuracy': 'Accuracy', 'f1_macro': 'Macro F1', 'ece': 'ECE'}


def table(setting: settings_lib.Setting, name: str) -> tables.Table | None:
  """Compares the average of each arm's networks with a network alone.

  Args:
    setting: with at least one column.
    name: stem of the files.

  Returns:
    A row per arm of several seeds with the same test images; None without one.
  """
  rows = [
      tuple(_row(column)) for column in setting.networks if _is_shared(column)
  ]
  if not rows:
    return None
  return tables.Table(
      name,
      f'Averages of several networks on '
      f'{titles.dataset_title(setting.dataset)}, {setting.title}',
      (('', 2), *((title, 3) for title in _SHOWN.values())),
      ('Arm', 'Networks', *('one', 'average', 'difference') * len(_SHOWN)),
      tuple(rows),
      (
          'One: the mean of the networks alone. Average: the mean of their '
          'probabilities. In brackets: 95 % intervals; those of differences '
          'are of the same test images, and hold the spread of the networks.',
          'The difference of ECE has no interval.',
      ),
  )


def _is_shared(column: settings_lib.Column) -> bool:
  """Whether all networks were tested on the same images, in equal groups."""
  tests = {
      frozenset(zip(table.image_ids, table.labels.tolist(), table.groups))
      for table in (run.predictions for run in column.runs)
  }
  return len(column.runs) > 1 and len(tests) == 1


def _row(column: settings_lib.Column) -> Iterator[tables.Cell]:
  alone = [run.predictions for run in column.runs]
  together, _ = averages.mean(alone)
  resamples = column.first.spec.evaluation.resamples
  summary = summaries.split_summary(together, resamples=resamples)
  found = paired.compare_seeds(
      [(together, one) for one in alone], resamples=resamples
  )
  yield tables.words(column.title)
  yield tables.figure(len(alone), 0)
  for key in _SHOWN:
    one = float(np.mean([run.summary['test'][key] for run in column.runs]))
    yield tables.figure(one)
    yield tables.measured(summary[key], summary['intervals'][key])
    if key in found:
      yield tables.measured(
          found[key]['difference'], found[key]['interval'], signed=True
      )
    else:
      yield tables.measured(summary[key] - one, None, signed=True)
