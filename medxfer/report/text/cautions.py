"""What a reader must know before the numbers of a table, in sentences."""

import collections
from collections.abc import Iterable
from collections.abc import Iterator

from medxfer import errors
from medxfer.data import planted_mark
from medxfer.report.read import finished_run
from medxfer.report.read import settings as settings_lib
from medxfer.report.stats import choices
from medxfer.report.text import positive_class
from medxfer.runs import folds

_EXAMPLES = 2  # Of files that were left out for one reason.


def choice(
    setting: settings_lib.Setting,
) -> tuple[settings_lib.Column | None, list[str]]:
  """Returns the network whose scores are bold, and notes that say why.

  None where validation images have nothing to choose from or cannot choose.
  """
  if len(setting.networks) < 2:
    return None, []
  try:
    found = choices.of_setting(setting)
  except errors.DataError as error:
    return None, [
        f'Nothing is bold: validation images cannot choose the best ({error}), '
        'and test images must not.'
    ]
  if not found:
    return None, []
  return found.chosen, [
      f'Bold: {choices.lower(found.chosen.title)}, the network that validation '
      f'images prefer ({found.word}: resampled, '
      f'{100 * found.fractions[0]:.0f} % of the sets of validation images '
      'choose it), whatever its rank on these test images. Trees are not '
      'candidates: they have no validation images.'
  ]


def sentences(setting: settings_lib.Setting) -> Iterator[str]:
  """Yields what is to be known of a setting's classes, runs and images."""
  yield from _few(setting)
  yield from _planted(setting)
  yield from _folds(setting)
  yield from unfinished(setting.columns)
  for run in (column.first for column in setting.columns):
    found = list(positive_class.why(run))
    if found:
      yield found[0]
      break
  runs = [run for column in setting.columns for run in column.runs]
  yield from left_out(
      max(
          runs,
          key=lambda run: (len(run.left_out), run.summary.get('skipped') or 0),
      )
  )
  # How the folders were understood.
  yield from dict.fromkeys(
      _sentence(note)
      for run in runs
      for note in run.summary.get('notes') or ()
      if isinstance(note, str)
  )


def _planted(setting: settings_lib.Setting) -> Iterator[str]:
  for column in setting.columns:
    found = column.first.summary.get(planted_mark.KEY)
    if column.first.spec.data.planted_mark and isinstance(found, dict):
      yield (
          f'“{column.title}” learned from images of which one class was '
          f'marked in a corner: {planted_mark.sentence(found)}. Its scores are '
          'of test images without the mark.'
      )


def _folds(setting: settings_lib.Setting) -> Iterator[str]:
  for column in setting.columns:
    for run in column.runs:
      if run.folds:
        spreads = run.summary['folds']
        yield (
            f'“{column.title}”, seed {run.spec.seed}: {len(run.folds)} folds; '
            'every image was scored once, by a network that had no image of '
            'its group. Over the folds, macro F1 is '
            f'{folds.spread(spreads["f1_macro"])} and accuracy '
            f'{folds.spread(spreads["accuracy"])}. Curves and heat maps are '
            'those of the first fold.'
        )


def _sentence(text: str) -> str:
  # The first word may be a folder or a key.
  if text.split(' ')[0].isalpha():
    text = text[:1].upper() + text[1:]
  return f'{text.rstrip(".")}.'


def _few(setting: settings_lib.Setting) -> Iterator[str]:
  few: dict[str, int] = {}
  for column in setting.columns:
    for name, count in column.few.items():
      few[name] = min(count, few.get(name, count))
  if few:
    counts = ', '.join(f'{name} {count}' for name, count in few.items())
    yield (
        f'Fewer than {finished_run.FEW} test images of a class ({counts}): '
        'what is said of such a class, and the macro F1 that rests on it, may '
        'be chance.'
    )


def unfinished(columns: Iterable[settings_lib.Column]) -> Iterator[str]:
  """Yields from which classifiers no conclusion is drawn, and why."""
  for column in columns:
    if column.notes:
      yield (
          f'No conclusion is drawn from “{column.title}”: '
          f'{"; ".join(note.rstrip(".") for note in column.notes)}.'
      )


def left_out(run: finished_run.Run) -> Iterator[str]:
  """Yields how many files a run did not use, and why."""
  bad = [
      f'{name} ({reason})'
      for name, reason, is_image in run.left_out
      if is_image
  ]
  count = max(len(bad), run.summary.get('skipped') or 0)
  if count:
    named = '; '.join(bad[:_EXAMPLES])
    yield (
        f'{_many(count, "image")} of the data set could not be used'
        f'{": " if named else ""}{named}{_more(bad)}.'
    )
  found: dict[str, list[str]] = collections.defaultdict(list)
  for name, reason, is_image in run.left_out:
    if not is_image:
      found[reason].append(name)
  parts = [
      f'{len(names):,} of the kind “{reason}” '
      f'({", ".join(names[:_EXAMPLES])}{_more(names)})'
      for reason, names in sorted(found.items(), key=lambda item: -len(item[1]))
  ]
  if parts:
    total = sum(map(len, found.values()))
    yield (
        f'{_many(total, "file")} below the data folder left out: '
        f'{"; ".join(parts)}.'
    )
  pages = run.summary.get('several_pages') or 0
  if pages:
    yield (
        f'{_many(pages, "image")} with several pictures (pages, frames): '
        'only the first picture of each was used.'
    )


def _many(count: int, what: str) -> str:
  return f'{count:,} {what}{"" if count == 1 else "s"}'


def _more(names: list[str]) -> str:
  return ', ...' if len(names) > _EXAMPLES else ''
