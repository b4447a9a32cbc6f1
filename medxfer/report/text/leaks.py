"""What the test images have in common with those that trained, in words.

Two things leak: another image of the same lesion or patient, and a copy of the
image itself. Where nobody looked for one of them, the page does not deny it.
"""

from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses

from medxfer.data import registry
from medxfer.report.read import estimates
from medxfer.report.read import finished_run
from medxfer.report.read import settings as settings_lib
from medxfer.report.read import titles
from medxfer.report.stats import choices
from medxfer.report.stats import matched_pairs
from medxfer.report.stats import pairs
from medxfer.report.text import tables


@dataclasses.dataclass(frozen=True)
class Leak:
  """The worst of some runs.

  Attributes:
    share: of the test images whose group also is in train; None where a
      run does not know the groups.
    copies: test images that have a copy in train; None where a run did not
      look for copies.
    duplicates: test images that are in train bit for bit.
    n: number of test images of the run with the most copies.
    sets: pictures that are there more than once, in any subset.
  """

  share: float | None
  copies: int | None
  duplicates: int
  n: int
  sets: int

  @property
  def known_copies(self) -> int:
    """Copies that are there at least."""
    return max(self.copies or 0, self.duplicates)

  @property
  def is_clean(self) -> bool:
    """Whether everything was looked for, and nothing found."""
    return self.share == 0 and self.copies == 0 and not self.duplicates


def worst(runs: Iterable[finished_run.Run]) -> Leak:
  """Returns the worst of one or more runs."""
  runs = tuple(runs)
  found = [run.summary['leak'] for run in runs]
  shares = [leak['share'] for leak in found]
  copies = [leak.get('copies') for leak in found]
  most = max(runs, key=lambda run: run.summary['leak'].get('copies') or 0)
  return Leak(
      None if None in shares else max(shares),
      None if None in copies else max(copies),
      max(leak.get('duplicates') or 0 for leak in found),
      most.summary['n']['test'],
      max(leak.get('sets_of_copies') or 0 for leak in found),
  )


def said(
    setting: settings_lib.Setting, column: settings_lib.Column
) -> tuple[str, ...]:
  """Returns a verdict on a network's test images, and what speaks for it.

  Args:
    setting: its table. As long as a classifier of it leaks, it is not said
      that nothing does.
    column: the network.
  """
  leak = worst(column.runs)
  others = worst(run for c in setting.columns for run in c.runs)
  unit = registry.get(setting.dataset.name).group
  groups, copies = _groups(leak, unit), _copies(leak)
  share = leak.share or leak.known_copies / leak.n
  leaked = f'{100 * share:.{0 if share >= .01 else 1}f} % of the test images '
  if leak.share:
    return (
        f'{leaked}are leaked.',
        f'another image of their {unit} is in train.',
        copies,
    )
  if leak.known_copies:
    return (
        f'{leaked}are leaked.',
        'they have a copy in train.',
        copies,
        groups,
    )
  if not leak.is_clean:
    return 'Whether test images leak is not known.', groups, copies
  if not others.is_clean:
    return (
        'No leak found for this one, but for others of its table.',
        groups,
        copies,
    )
  return 'No leak found.', groups, copies


def without_leak(
    setting: settings_lib.Setting,
    settings: Sequence[settings_lib.Setting],
    column: settings_lib.Column,
) -> str:
  """Says what a column scores under a split in which no group leaks.

  Args:
    setting: of the column.
    settings: all of the report.
    column: a network or a tree.
  """
  found = [
      (a, b, gap)
      for a, b, gap in pairs.of_twins(list(matched_pairs.by_split(settings)))
      if a.column in setting.networks and not (a.column.notes or b.column.notes)
  ]
  found.sort(key=lambda pair: pair[0].column is not column)
  if not found:
    leak = worst(column.runs)
    return (
        'No finished run tells what that adds to the score.'
        if leak.share
        else ''
    )
  a, b, gap = found[0]
  title = titles.split_title(b.setting.dataset, b.setting.split)
  which = '' if a.column is column else f' of “{choices.lower(a.column.title)}”'
  return (
      f'{title[:1].upper()}{title[1:]}, macro F1{which} is '
      f'{estimates.f1_macro(b.column).text()} instead of '
      f'{estimates.f1_macro(a.column).text()}; difference {gap.words}.'
  )


