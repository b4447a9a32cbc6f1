"""What the runs say to the three questions, drawn from their numbers."""

from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses

from medxfer.report import estimates
from medxfer.report import reading
from medxfer.report import settings as settings_lib
from medxfer.report import twins

_UNIT = {'ham10000': 'lesion', 'chest_xray': 'patient'}


@dataclasses.dataclass(frozen=True)
class Line:
  """What one data set says: its name, the verdict, the numbers."""

  dataset: str
  verdict: str
  numbers: str


@dataclasses.dataclass(frozen=True)
class Answer:
  """A question with a line a data set."""

  question: str
  lines: tuple[Line, ...]


def answers(settings: Sequence[settings_lib.Setting]) -> tuple[Answer, ...]:
  """Answers the three questions for each data set that has a network."""
  found = chosen(settings)
  if not found:
    return ()
  return (
      Answer('What did pretraining bring?',
             tuple(_brought(setting) for setting in found)),
      Answer('Which layers should be fine-tuned?',
             tuple(_layers(setting) for setting in found)),
      Answer('Can the number be trusted?',
             tuple(_trust(setting, settings) for setting in found)),
  )


def chosen(
    settings: Iterable[settings_lib.Setting],
) -> list[settings_lib.Setting]:
  """Returns a setting a data set: the first that can answer the most."""
  datasets: dict[reading.Dataset, list[settings_lib.Setting]] = {}
  for setting in settings:
    if setting.networks:
      datasets.setdefault(setting.dataset, []).append(setting)
  return [
      max(alike, key=lambda s: (
          bool(s.pretrained and s.random), len(s.networks) > 1))
      for alike in datasets.values()]


def _line(setting: settings_lib.Setting, verdict: str, numbers: str) -> Line:
  return Line(settings_lib.dataset_title(setting.dataset), verdict, numbers)


def _brought(setting: settings_lib.Setting) -> Line:
  if not (setting.pretrained and setting.random):
    missing = 'random' if setting.pretrained else 'ImageNet'
    return _line(setting, 'Not known yet.',
                 f'No finished run from {missing} weights with the same recipe '
                 'trains all layers.')
  gain = estimates.contrast(setting.pretrained, setting.random).f1_macro
  if not gain.is_clear:
    verdict = 'No clear difference from random weights.'
  elif gain.value > 0:
    verdict = 'ImageNet weights beat random ones.'
  else:
    verdict = 'Random weights beat those of ImageNet.'
  numbers = (f'Macro F1 {_f1(setting.pretrained)} from ImageNet, '
             f'{_f1(setting.random)} from random weights; difference '
             f'{gain.text(signed=True)}.')
  other = setting.column('ham')
  if other:
    less = estimates.contrast(setting.pretrained, other).f1_macro
    numbers += (f' From HAM10000 {_f1(other)}; ImageNet minus HAM10000 '
                f'{less.text(signed=True)}.')
  return _line(setting, verdict, numbers)


def _layers(setting: settings_lib.Setting) -> Line:
  ranked = _best([c for c in setting.networks
                  if c.first.spec.model.init_from == 'imagenet'])
  if not ranked:
    return _line(setting, 'Not known yet.',
                 'No finished run started from ImageNet.')
  best = ranked[0]
  if len(ranked) == 1:
    return _line(setting, 'Only one choice was run.',
                 f'{best.title}: macro F1 {_f1(best)}.')
  gap = estimates.contrast(best, ranked[1]).f1_macro
  verdict = (f'{best.title}.' if gap.is_clear
             else f'{best.title}, though not clearly.')
  return _line(
      setting, verdict,
      f'Macro F1 {_f1(best)}; next {_lower(ranked[1].title)}, '
      f'{_f1(ranked[1])}; difference {gap.text(signed=True)}.')


def _trust(
    setting: settings_lib.Setting, settings: Sequence[settings_lib.Setting]
) -> Line:
  """Says how far the best network's score is leakage, and how calibrated."""
  column = _best(setting.networks)[0]
  run = column.first
  unit = _UNIT.get(setting.dataset.name, 'group')
  leak = run.summary['leak']['share']
  if leak is None:
    verdict, numbers = 'Nobody knows.', (
        'Which images belong to one patient was not said '
        '(--config.data.groups), so no leak can be found.')
  elif not leak:
    verdict, numbers = 'No leak.', f'No {unit} stands in train and test.'
  else:
    verdict = f'{100 * leak:.0f} % of the test images are leaked:'
    numbers = f'their {unit} also stands in train.'
  split = {a.column: b for a, b in twins.by_split(settings)}
  other = next((c for c in _best(setting.networks) if c in split), None)
  if other:
    twin = split[other]
    gap = estimates.contrast(other, twin.column).f1_macro
    title = settings_lib.split_title(twin.setting.dataset, twin.setting.split)
    which = '' if other is column else f' of “{_lower(other.title)}”'
    numbers += (f' {_upper(title)}, macro F1{which} is {_f1(twin.column)} '
                f'instead of {_f1(other)}; difference {gap.text(signed=True)}'
                f'{"." if gap.is_clear else ", not clear."}')
  elif leak:
    numbers += ' What that adds to the score, no finished run tells.'
  numbers += (f' Calibration error '
              f'{run.summary["test"]["ece"]:.3f}.')
  if len(column.runs) == 1:
    numbers += ' One seed only.'
  return _line(setting, verdict, numbers)


def _best(
    columns: Iterable[settings_lib.Column],
) -> list[settings_lib.Column]:
  """Returns columns by falling macro F1."""
  return sorted(
      columns, key=lambda c: -estimates.estimate(c, 'f1_macro').value)


def _f1(column: settings_lib.Column) -> str:
  return estimates.estimate(column, 'f1_macro').text()


def _lower(title: str) -> str:
  """A title inside a sentence; abbreviations stay as they are."""
  return title[:1].lower() + title[1:] if title[1:2].islower() else title


def _upper(title: str) -> str:
  return title[:1].upper() + title[1:]
