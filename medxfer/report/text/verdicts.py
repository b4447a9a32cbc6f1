"""What the runs say to the three questions, drawn from their numbers."""

from collections.abc import Container
from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses

from medxfer import errors
from medxfer.report.read import estimates
from medxfer.report.read import finished_run
from medxfer.report.read import recipes
from medxfer.report.read import settings as settings_lib
from medxfer.report.read import titles
from medxfer.report.stats import choices
from medxfer.report.stats import pairs
from medxfer.report.text import advice as advice_lib
from medxfer.report.text import cautions
from medxfer.report.text import certainty
from medxfer.report.text import elsewhere
from medxfer.report.text import leaks
from medxfer.report.text import subgroups

_UNKNOWN = 'Not known yet.'


@dataclasses.dataclass(frozen=True)
class Line:
  """What one data set says: its name, the verdict, what speaks for it."""

  dataset: str
  verdict: str
  sentences: tuple[str, ...]

  @property
  def numbers(self) -> str:
    """The sentences in one paragraph."""
    return ' '.join(self.sentences)


@dataclasses.dataclass(frozen=True)
class Answer:
  """A question with one line per data set, and what its words mean."""

  question: str
  lines: tuple[Line, ...]
  words: str = ''


def answers(
    settings: Sequence[settings_lib.Setting],
    advice: Sequence[advice_lib.Advice] = (),
    advised: Container[str] = (),
) -> tuple[Answer, ...]:
  """Answers the questions that can be asked of each data set.

  A tree tells nothing of pretraining and layers; its test images leak, too.

  Args:
    settings: all of them.
    advice: what every setting and study says should train.
    advised: data sets of which an advice study says it.
  """
  found = chosen(settings)
  any_kind = chosen(settings, trees_alone=True)
  all_three = (
      Answer(
          'What did pretraining bring?',
          tuple(_brought(setting) for setting in found),
      ),
      Answer(
          'Which layers should be fine-tuned?',
          tuple(
              _layers(setting, advice)
              for setting in found
              if titles.dataset_title(setting.dataset) not in advised
          ),
          choices.WORDS,
      ),
      Answer(
          'Can the number be trusted?',
          tuple(_trust(setting, settings) for setting in any_kind),
      ),
  )
  return tuple(answer for answer in all_three if answer.lines)


def chosen(
    settings: Iterable[settings_lib.Setting], *, trees_alone: bool = False
) -> list[settings_lib.Setting]:
  """Returns one setting per data set: the first that can answer the most.

  Args:
    settings: all of them.
    trees_alone: whether data sets without a network count as well.
  """
  datasets: dict[finished_run.Dataset, list[settings_lib.Setting]] = {}
  for setting in settings:
    if setting.networks or trees_alone:
      datasets.setdefault(setting.dataset, []).append(setting)
  return [
      max(
          alike,
          key=lambda s: (
              bool(s.pretrained and s.random),
              len(s.networks) > 1,
              bool(s.networks),
          ),
      )
      for alike in datasets.values()
  ]


def advice(
    settings: Iterable[settings_lib.Setting],
) -> tuple[advice_lib.Advice, ...]:
  """Returns what each setting that can choose says should train."""
  found = []
  for setting in settings:
    try:
      choice = choices.from_imagenet(setting)
    except errors.DataError:
      continue  # `_layers` says why.
    if choice:
      found.append(
          advice_lib.Advice(setting.title, choice, choice.chosen.title)
      )
  return tuple(found)


def shown(setting: settings_lib.Setting) -> settings_lib.Column:
  """Returns the network that stands for a setting.

  The one that validation images prefer; where they cannot choose, that from
  ImageNet with all layers or else the first; a tree if there is no network.
  """
  try:
    choice = choices.of_setting(setting)
  except errors.DataError:
    choice = None
  if choice:
    return choice.chosen
  sound = [column for column in setting.networks if not column.notes]
  if setting.pretrained in sound:
    return setting.pretrained
  return (sound or setting.networks or setting.columns)[0]


def line(dataset: str, verdict: str, *sentences: str) -> Line:
  """Returns a line without the sentences that are empty."""
  return Line(dataset, verdict, tuple(text for text in sentences if text))