def _groups(leak: Leak, unit: str) -> str:
  if leak.share is None:
    return (
        'Which images belong to one patient was not said '
        '(--config.data.groups), so such a leak cannot be found.'
    )
  return f'No {unit} is in both train and test.'


def _copies(leak: Leak) -> str:
  if leak.copies is None:
    known = (
        f'; {leak.duplicates:,} are the same bit for bit'
        if leak.duplicates
        else ''
    )
    return f'Copies were not looked for{known}.'
  if not leak.known_copies:
    return f'No test image has a copy in train{_sets(leak)}.'
  if leak.known_copies >= leak.n:
    return f'No test image is without a copy in train{_sets(leak)}.'
  have = 'has' if leak.known_copies == 1 else 'have'
  return (
      f'{leak.known_copies:,} of {leak.n:,} test images {have} a copy in '
      'train: the same image, or it saved again, resized, cropped or '
      f'brightened a little{_sets(leak)}.'
  )


def _sets(leak: Leak) -> str:
  if not leak.sets:
    return ''
  are = 'picture is' if leak.sets == 1 else 'pictures are'
  return f'; {leak.sets:,} {are} there more than once, in any subset'


def without_copies(column: settings_lib.Column) -> str:
  """Says what a network scores on the test images without a copy, or ''."""
  full, rest = (accuracy(column, is_full=part) for part in (True, False))
  if not rest or not full:
    return ''
  n = column.first.summary['test_without_copies']['n']
  return (
      f'On the {n:,} test images without a copy in train, accuracy is '
      f'{rest.text()} instead of {full.text()}.'
  )


def accuracy(
    column: settings_lib.Column, key: str = 'accuracy', *, is_full: bool
) -> estimates.Estimate | None:
  """Returns a metric on all test images, or on those without a copy in train.

  Args:
    column: a classifier.
    key: of its summaries.
    is_full: which of the two.

  Returns:
    The estimate; None if a run has no copies or did not look for any.
  """
  if not all(run.summary.get('test_without_copies') for run in column.runs):
    return None
  tests = [
      run.summary['test' if is_full else 'test_without_copies']
      for run in column.runs
  ]
  return estimates.over_seeds(
      [test[key] for test in tests],
      [test['intervals'].get(key) for test in tests],
  )


def table(setting: settings_lib.Setting, name: str) -> tables.Table | None:
  """Sets scores without copies beside the full ones; None without copies.

  Args:
    setting: a row each of its classifiers.
    name: stem of the files.
  """
  found = [(column, worst(column.runs)) for column in setting.columns]
  if not any(leak.known_copies for _, leak in found):
    return None
  rows = tuple(
      (
          tables.words(column.title),
          tables.figure(
              leak.known_copies
              if leak.known_copies or leak.copies is not None
              else None,
              0,
          ),
          tables.figure(leak.n, 0),
          *(
              tables.spread(
                  estimates.estimate(column, key)
                  if is_full
                  else accuracy(column, key, is_full=False)
              )
              for key in ('accuracy', 'f1_macro')
              for is_full in (True, False)
          ),
      )
      for column, leak in found
  )
  return tables.Table(
      name,
      'Copies of training images among the test images, '
      f'{titles.dataset_title(setting.dataset)}, {setting.title}',
      (),
      (
          'Arm',
          'Test images with a copy',
          'of',
          'Accuracy',
          'Accuracy, without copies',
          'Macro F1',
          'Macro F1, without copies',
      ),
      rows,
      (
          'A copy is the same image, or it saved again, resized, cropped by a '
          'few pixels or brightened a little. Of several seeds the one with '
          'the most copies is counted.',
          'A network may know such an image by heart. Believe the scores '
          'without copies; – where no copies were counted or no image is left.',
      ),
  )
