"""The section of an advice study: the answer, its strategies, its curve."""

from collections.abc import Iterable
from collections.abc import Iterator
import dataclasses
import math

from medxfer.report.figures import line_charts
from medxfer.report.figures import style
from medxfer.report.page import names as names_lib
from medxfer.report.read import advice_studies
from medxfer.report.read import titles
from medxfer.report.text import tables
from medxfer.report.text import verdicts
from medxfer.study.advice import grid as grids
from medxfer.study.advice import words

QUESTION = 'What should I fine-tune?'
_WORDS = (
    'Validation images choose the learning rate of each strategy and the '
    'strategy; test images tell what the choice is worth. The loss to the best '
    'on test is known only afterwards, and chance favours the best: it is '
    'rather too large than too small.'
)
_MOST_LINES = len(style.CLASSES)


@dataclasses.dataclass(frozen=True, eq=False)
class Section:
  """One study.

  Attributes:
    title: of its section.
    dataset: what its data set is called.
    sentences: the advice.
    tables: strategies, a table per number of images; numbers of images.
    charts: the learning curve.
  """

  title: str
  dataset: str
  sentences: tuple[str, ...]
  tables: tuple[tables.Table, ...]
  charts: tuple[style.Chart, ...]


def section(
    study: advice_studies.AdviceStudy, names: names_lib.Names
) -> Section:
  """Arranges and draws a study."""
  tail = titles.slug(study.name)
  found = [_numbers(study, names.free(f'advice_sizes_{tail}'))]
  for size in study.sizes:
    stem = f'advice_{size.train_images}_{tail}'
    found.append(_strategies(size, names.free(stem)))
  if study.layers:
    found.append(_cuts(study, names.free(f'advice_cuts_{tail}')))
  chart = _curve(study, names.free(f'advice_curve_{tail}'))
  dataset = titles.advice_title(study.data)
  height, width = study.data.image_size
  return Section(
      title=f'{dataset}, {height}×{width} pixels, '
      f'{study.sizes[0].train_images:,} images to train on, {study.images:,} '
      f'to test, {study.runs} runs',
      dataset=dataset,
      sentences=study.sentences,
      tables=tuple(found),
      charts=(chart,) if chart else (),
  )


def answers(sections: Iterable[Section]) -> tuple[verdicts.Answer, ...]:
  """Returns what the studies advise; nothing without any."""
  lines = tuple(
      verdicts.line(one.dataset, one.sentences[0], *one.sentences[1:])
      for one in sections
      if one.sentences
  )
  return (verdicts.Answer(QUESTION, lines, _WORDS),) if lines else ()


def _strategies(size: advice_studies.Size, name: str) -> tables.Table:
  """Returns the strategies for one number of images, best first."""
  most = max(arm.operations for arm in size.arms)
  return tables.Table(
      name,
      f'Strategies with {size.train_images:,} training images',
      (),
      (
          'Strategy',
          'Factor of the learning rate',
          'Rates tried',
          'Seeds',
          'Macro F1, validation',
          'Macro F1, test',
          'Loss to the best on test',
          'Chosen by resamples',
          'Operations of a training',
          'Minutes per epoch',
      ),
      tuple(
          tuple(_cells(arm, most, arm.name == size.advised))
          for arm in size.arms
      ),
      (
          f'Advised: {words.noun(size.advised)}. Operations: relative to '
          'the dearest strategy. Strategies that validation called worse '
          'beyond doubt have fewer rates and seeds.',
      ),
  )


def _cells(
    arm: advice_studies.Arm, most: float, is_advised: bool
) -> Iterator[tables.Cell]:
  yield tables.words(words.noun(arm.name))
  yield tables.figure(arm.rate, text=f'{arm.rate:g}')
  yield tables.figure(arm.tried, 0)
  yield tables.figure(arm.seeds, 0)
  yield tables.figure(arm.validation)
  yield dataclasses.replace(tables.spread(arm.test), best=is_advised)
  yield tables.spread(arm.regret, signed=True)
  share = arm.share
  yield tables.figure(
      share, text=None if share is None else f'{100 * share:.0f} %'
  )
  yield tables.figure(arm.operations / most, 2)
  yield tables.figure(arm.minutes_per_epoch, 2)


def _numbers(study: advice_studies.AdviceStudy, name: str) -> tables.Table:
  """Returns the advice by number of images, and what simple rules lose."""
  return tables.Table(
      name,
      'The advice by number of training images',
      (),
      (
          'Training images',
          'Advised',
          'Macro F1, test',
          'Loss to the best on test',
          *(f'Loss of “always {words.noun(rule)}”' for rule in grids.RULES),
          'Against random weights',
      ),
      tuple(tuple(_row(size)) for size in study.sizes),
  )


def _row(size: advice_studies.Size) -> Iterator[tables.Cell]:
  yield tables.words(f'{size.train_images:,}')
  yield tables.words(words.noun(size.advised))
  advised = size.arm(size.advised)
  assert advised is not None  # `advice_studies` has seen to it.
  yield tables.spread(advised.test)
  yield tables.spread(advised.regret, signed=True)
  for rule in grids.RULES:
    arm = size.arm(rule)
    yield tables.spread(arm.regret if arm else None, signed=True)
  yield tables.spread(size.pretraining, signed=True)


def _cuts(study: advice_studies.AdviceStudy, name: str) -> tables.Table:
  """Returns what a probe reads from each layer of ImageNet's network."""
  return tables.Table(
      name,
      'How far ImageNet’s network could be cut',
      (),
      ('Layer', 'Macro F1, validation', 'Macro F1, test', 'Operations'),
      tuple(
          (
              tables.words(layer.name),
              tables.figure(layer.validation),
              tables.spread(layer.test),
              tables.figure(layer.operations, 2),
          )
          for layer in study.layers
      ),
      (
          'A linear probe on each layer, averaged over the image; nothing is '
          'fine-tuned. Operations: up to this layer, of all convolutions.',
      ),
  )


def _curve(study: advice_studies.AdviceStudy, name: str) -> style.Chart | None:
  """Draws macro F1 by number of images; None with one number."""
  sizes = sorted(size.train_images for size in study.sizes)
  if len(sizes) < 2:
    return None
  lines = [
      line_charts.Curve(
          words.noun(arm),
          role,
          {math.log2(count): one for count, one in study.curves[arm].items()},
      )
      for role, arm in enumerate(_drawn(study))
  ]
  return line_charts.over_sizes(
      name,
      'Macro F1 by number of training images',
      'Test images, mean over the seeds, at the learning rate that validation '
      'chose; bars are 95 % intervals.',
      sizes,
      lines,
  )


def _drawn(study: advice_studies.AdviceStudy) -> list[str]:
  """Returns the strategies of the figure: those that most often matter."""
  found = dict.fromkeys(
      arm
      for arm in (
          *(size.advised for size in study.sizes),
          *grids.RULES,
          grids.CONTROL,
          *(arm.name for arm in study.sizes[0].arms),
      )
      if arm in study.curves and len(study.curves[arm]) > 1
  )
  return list(found)[:_MOST_LINES]