def _brought(setting: settings_lib.Setting) -> Line:
  name = titles.dataset_title(setting.dataset)
  a, b = setting.pretrained, setting.random
  if not (a and b):
    missing = 'random' if a else 'ImageNet'
    return line(
        name,
        _UNKNOWN,
        f'No finished run from {missing} weights with the same recipe '
        'trains all layers.',
    )
  if a.notes or b.notes:
    return line(name, _UNKNOWN, *cautions.unfinished([a, b]))
  gain = pairs.between(a, b, setting.networks)
  keys = recipes.unlike(a.first.identity, b.first.identity)
  verdict = 'No clear difference from random weights.'
  if gain.is_clear:
    better, worse = 'ImageNet weights', 'random ones'
    if gain.f1_macro.value < 0:
      better, worse = 'Random weights', 'those of ImageNet'
    verdict = (
        f'{better}, with a recipe of their own, beat {worse} with theirs.'
        if keys
        else f'{better} beat {worse}.'
    )
  sentences = [
      f'Macro F1 {_f1(a)} from ImageNet, {_f1(b)} from random weights; '
      f'difference {gain.words}.'
  ]
  if keys:
    sentences.append(
        'The two recipes differ, so the difference is that of weights and '
        f'recipe together: {recipes.words(a.first.spec, keys)} from ImageNet; '
        f'{recipes.words(b.first.spec, keys)} from random weights.'
    )
  ham = setting.column('ham')
  if ham and not ham.notes:
    less = pairs.between(a, ham, setting.networks)
    sentences.append(
        f'From HAM10000 {_f1(ham)}; ImageNet minus HAM10000 {less.words}.'
    )
  return line(name, verdict, *sentences, few(a))


def _layers(
    setting: settings_lib.Setting, advice_: Sequence[advice_lib.Advice]
) -> Line:
  name = titles.dataset_title(setting.dataset)
  found = [
      c for c in setting.networks if c.first.spec.model.init_from == 'imagenet'
  ]
  if not found:
    return line(name, _UNKNOWN, 'No finished run started from ImageNet.')
  if len(found) == 1:
    [only] = found
    return line(
        name,
        'Only one choice was run.',
        f'{only.title}: macro F1 {_f1(only)} on test images.',
        few(only),
        *cautions.unfinished([only]),
    )
  noted = list(cautions.unfinished(found))
  try:
    choice = choices.from_imagenet(setting)
  except errors.DataError as error:
    return line(
        name,
        _UNKNOWN,
        f'Validation images cannot choose: {error}. Test '
        'images must not choose instead.',
        *noted,
    )
  if not choice:
    return line(
        name,
        _UNKNOWN,
        'Fewer than two networks are left to choose from.',
        *noted,
    )
  return line(
      name,
      f'{choice.chosen.title} ({choice.word}).',
      *choice.sentences,
      few(choice.chosen),
      *noted,
      *(
          text
          for mine in advice_
          if mine.choice is choice
          for text in advice_lib.otherwise(mine, advice_)
      ),
  )


def _trust(
    setting: settings_lib.Setting, settings: Sequence[settings_lib.Setting]
) -> Line:
  """Says whether a score holds elsewhere, is leakage, and is calibrated."""
  column = shown(setting)
  verdict, explained = elsewhere.said(column, settings)
  leak, first, *sentences = leaks.said(setting, column)
  return line(
      titles.dataset_title(setting.dataset),
      verdict,
      *explained,
      leak,
      f'“{column.title}”, {_split(setting)}: {first}',
      *sentences,
      leaks.without_copies(column),
      leaks.without_leak(setting, settings, column),
      few(column),
      *subgroups.said(column),
      *certainty.said(column),
      *cautions.unfinished([column]),
      'One seed only.' if len(column.runs) == 1 else '',
  )


def _split(setting: settings_lib.Setting) -> str:
  return titles.split_title(setting.dataset, setting.split)


def few(column: settings_lib.Column) -> str:
  """Says on which few images a macro F1 rests; '' if on enough."""
  if not column.few:
    return ''
  classes = ', '.join(f'{name} {count}' for name, count in column.few.items())
  return (
      f'The macro F1 rests on classes with fewer than {finished_run.FEW} test '
      f'images ({classes}): their scores say next to nothing.'
  )


def _f1(column: settings_lib.Column) -> str:
  return estimates.f1_macro(column).text()
